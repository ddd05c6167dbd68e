"""Small things about English, for texts that people read."""


def counted(count: int, noun: str) -> str:
    """`1 container`, `3 containers`; for nouns whose plural takes an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
