"""Incident ids that people can read out and that sort by time: `inc-20261120-1252-7f3a`."""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

MAX_TRIES_COUNT = 64  # a thousand incidents in one minute take 1.5 % of its 65,536 ids


def new_incident_id(at: datetime, *, taken: Callable[[str], bool]) -> str:
    """An id for an incident opened at `at` that `taken` does not know."""
    minute = at.astimezone(UTC).strftime("inc-%Y%m%d-%H%M")
    for _ in range(MAX_TRIES_COUNT):
        proposed = f"{minute}-{secrets.token_hex(2)}"
        if not taken(proposed):
            return proposed
    return f"{minute}-{secrets.token_hex(8)}"


def nearest(wanted: str, known: Sequence[str]) -> list[str]:
    """Up to three known ids that somebody may have meant, closest first; the newest when none is close."""
    return get_close_matches(wanted, known, n=3, cutoff=0.6) or list(known[:3])
