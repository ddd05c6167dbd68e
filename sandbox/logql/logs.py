"""Lines of all containers, collected from the kubelets' outputs and kept after the pods are gone.

Collected whenever a pod changes, at intervals, and before each query; kept within bounds of number and age.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from sandbox.clock import SimClock
from sandbox.fields import labels_of, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.fleet import Fleet
from sandbox.kubelet.output import Line
from sandbox.kubelet.pod import PodRun
from sandbox.promql.values import Labels, Matcher, labels_from, value_of
from sandbox.state import key_of
from sandbox.store import Store
from sandbox.tables import Change

POD = kind_of("Pod")
COLLECT_S = 15.0
KEPT_LINES = 5000  # a stream
KEPT_STREAMS = 2000
APP_LABELS = ("app", "app.kubernetes.io/name", "k8s-app")


@dataclass(slots=True)
class Stream:
    """The lines of one container, oldest first; `last` is the newest one that was taken over."""

    labels: Labels
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    last: Line | None = None


class LogStore:
    """All streams, found by their labels namespace, pod, container and app."""

    def __init__(self, store: Store, clock: SimClock, fleet: Fleet) -> None:
        self._clock = clock
        self._fleet = fleet
        self._streams: dict[Labels, Stream] = {}
        store.subscribe(POD, self._pod_changed)
        clock.call_after(COLLECT_S, self._tick)

    def select(self, matchers: Sequence[Matcher]) -> list[Stream]:
        """Streams that fit, with everything that was written up to now."""
        self.collect()
        found = self._streams.values()
        return [s for s in found if all(m.matches(value_of(s.labels, m.name)) for m in matchers)]

    def collect(self) -> None:
        for run in self._fleet.runs():
            self._collect_pod(run)

    def _tick(self) -> None:
        self.collect()
        self._clock.call_after(COLLECT_S, self._tick)

    def _pod_changed(self, change: Change) -> None:
        run = self._fleet.run_of(*key_of(change.object))
        if run is not None:
            self._collect_pod(run)

    def _collect_pod(self, run: PodRun) -> None:
        if run.host.reachable:
            for container in run.everything:
                self._collect(run, container)

    def _collect(self, run: PodRun, container: ContainerRun) -> None:
        output = container.output
        newest = output.current[-1] if output.current else output.previous[-1] if output.previous else None
        if newest is None:
            return
        stream = self._stream(run, container)
        if stream.last is not newest:
            stream.lines.extend(_new_lines(stream.last, output.previous, output.current))
            stream.last = newest

    def _stream(self, run: PodRun, container: ContainerRun) -> Stream:
        labels = _labels(run, container)
        stream = self._streams.get(labels)
        if stream is None:
            stream = self._streams[labels] = Stream(labels)
            self._forget()
        return stream

    def _forget(self) -> None:
        """Drops the streams that were begun first."""
        surplus = len(self._streams) - KEPT_STREAMS
        for labels in list(islice(self._streams, max(0, surplus))):
            del self._streams[labels]


def _new_lines(last: Line | None, previous: deque[Line], current: deque[Line]) -> Iterator[Line]:
    """Lines behind the last one that is known; all of them where it is no longer kept."""
    new: list[Line] = []
    for line in chain(reversed(current), reversed(previous)):
        if line is last:
            break
        new.append(line)
    return reversed(new)


def _labels(run: PodRun, container: ContainerRun) -> Labels:
    own = labels_of(run.pod)
    app = next((own[name] for name in APP_LABELS if name in own), container.name)
    return labels_from(
        {
            "namespace": namespace_of(run.pod),
            "pod": name_of(run.pod),
            "container": container.name,
            "app": app,
        }
    )
