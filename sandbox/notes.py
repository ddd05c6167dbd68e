"""Values of the sandbox's annotations: read if they make sense, else ignored: a typo stops no drill."""

import math
from collections.abc import Callable

from sandbox.amounts import millis, whole


def number(text: str) -> float | None:
    """A number that is not negative; None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def ratio(text: str) -> float:
    """A share between 0 and 1; 0 for anything that is no number."""
    return min(1.0, number(text) or 0.0)


def cpu_millis(text: str) -> int | None:
    return _amount(text, millis)


def size_bytes(text: str) -> int | None:
    return _amount(text, whole)


def words(text: str) -> list[str]:
    """The parts between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def ports(text: str) -> list[int]:
    return [int(part) for part in words(text) if part.isdigit()]


def _amount(text: str, read: Callable[[str], int]) -> int | None:
    try:
        value = read(text)
    except ValueError:
        return None
    return value if value >= 0 else None
