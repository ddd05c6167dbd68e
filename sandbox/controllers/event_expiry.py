"""Events are kept for an hour, as a real server keeps them, so that a long life does not fill the memory."""

from sandbox.clock import SimClock
from sandbox.fields import Obj, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.state import unix_time
from sandbox.store import Store

EVENT = kind_of("Event")
KEPT_S = 3600.0
SWEEP_S = 600.0


class EventExpiry:
    """Sweeps old events away every ten minutes."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        clock.call_after(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        oldest = self._clock.time() - KEPT_S
        for event in self._store.list(EVENT):
            if last_seen(event) < oldest:
                self._store.delete(EVENT, namespace_of(event), name_of(event))
        self._clock.call_after(SWEEP_S, self._sweep)


def last_seen(event: Obj) -> float:
    """Unix time at which the event happened last, in whichever shape it was written."""
    series = (event.get("series") or {}).get("lastObservedTime")
    found = series or event.get("lastTimestamp") or event.get("eventTime") or meta(event)["creationTimestamp"]
    return unix_time(found)
