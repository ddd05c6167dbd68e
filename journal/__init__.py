"""Durable memory: what came in, what was thought, what was done. The timeline only grows."""
