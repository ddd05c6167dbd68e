"""Recording events as cluster components do: repeated ones are counted, floods are merged and cut off.

`Recorder` writes core events with a count (kubelet and controllers); `SeriesRecorder` writes the newer shape
with an event time and a series (the scheduler). Follows client-go's event correlator.
"""

from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.clock import SimClock
from sandbox.errors import Forbidden, NotFound
from sandbox.fields import Obj
from sandbox.kinds import kind_of
from sandbox.store import Store

SIMILAR_LIMIT = 10  # distinct messages of one reason before they are combined
SIMILAR_WINDOW_S = 600.0
BURST = 25  # events one component may write about one object at once
REFILL_PER_S = 1 / 300
K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 4096  # upper bound of what a recorder keeps in mind
SERIES_WINDOW_S = 360.0

EVENT = kind_of("Event")


def reference_to(obj: Obj, field_path: str = "") -> Obj:
    meta = obj["metadata"]
    reference: Obj = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"]}
    for name in ("namespace", "uid", "resourceVersion"):
        if meta.get(name):
            reference[name] = meta[name]
    if field_path:
        reference["fieldPath"] = field_path
    return reference


@dataclass(slots=True)
class _Similar:
    """Events of one reason about one object, seen lately."""

    messages: set[str] = field(default_factory=set)
    seen_at: float = 0.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Recorder:
    """Writes the events of one component, merging what repeats itself."""

    def __init__(self, store: Store, clock: SimClock, component: str, host: str = "") -> None:
        self._store = store
        self._clock = clock
        self._source = {"component": component} | ({"host": host} if host else {})
        self._component = component
        self._written: dict[tuple[str, ...], tuple[str, str]] = {}
        self._similar: dict[tuple[str, str, str], _Similar] = {}
        self._buckets: dict[str, _Bucket] = {}

    def normal(self, obj: Obj, reason: str, message: str, field_path: str = "") -> None:
        self._record(obj, "Normal", reason, message, field_path)

    def warning(self, obj: Obj, reason: str, message: str, field_path: str = "") -> None:
        self._record(obj, "Warning", reason, message, field_path)

    def _record(self, obj: Obj, kind: str, reason: str, message: str, field_path: str) -> None:
        reference = reference_to(obj, field_path)
        uid = str(reference.get("uid", reference["name"]))
        if not self._may_write(uid):
            return
        message, combined = self._combine((uid, kind, reason), message)
        identity = (uid, kind, reason, field_path, "" if combined else message)
        if not self._count_up(identity, message):
            self._create(identity, reference, kind, reason, message)

    def _may_write(self, uid: str) -> bool:
        now = self._clock.time()
        bucket = self._buckets.get(uid)
        if bucket is None:
            bucket = _remember(self._buckets, uid, _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.filled_at) * REFILL_PER_S)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _combine(self, group: tuple[str, str, str], message: str) -> tuple[str, bool]:
        now = self._clock.time()
        similar = self._similar.get(group)
        if similar is None or now - similar.seen_at > SIMILAR_WINDOW_S:
            similar = _remember(self._similar, group, _Similar())
        similar.seen_at = now
        similar.messages.add(message)
        if len(similar.messages) < SIMILAR_LIMIT:
            return message, False
        similar.messages.pop()
        return f"(combined from similar events): {message}", True

    def _count_up(self, identity: tuple[str, ...], message: str) -> bool:
        place = self._written.get(identity)
        event = place and self._store.find(EVENT, *place)
        if not event:
            return False
        counted = {
            **event,
            "count": event.get("count", 1) + 1,
            "message": message,
            "lastTimestamp": self._clock.stamp(),
        }
        self._store.update(EVENT, counted)
        return True

    def _create(
        self, identity: tuple[str, ...], reference: Obj, kind: str, reason: str, message: str
    ) -> None:
        at = self._clock.stamp()
        event = _bare(self._clock, reference, kind, reason, message) | {
            "source": self._source,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
            "eventTime": None,
            "reportingComponent": "",
            "reportingInstance": "",
        }
        made = _written(self._store, event)
        if made is not None:
            place = (made["metadata"]["namespace"], made["metadata"]["name"])
            _remember(self._written, identity, place)


class SeriesRecorder:
    """Writes events in the shape of events.k8s.io: an event time, an action, and a series when repeated."""

    def __init__(self, store: Store, clock: SimClock, component: str) -> None:
        self._store = store
        self._clock = clock
        self._component = component
        self._written: dict[tuple[str, ...], tuple[str, str, float]] = {}

    def record(self, obj: Obj, kind: str, reason: str, action: str, message: str) -> None:
        reference = reference_to(obj)
        identity = (reference.get("uid", ""), reference.get("resourceVersion", ""), kind, reason, message)
        if self._extend(identity):
            return
        event = _bare(self._clock, reference, kind, reason, message) | {
            "source": {},
            "eventTime": self._clock.micro_stamp(),
            "firstTimestamp": None,
            "lastTimestamp": None,
            "action": action,
            "reportingComponent": self._component,
            "reportingInstance": f"{self._component}-control-plane",
        }
        made = _written(self._store, event)
        if made is not None:
            place = (made["metadata"]["namespace"], made["metadata"]["name"], self._clock.time())
            _remember(self._written, identity, place)

    def _extend(self, identity: tuple[str, ...]) -> bool:
        place = self._written.get(identity)
        if place is None or self._clock.time() - place[2] > SERIES_WINDOW_S:
            return False
        event = self._store.find(EVENT, place[0], place[1])
        if event is None:
            return False
        count = (event.get("series") or {}).get("count", 1) + 1
        series = {"count": count, "lastObservedTime": self._clock.micro_stamp()}
        self._store.update(EVENT, {**event, "series": series})
        self._written[identity] = (place[0], place[1], self._clock.time())
        return True


def _bare(clock: SimClock, reference: Obj, kind: str, reason: str, message: str) -> Obj:
    namespace = reference.get("namespace") or "default"
    suffix = f"{int(clock.time() * 1e6):x}{clock.random.randrange(1 << 16):04x}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{reference['name']}.{suffix}", "namespace": namespace},
        "involvedObject": reference,
        "type": kind,
        "reason": reason,
        "message": message,
    }


def _written(store: Store, event: Obj) -> Obj | None:
    """The stored event; None where its namespace takes nothing any more: nobody retries an event."""
    try:
        return store.create(EVENT, event)
    except (Forbidden, NotFound):
        return None


def _remember(memory: dict[K, V], key: K, value: V) -> V:
    """Keeps the value, forgetting the oldest one when there are too many."""
    if len(memory) >= REMEMBERED:
        del memory[next(iter(memory))]
    memory[key] = value
    return value
