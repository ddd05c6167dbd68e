"""The call graph: pods behind a Service call the Services it names, log what fails, and count it all.

Services say whom they call by an annotation. Counters only grow, as a metrics endpoint's do.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.clock import SimClock
from sandbox.fields import Obj, annotations_of, namespace_of, uid_of
from sandbox.kinds import kind_of
from sandbox.kubelet.fleet import Fleet
from sandbox.kubelet.pod import PodRun
from sandbox.network.reach import Answer, Network
from sandbox.notes import number, words
from sandbox.selectors import Selector
from sandbox.state import Key, key_of
from sandbox.store import Store
from sandbox.tables import Change

SERVICE = kind_of("Service")
POD = kind_of("Pod")
CALLS = "sandbox/calls"
RATE = "sandbox/requests-per-second"
TIMEOUT = "sandbox/call-timeout"
ROUND_S = 5.0  # between two rounds of calls
DEFAULT_RATE = 10.0
DEFAULT_TIMEOUT_S = 2.0
DEEPEST = 8  # calls of calls are followed so far


@dataclass(frozen=True, slots=True)
class Call:
    """A Service that another one depends on, by the name its programs use."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(slots=True)
class Totals:
    """What a Service's callers saw so far; latency in seconds summed over all requests."""

    requests: float = 0.0
    errors: float = 0.0
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request to a pod went, all its own calls included."""

    took_s: float
    failures: tuple[tuple[Call, str], ...] = ()


def calls_of(service: Obj) -> list[Call]:
    """The Services it calls: `orders:8080, db.data:5432`; port 80 where none is given."""
    return [_call(text) for text in words(annotations_of(service).get(CALLS, ""))]


def _call(text: str) -> Call:
    host, _, port = text.partition(":")
    return Call(host, int(port) if port.isdigit() else 80)


class Traffic:
    """Lets the annotated Services' pods call each other, round after round."""

    def __init__(self, store: Store, clock: SimClock, fleet: Fleet) -> None:
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._network = Network(store, fleet)
        self._busy: dict[Key, Obj] = {}
        self._failing: set[tuple[str, Call]] = set()  # (pod uid, call)
        self._round = 0
        self.totals: dict[Key, Totals] = {}
        store.subscribe(SERVICE, self._service_changed)
        clock.call_after(ROUND_S, self._play)

    def of(self, namespace: str, service: str) -> Totals:
        """The counters of a Service; zeros while nobody called it."""
        return self.totals.get((namespace, service), Totals())

    def _service_changed(self, change: Change) -> None:
        key = key_of(change.object)
        self._busy.pop(key, None)
        notes = annotations_of(change.object)
        if change.type != "DELETED" and (CALLS in notes or RATE in notes):
            self._busy[key] = change.object

    def _play(self) -> None:
        self._round += 1
        for key, service in list(self._busy.items()):
            self._serve(key, service)
        self._clock.call_after(ROUND_S, self._play)

    def _serve(self, key: Key, service: Obj) -> None:
        """One round of requests to a Service, shared among its ready pods; without any, all of them fail."""
        runs = self._runs(service)
        ready = [run for run in runs if run.ready]
        count = _noted(service, RATE, DEFAULT_RATE) * ROUND_S
        totals = self.totals.setdefault(key, Totals())
        totals.requests += count
        if not ready:
            totals.errors += count
        for run in runs:
            outcome = self._ask(run, service, (key,))
            self._report(run, service, outcome)
            if run.ready:
                totals.latency_s += outcome.took_s * count / len(ready)
                totals.errors += count / len(ready) if outcome.failures else 0.0

    def _runs(self, service: Obj) -> list[PodRun]:
        selector = Selector.from_labels(service["spec"].get("selector") or {})
        if selector.empty:
            return []
        names = (key_of(pod) for pod in self._store.list(POD, namespace_of(service), labels=selector))
        found = [run for name in names if (run := self._fleet.run_of(*name)) is not None]
        return [run for run in found if run.host.reachable and any(c.running for c in run.containers)]

    def _ask(self, run: PodRun, service: Obj, path: tuple[Key, ...]) -> Outcome:
        """A request to one pod of a Service, which makes its own calls first; `path` led there."""
        took_s, failures = run.containers[0].program.answer_s(), []
        for call in calls_of(service) if len(path) <= DEEPEST else ():
            answer = self._call(run, service, call, path)
            took_s += answer.took_s
            if answer.error:
                failures.append((call, answer.error))
        return Outcome(took_s, tuple(failures))

    def _call(self, run: PodRun, service: Obj, call: Call, path: tuple[Key, ...]) -> Answer:
        timeout_s = _noted(service, TIMEOUT, DEFAULT_TIMEOUT_S)
        answer = self._network.request(run, call.host, call.port, turn=self._round)
        callee = self._network.service(namespace_of(run.pod), call.host)
        known = callee is None or key_of(callee) in path  # outside the cluster, or in a circle: not followed
        if not answer.error and answer.run is not None and callee is not None and not known:
            inner = self._ask(answer.run, callee, (*path, key_of(callee)))
            error = "500 Internal Server Error" if inner.failures else ""
            answer = Answer(took_s=inner.took_s, error=error, run=answer.run)
        if not answer.error and answer.took_s > timeout_s:
            late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return Answer(took_s=timeout_s, error=late)
        return Answer(took_s=min(answer.took_s, timeout_s), error=answer.error, run=answer.run)

    # --- what the programs say

    def _report(self, run: PodRun, service: Obj, outcome: Outcome) -> None:
        first = run.containers[0]
        failed = dict(outcome.failures)
        for call in calls_of(service):
            known = (uid_of(run.pod), call)
            if call in failed:
                self._failing.add(known)
                first.log(
                    f'level=error msg="request failed" target={call} error="{_said(call, failed[call])}"'
                )
            elif known in self._failing:
                self._failing.discard(known)
                first.log(f'level=info msg="request succeeded again" target={call}')
        first.impair(_reasons(outcome.failures))


def _noted(service: Obj, name: str, default: float) -> float:
    value = number(annotations_of(service).get(name, ""))
    return default if value is None else value


def _said(call: Call, error: str) -> str:
    """The error as a program words it: answers of a server are told with the request."""
    if error[:3].isdigit():
        return f"GET http://{call}/: {error}"
    return f'Get \\"http://{call}/\\": {error}'


def _reasons(failures: Iterable[tuple[Call, str]]) -> str:
    return ", ".join(f"{call}: {error}" for call, error in failures)
