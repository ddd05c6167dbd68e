"""Small things about texts that people read."""


def counted(count: int, noun: str) -> str:
    """`1 container`, `3 containers`; for nouns whose plural takes an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """Without characters that move the cursor, hide or reorder; lines and tabs stay."""
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
