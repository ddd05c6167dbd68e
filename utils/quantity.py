"""Kubernetes quantities as numbers, and back. Source: the Kubernetes API's `resource.Quantity`."""

import re

from domain.errors import BadInput

UNLIMITED = "none"  # how set_resources is asked to remove a value
SUFFIXES = {
    "": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9,
    "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
SHAPE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([a-zA-Z]*)")


def parse_quantity(text: str) -> float:
    """`512Mi` to bytes, `250m` to cores. Raises BadInput for anything else."""
    match = SHAPE.fullmatch(text.strip())
    if match is None or match[2] not in SUFFIXES:
        raise BadInput(f"{text!r} is not a Kubernetes quantity such as 512Mi, 2 or 250m", field="quantity")
    return float(match[1]) * SUFFIXES[match[2]]


def memory_text(size_bytes: float) -> str:
    """Bytes as a whole number of Mi, or Gi where that is exact: 536870912 gives `512Mi`."""
    mebibytes = round(size_bytes / 2**20)
    return f"{mebibytes // 1024}Gi" if mebibytes and mebibytes % 1024 == 0 else f"{mebibytes}Mi"
