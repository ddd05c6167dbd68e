"""Container logs kept beyond their containers, and the part of LogQL that asks for them."""
