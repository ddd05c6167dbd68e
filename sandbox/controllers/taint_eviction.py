"""NoExecute taints: pods that do not tolerate them leave the node, at once or when their patience ends."""

from functools import partial

from sandbox.clock import SimClock, Timer
from sandbox.errors import NotFound
from sandbox.events import Recorder
from sandbox.fields import Obj, is_deleting, name_of, namespace_of, uid_of
from sandbox.kinds import kind_of
from sandbox.scheduler.matching import tolerates
from sandbox.state import is_finished, key_of, spec_of
from sandbox.store import Store
from sandbox.tables import Change

NODE = kind_of("Node")
POD = kind_of("Pod")


class TaintEviction:
    """Keeps a timer for every pod that may stay only for a while."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "taint-eviction-controller")
        self._timers: dict[str, Timer] = {}
        store.subscribe(NODE, self._node_changed)
        store.subscribe(POD, self._pod_changed)

    def _node_changed(self, change: Change) -> None:
        before = _pressing(change.old) if change.old is not None else []
        taints = _pressing(change.object)
        if change.type != "DELETED" and taints != before:
            for pod in self._store.pods_on(POD, name_of(change.object)):
                self._judge(pod, taints)

    def _pod_changed(self, change: Change) -> None:
        pod = change.object
        if change.type == "DELETED":
            self._cancel(pod)
            return
        was_bound = change.old is not None and change.old["spec"].get("nodeName")
        node = self._store.find(NODE, None, pod["spec"].get("nodeName") or "")
        if node is not None and not was_bound:
            self._judge(pod, _pressing(node))

    def _judge(self, pod: Obj, taints: list[Obj]) -> None:
        if is_finished(pod) or is_deleting(pod):
            return
        patience_s = patience(pod, taints)
        if patience_s is None:
            if self._cancel(pod):
                text = f"Cancelling deletion of Pod {namespace_of(pod)}/{name_of(pod)}"
                self._events.normal(pod, "TaintManagerEviction", text)
        elif uid_of(pod) not in self._timers:
            self._timers[uid_of(pod)] = self._clock.call_after(patience_s, partial(self._evict, pod))

    def _cancel(self, pod: Obj) -> bool:
        timer = self._timers.pop(uid_of(pod), None)
        if timer is None:
            return False
        timer.cancel()
        return True

    def _evict(self, pod: Obj) -> None:
        self._timers.pop(uid_of(pod), None)
        text = f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}"
        self._events.normal(pod, "TaintManagerEviction", text)
        try:
            self._store.delete(POD, *key_of(pod), uid=uid_of(pod))
        except NotFound:
            return  # gone meanwhile


def patience(pod: Obj, taints: list[Obj]) -> float | None:
    """Seconds the pod may stay on a node with these taints; None for ever, 0 not at all."""
    tolerations = pod["spec"].get("tolerations") or []
    limits: list[float] = []
    for taint in taints:
        accepting = [t for t in tolerations if tolerates([t], taint)]
        if not accepting:
            return 0.0
        limits += [float(t["tolerationSeconds"]) for t in accepting if t.get("tolerationSeconds") is not None]
    return min(limits) if limits else None


def _pressing(node: Obj) -> list[Obj]:
    return [taint for taint in spec_of(node).get("taints") or () if taint["effect"] == "NoExecute"]
