"""HorizontalPodAutoscalers: sizes workloads by the cpu and memory their pods use, and says what it thinks."""

from dataclasses import dataclass
from typing import Protocol

from sandbox.clock import SimClock
from sandbox.controllers.workqueue import WorkQueue
from sandbox.events import Recorder
from sandbox.fields import Obj, is_deleting, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.kubelet.usage import Usage
from sandbox.scheduler.demand import requests, units
from sandbox.selectors import Selector
from sandbox.state import Key, is_active, is_ready, key_of, merged_condition, with_status, without_empty
from sandbox.store import Store
from sandbox.tables import Change

AUTOSCALER = kind_of("HorizontalPodAutoscaler")
POD = kind_of("Pod")
SYNC_S = 15.0
FIRST_LOOK_S = 1.0
TOLERANCE = 0.1  # a ratio this close to 1 changes nothing
DOWNSCALE_WINDOW_S = 300.0  # the highest recommendation of this time counts when shrinking
SCALABLE = ("Deployment", "ReplicaSet", "StatefulSet")
CONDITION_ORDER = ("AbleToScale", "ScalingActive", "ScalingLimited")


class UsageSource(Protocol):
    """Where usage comes from: the kubelets, as a metrics server would collect it."""

    def usage(self, namespace: str, pod: str) -> dict[str, Usage] | None: ...


class NoMetric(Exception):
    """A metric that cannot be computed, in the autoscaler's words."""


@dataclass(frozen=True, slots=True)
class _Proposal:
    """The size one metric asks for, and how to speak of it."""

    replicas: int
    name: str
    current: Obj


