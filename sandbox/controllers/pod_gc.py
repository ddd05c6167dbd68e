"""Pods whose node does not exist any more: nobody can stop them, so they are removed by force."""

from functools import partial

from sandbox.clock import SimClock
from sandbox.errors import NotFound
from sandbox.fields import name_of, uid_of
from sandbox.kinds import kind_of
from sandbox.state import key_of
from sandbox.store import Store
from sandbox.tables import Change

NODE = kind_of("Node")
POD = kind_of("Pod")
QUARANTINE_S = 40.0  # a node that is only replaced comes back within this time


class PodGarbageCollector:
    """Waits a little after a node was deleted, then clears its pods away."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        store.subscribe(NODE, self._node_changed)

    def _node_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self._clock.call_after(QUARANTINE_S, partial(self._clear, name_of(change.object)))

    def _clear(self, node: str) -> None:
        if self._store.find(NODE, None, node) is not None:
            return
        for pod in self._store.pods_on(POD, node):
            try:
                self._store.delete(POD, *key_of(pod), grace_s=0, uid=uid_of(pod))
            except NotFound:
                continue  # gone meanwhile
