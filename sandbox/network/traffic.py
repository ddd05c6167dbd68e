"""The call graph: pods call the Services they depend on, log what fails, and all of it is counted.

Whom they call is read in calls.py, what requests cost is told to programs by load.py. Counters only grow,
as a metrics endpoint's do.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.clock import SimClock
from sandbox.fields import Obj, annotations_of, namespace_of, uid_of
from sandbox.kinds import kind_of
from sandbox.kubelet.fleet import Fleet
from sandbox.kubelet.pod import PodRun
from sandbox.network.calls import CALLS, CALLS_ENV, Call, calls_by_environment, calls_of
from sandbox.network.links import delay_s
from sandbox.network.load import Load
from sandbox.network.reach import Answer, Network
from sandbox.notes import number
from sandbox.selectors import Selector
from sandbox.state import Key, key_of
from sandbox.store import Store
from sandbox.tables import Change

SERVICE = kind_of("Service")
POD = kind_of("Pod")
RATE = "sandbox/requests-per-second"
TIMEOUT = "sandbox/call-timeout"
ROUND_S = 5.0  # between two rounds of calls
DEFAULT_RATE = 10.0
DEFAULT_TIMEOUT_S = 2.0
DEEPEST = 8  # calls of calls are followed so far


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
        self._load = Load()
        self._factors: dict[Key, float] = {}
        self._callers: set[Key] = set()  # pods whose environment says whom they call
        self.totals: dict[Key, Totals] = {}
        store.subscribe(SERVICE, self._service_changed)
        store.subscribe(POD, self._pod_changed)
        clock.call_after(ROUND_S, self._play)

    def of(self, namespace: str, service: str) -> Totals:
        """The counters of a Service; zeros while nobody called it."""
        return self.totals.get((namespace, service), Totals())

    def multiply(self, namespace: str, service: str, factor: float) -> None:
        """From now on so many times the requests from outside. Raises NotFound for an unknown Service."""
        found = self._store.get(SERVICE, namespace, service)
        self._factors[namespace, service] = factor
        self._busy[namespace, service] = found

    def _service_changed(self, change: Change) -> None:
        key, notes = key_of(change.object), annotations_of(change.object)
        self._busy.pop(key, None)
        if change.type == "DELETED":
            self._factors.pop(key, None)
        elif CALLS in notes or RATE in notes or key in self._factors:
            self._busy[key] = change.object

    def _pod_changed(self, change: Change) -> None:
        if change.type != "DELETED" and CALLS_ENV in annotations_of(change.object):
            self._callers.add(key_of(change.object))
        else:
            self._callers.discard(key_of(change.object))

    def _play(self) -> None:
        self._round += 1
        asked: set[Key] = set()
        for key, service in list(self._busy.items()):
            asked |= self._serve(key, service)
        for name in sorted(self._callers - asked):
            self._work(name)
        self._load.end_round(ROUND_S)
        self._clock.call_after(ROUND_S, self._play)

    def _serve(self, key: Key, service: Obj) -> set[Key]:
        """One round of requests to a Service, shared among its ready pods; without any, all of them fail."""
        runs = self._runs(service)
        ready_count = sum(run.ready for run in runs)
        count = _noted(service, RATE, DEFAULT_RATE) * ROUND_S * self._factors.get(key, 1.0)
        totals = self.totals.setdefault(key, Totals())
        totals.requests += count
        totals.errors += 0.0 if ready_count else count
        self._load.add(runs, count)
        for run in runs:
            share = count / ready_count if run.ready else 0.0
            outcome = self._ask(run, service, (key,), share)
            self._report(run, [*calls_of(service), *calls_by_environment(run)], outcome)
            totals.latency_s += (outcome.took_s + run.host.around.net_delay_s) * share
            totals.errors += share if outcome.failures else share * _lost_ratio(run)
        return {key_of(run.pod) for run in runs}

    def _work(self, name: Key) -> None:
        """A pod behind no busy Service that calls others by itself, as a worker does."""
        run = self._fleet.run_of(*name)
        if run is not None and _is_at_work(run):
            self._report(run, calls_by_environment(run), self._ask(run, None, (), DEFAULT_RATE * ROUND_S))

    def _runs(self, service: Obj) -> list[PodRun]:
        selector = Selector.from_labels(service["spec"].get("selector") or {})
        if selector.empty:
            return []
        names = (key_of(pod) for pod in self._store.list(POD, namespace_of(service), labels=selector))
        found = [run for name in names if (run := self._fleet.run_of(*name)) is not None]
        return [run for run in found if _is_at_work(run)]

    def _ask(self, run: PodRun, service: Obj | None, path: tuple[Key, ...], count: float) -> Outcome:
        """Requests to one pod, which makes its own calls for each; `path` led there."""
        took_s, failures = run.containers[0].program.answer_s(), []
        calls = [*(calls_of(service) if service else ()), *calls_by_environment(run)]
        timeout_s = _noted(service, TIMEOUT, DEFAULT_TIMEOUT_S) if service else DEFAULT_TIMEOUT_S
        for call in calls if len(path) <= DEEPEST else ():
            answer = self._call(run, call, path, count, timeout_s)
            took_s += answer.took_s
            if answer.error:
                failures.append((call, answer.error))
        return Outcome(took_s, tuple(failures))

    def _call(self, run: PodRun, call: Call, path: tuple[Key, ...], count: float, timeout_s: float) -> Answer:
        answer = self._network.request(run, call.host, call.port, turn=self._round)
        callee = self._network.service(namespace_of(run.pod), call.host)
        if callee is not None and answer.run is not None:
            self._load.add(self._runs(callee), count)
        known = callee is None or key_of(callee) in path  # outside the cluster, or in a circle: not followed
        if not answer.error and answer.run is not None and callee is not None and not known:
            inner = self._ask(answer.run, callee, (*path, key_of(callee)), count)
            error = "500 Internal Server Error" if inner.failures else ""
            answer = Answer(took_s=inner.took_s + delay_s(run, answer.run), error=error, run=answer.run)
        if not answer.error and answer.took_s > timeout_s:
            late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return Answer(took_s=timeout_s, error=late)
        return Answer(took_s=min(answer.took_s, timeout_s), error=answer.error, run=answer.run)

    # --- what the programs say

    def _report(self, run: PodRun, calls: list[Call], outcome: Outcome) -> None:
        first = run.containers[0]
        failed = dict(outcome.failures)
        for call in calls:
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


def _is_at_work(run: PodRun) -> bool:
    return run.host.reachable and any(container.running for container in run.containers)


def _lost_ratio(run: PodRun) -> float:
    """The share of requests from outside that fail before the program sees them."""
    kept = (1.0 - run.host.around.net_loss_ratio) * (1.0 - run.containers[0].program.aborted_ratio)
    return 1.0 - kept


def _noted(service: Obj, name: str, default: float) -> float:
    value = number(annotations_of(service).get(name, ""))
    return default if value is None else value


def _said(call: Call, error: str) -> str:
    """The error as a program words it: answers of a server are told with the request."""
    if error[:3].isdigit():
        return f"GET http://{call}/: {error}"
    scheme = "https" if error.startswith("tls:") else "http"
    return f'Get \\"{scheme}://{call}/\\": {error}'


def _reasons(failures: Iterable[tuple[Call, str]]) -> str:
    return ", ".join(f"{call}: {error}" for call, error in failures)