class AutoscalerController:
    """Looks at each autoscaler every 15 seconds."""

    def __init__(self, store: Store, clock: SimClock, source: UsageSource) -> None:
        self._store = store
        self._clock = clock
        self._source = source
        self._events = Recorder(store, clock, "horizontal-pod-autoscaler")
        self._advice: dict[Key, list[tuple[float, int]]] = {}
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(AUTOSCALER, self._autoscaler_changed)

    def _autoscaler_changed(self, change: Change) -> None:
        """A new or changed spec is looked at soon; a status that was written is not."""
        if change.old is None or change.old["spec"] != change.object["spec"]:
            self.queue.add_after(key_of(change.object), FIRST_LOOK_S)

    def _sync(self, key: Key) -> None:
        autoscaler = self._store.find(AUTOSCALER, *key)
        if autoscaler is None or is_deleting(autoscaler):
            self._advice.pop(key, None)
            return
        self.queue.add_after(key, SYNC_S)
        reference = autoscaler["spec"]["scaleTargetRef"]
        if reference["kind"] not in SCALABLE:
            self._cannot_scale(autoscaler, f'no matches for kind "{reference["kind"]}" with a scale')
            return
        kind = kind_of(reference["kind"])
        target = self._store.find(kind, key[0], reference["name"])
        if target is None:
            scale = f"{kind.plural}/scale.{kind.group}"
            self._cannot_scale(autoscaler, f'{scale} "{reference["name"]}" not found')
        else:
            self._consider(autoscaler, target)

    def _cannot_scale(self, autoscaler: Obj, why: str) -> None:
        self._events.warning(autoscaler, "FailedGetScale", why)
        text = f"the HPA controller was unable to get the target's current scale: {why}"
        self._write(autoscaler, {}, [_condition("AbleToScale", "False", "FailedGetScale", text)])

    def _consider(self, autoscaler: Obj, target: Obj) -> None:
        current = int(target["spec"].get("replicas", 1))
        able = _condition(
            "AbleToScale",
            "True",
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        )
        if current == 0:
            text = "scaling is disabled since the replica count of the target is zero"
            off = _condition("ScalingActive", "False", "ScalingDisabled", text)
            self._write(autoscaler, {"currentReplicas": 0, "desiredReplicas": 0}, [able, off])
            return
        try:
            proposal = self._propose(autoscaler, target, current)
        except NoMetric as error:
            self._no_metric(autoscaler, current, able, str(error))
            return
        self._resize(autoscaler, target, current, proposal)

    def _no_metric(self, autoscaler: Obj, current: int, able: Obj, why: str) -> None:
        self._events.warning(autoscaler, "FailedGetResourceMetric", why)
        count = len(metrics_of(autoscaler))
        text = f"invalid metrics ({count} invalid out of {count}), first error is: {why}"
        self._events.warning(autoscaler, "FailedComputeMetricsReplicas", text)
        inactive = f"the HPA was unable to compute the replica count: {why}"
        conditions = [able, _condition("ScalingActive", "False", "FailedGetResourceMetric", inactive)]
        self._write(autoscaler, {"currentReplicas": current, "desiredReplicas": 0}, conditions)

    # --- metrics

    def _propose(self, autoscaler: Obj, target: Obj, current: int) -> _Proposal:
        """The largest size that any metric asks for. Raises NoMetric."""
        selector = Selector.from_obj(target["spec"].get("selector"))
        pods = [p for p in self._store.list(POD, namespace_of(target), labels=selector) if is_active(p)]
        found = [self._by_resource(metric, pods, current) for metric in metrics_of(autoscaler)]
        if not found:
            raise NoMetric("no metric of a kind that is supported here: Resource")
        return max(found, key=lambda proposal: proposal.replicas)

    def _by_resource(self, metric: Obj, pods: list[Obj], current: int) -> _Proposal:
        resource, target = metric["resource"]["name"], metric["resource"]["target"]
        ready = [pod for pod in pods if is_ready(pod)]
        by_percent = target.get("averageUtilization") is not None
        what = f"{resource} utilization" if by_percent else f"{resource} resource metric value"
        used = {name_of(pod): self._used(pod, resource) for pod in ready}
        if not ready or any(value is None for value in used.values()):
            none = "no metrics returned from resource metrics API" if not ready else "did not receive metrics"
            raise NoMetric(f"failed to get {what}: unable to get metrics for resource {resource}: {none}")
        total = sum(value for value in used.values() if value is not None)
        if not by_percent:
            wanted = units(resource, target["averageValue"])
            return _proposal(
                resource,
                total / len(ready) / wanted,
                current,
                len(ready),
                {"averageValue": total // len(ready)},
            )
        asked = _requested(pods, resource)
        percent = 100 * total // asked
        name = f"{resource} resource utilization (percentage of request)"
        now = {"averageUtilization": percent, "averageValue": _amount(resource, total // len(ready))}
        ratio = percent / target["averageUtilization"]
        return _Proposal(_scaled(ratio, current, len(ready)), name, {"name": resource, "current": now})

    def _used(self, pod: Obj, resource: str) -> int | None:
        usage = self._source.usage(namespace_of(pod), name_of(pod))
        if not usage:
            return None
        total = sum(usage.values(), Usage(0, 0))
        return total.cpu_millis if resource == "cpu" else total.memory_bytes

    # --- scaling

    def _resize(self, autoscaler: Obj, target: Obj, current: int, proposal: _Proposal) -> None:
        low, high = autoscaler["spec"].get("minReplicas", 1), autoscaler["spec"]["maxReplicas"]
        steady = self._steadied(key_of(autoscaler), current, proposal.replicas)
        wanted = max(low, min(steady, high, max(2 * current, 4)))
        conditions = [
            _able(wanted, current),
            _condition("ScalingActive", "True", "ValidMetricFound", _found_text(proposal.name)),
            _limited(steady, low, high),
        ]
        if wanted != current:
            self._scale(autoscaler, target, wanted, proposal, grows=wanted > current)
        status = {"currentReplicas": current, "desiredReplicas": wanted}
        status["currentMetrics"] = [{"type": "Resource", "resource": proposal.current}]
        if wanted != current:
            status["lastScaleTime"] = self._clock.stamp()
        self._write(autoscaler, status, conditions)

    def _steadied(self, key: Key, current: int, proposed: int) -> int:
        """Shrinks only to the highest size recommended lately."""
        now = self._clock.time()
        known = self._advice.get(key) or [(now, current)]
        recent = [(at, size) for at, size in known if now - at <= DOWNSCALE_WINDOW_S]
        self._advice[key] = [*recent, (now, proposed)]
        highest = max(size for _, size in self._advice[key])
        return proposed if proposed >= current else max(proposed, min(current, max(highest, proposed)))

    def _scale(self, autoscaler: Obj, target: Obj, wanted: int, proposal: _Proposal, *, grows: bool) -> None:
        kind = kind_of(target["kind"])
        self._store.modify(
            kind, *key_of(target), lambda obj: {**obj, "spec": {**obj["spec"], "replicas": wanted}}
        )
        why = f"{proposal.name} above target" if grows else "All metrics below target"
        self._events.normal(autoscaler, "SuccessfulRescale", f"New size: {wanted}; reason: {why}")

    def _write(self, autoscaler: Obj, status: Obj, conditions: list[Obj]) -> None:
        before = autoscaler.get("status") or {}
        merged = [c for c in before.get("conditions") or () if c["type"] in {n["type"] for n in conditions}]
        for new in conditions:
            merged = merged_condition(merged, {**new, "lastTransitionTime": self._clock.stamp()})
        merged.sort(key=lambda c: CONDITION_ORDER.index(c["type"]))
        kept = without_empty({"lastScaleTime": before.get("lastScaleTime")})
        new_status = {
            "currentReplicas": before.get("currentReplicas", 0),
            "desiredReplicas": 0,
            **kept,
            **status,
        }
        new_status["conditions"] = merged
        if new_status != before:
            self._store.update(AUTOSCALER, with_status(autoscaler, new_status), subresource="status")


def metrics_of(autoscaler: Obj) -> list[Obj]:
    """The Resource metrics of the spec, in version 2's shape; 80 % cpu when none is given."""
    spec = autoscaler["spec"]
    given = spec.get("metrics")
    if given is None:
        percent = spec.get("targetCPUUtilizationPercentage", 80)
        target = {"type": "Utilization", "averageUtilization": percent}
        return [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return [metric for metric in given if metric["type"] == "Resource"]


def _proposal(resource: str, ratio: float, current: int, ready: int, now: Obj) -> _Proposal:
    now = {"averageValue": _amount(resource, now["averageValue"])}
    return _Proposal(
        _scaled(ratio, current, ready), f"{resource} resource", {"name": resource, "current": now}
    )


def _scaled(ratio: float, current: int, ready: int) -> int:
    """The size that would bring the ratio to 1; the present one when it is close enough."""
    return current if abs(ratio - 1) <= TOLERANCE else max(1, int(-(-ratio * ready // 1)))


def _requested(pods: list[Obj], resource: str) -> int:
    """What ready pods ask for altogether; raises NoMetric when a container asks for nothing."""
    total = 0
    for pod in pods:
        for container in pod["spec"]["containers"]:
            value = requests(container).get(resource)
            if not value:
                raise NoMetric(f"failed to get {resource} utilization: missing request for {resource}")
            total += value if is_ready(pod) else 0
    return total


def _amount(resource: str, value: int) -> str:
    return f"{value}m" if resource == "cpu" else str(value)


def _able(wanted: int, current: int) -> Obj:
    if wanted == current:
        return _condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
    text = f"the HPA controller was able to update the target scale to {wanted}"
    return _condition("AbleToScale", "True", "SucceededRescale", text)


def _limited(steady: int, low: int, high: int) -> Obj:
    if steady > high:
        text = "the desired replica count is more than the maximum replica count"
        return _condition("ScalingLimited", "True", "TooManyReplicas", text)
    if steady < low:
        text = "the desired replica count is less than the minimum replica count"
        return _condition("ScalingLimited", "True", "TooFewReplicas", text)
    return _condition(
        "ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"
    )


def _found_text(name: str) -> str:
    return f"the HPA was able to successfully calculate a replica count from {name}"


def _condition(kind: str, status: str, reason: str, message: str) -> Obj:
    return {"type": kind, "status": status, "reason": reason, "message": message}
