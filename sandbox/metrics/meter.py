"""Counters and noise of the usage model: what turns a rate of the moment into a growing total.

Noise is a function of a name and a time, so that equal clusters measure equal values.
"""

import math
from collections.abc import Hashable
from functools import lru_cache
from zlib import crc32

PERIODS_S = (97.0, 431.0, 1867.0)  # no multiples of each other or of a scrape interval
FORGET_AFTER_S = 900.0  # a counter that nobody read for so long belongs to something that is gone
SWEEP_EVERY = 5000  # readings between two looks for such counters


class Meter:
    """Running totals, each advanced by its present rate whenever it is read."""

    def __init__(self) -> None:
        self._totals: dict[Hashable, tuple[float, float]] = {}
        self._readings = 0

    def total(self, key: Hashable, per_s: float, *, at_s: float, since_s: float) -> float:
        """The total at a moment, having grown by `per_s` since it was last read, or since `since_s`."""
        before_s, total = self._totals.get(key, (since_s, 0.0))
        total += max(0.0, at_s - before_s) * per_s
        self._totals[key] = (max(at_s, before_s), total)
        self._readings += 1
        if self._readings % SWEEP_EVERY == 0:
            self._sweep(at_s)
        return total

    def _sweep(self, at_s: float) -> None:
        kept = self._totals.items()
        self._totals = {key: value for key, value in kept if value[0] > at_s - FORGET_AFTER_S}


def wobble(name: str, at_s: float) -> float:
    """Smooth noise between -1 and 1."""
    return math.fsum(
        math.sin(2 * math.pi * (at_s / period_s + phase))
        for period_s, phase in zip(PERIODS_S, _phases(name), strict=True)
    ) / len(PERIODS_S)


@lru_cache(maxsize=4096)
def _phases(name: str) -> tuple[float, ...]:
    return tuple(crc32(f"{name}/{period_s}".encode()) / 2**32 for period_s in PERIODS_S)
