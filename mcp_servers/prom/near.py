"""Names close to one that is not there: by spelling, and by the words that it is made of."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

NEAR_COUNT = 5
LOOKED_THROUGH_COUNT = 5000  # spelling is compared one by one; the answer must stay quick


def near_names(wanted: Iterable[str], known: Sequence[str]) -> list[str]:
    """At most five of the known names, the closest first."""
    asked = list(wanted)
    looked = known[:LOOKED_THROUGH_COUNT]
    spelt = [near for name in asked for near in get_close_matches(name, looked, n=3, cutoff=0.75)]
    shared = sorted(known, key=lambda name: (-_shared(name, asked), name))
    likely = [name for name in shared[: 2 * NEAR_COUNT] if _shared(name, asked) >= 2]
    return list(dict.fromkeys([*spelt, *likely]))[:NEAR_COUNT]


def near_values(wanted: str, known: Sequence[str]) -> list[str]:
    """At most five values that are spelt alike or hold each other."""
    looked = known[:LOOKED_THROUGH_COUNT]
    close = get_close_matches(wanted, looked, n=NEAR_COUNT, cutoff=0.5)
    parts = [value for value in looked if value and (wanted in value or value in wanted)]
    return list(dict.fromkeys([*close, *parts]))[:NEAR_COUNT]


def _shared(name: str, wanted: Sequence[str]) -> int:
    """How many words a name has in common with the most similar wanted one."""
    words = set(name.lower().split("_"))
    return max((len(words & set(other.lower().split("_"))) for other in wanted), default=0)
