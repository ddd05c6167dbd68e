"""Station 2: what is the cause, and what should be done next."""
