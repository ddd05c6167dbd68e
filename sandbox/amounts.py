"""Amounts as Kubernetes writes them: `100m`, `1.5`, `128Mi`, `2G`. No calculator: values are numbers."""

import re
from decimal import Decimal
from functools import lru_cache

_SUFFIX = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
    "Ei": Decimal(2) ** 60,
}
_SHAPE = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


@lru_cache(maxsize=4096)
def amount(text: str | int | float) -> Decimal:
    """The exact number a quantity stands for. Raises ValueError when it is none."""
    match = _SHAPE.fullmatch(str(text).strip())
    if match is None or match[2] not in _SUFFIX:
        raise ValueError(f"{text!r} is not a quantity such as 100m or 128Mi")
    return Decimal(match[1]) * _SUFFIX[match[2]]


@lru_cache(maxsize=4096)
def millis(text: str | int | float) -> int:
    """Thousandths, rounded up: `millis("0.1") == 100`."""
    return int(-(-amount(text) * 1000 // 1))


@lru_cache(maxsize=4096)
def whole(text: str | int | float) -> int:
    """Whole units (bytes, pieces), rounded up."""
    return int(-(-amount(text) // 1))
