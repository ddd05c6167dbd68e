"""An alert as it goes from the rules to the notifications, and its fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

FNV_OFFSET, FNV_PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, 2**64 - 1
SEPARATOR = b"\xff"  # between names and values: no byte of UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One statement of a rule; `ended_at` is None while it fires."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    started_at: datetime
    ended_at: datetime | None = None
    generator_url: str = ""

    @property
    def firing(self) -> bool:
        return self.ended_at is None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.labels)


def fingerprint(labels: Mapping[str, str]) -> str:
    """Alertmanager's fingerprint: FNV-1a over names and values in order of names."""
    text = b"".join(part.encode() + SEPARATOR for name in sorted(labels) for part in (name, labels[name]))
    total = FNV_OFFSET
    for byte in text:
        total = ((total ^ byte) * FNV_PRIME) & MASK
    return f"{total:016x}"
