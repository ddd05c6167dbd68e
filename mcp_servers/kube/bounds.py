"""What holds a workload's pod count within bounds: its autoscaler and its disruption budgets."""

from collections.abc import Iterator, Mapping

from domain.alert import Target
from domain.cluster import AutoscalerState, DisruptionBudget
from domain.errors import LoopError
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.matching import selects

SAID_WHEN_TRUE = ("ScalingLimited",)  # the other conditions tell of trouble when they are False
SAID_WHEN_FALSE = ("AbleToScale", "ScalingActive")


async def autoscaler_of(api: ClusterApi, workload: Target) -> AutoscalerState | None:
    """The autoscaler that names the workload; None without one, or where they may not be read."""
    try:
        listing = await api.list("HorizontalPodAutoscaler", workload.namespace)
    except LoopError:
        return None
    found = (scaler for scaler in listing.items if _scales(scaler, workload))
    return next(map(autoscaler_state, found), None)


async def budgets_of(
    api: ClusterApi, namespace: str, labels: Mapping[str, str]
) -> tuple[DisruptionBudget, ...]:
    """The budgets that cover pods with these labels; none where they may not be read."""
    try:
        listing = await api.list("PodDisruptionBudget", namespace)
    except LoopError:
        return ()
    return tuple(
        map(
            budget_state,
            (found for found in listing.items if selects(found.part("spec", "selector"), labels)),
        )
    )


def autoscaler_state(scaler: Doc) -> AutoscalerState:
    """The facts of one autoscaler."""
    least = scaler.maybe_number("spec", "minReplicas")
    return AutoscalerState(
        target=scaler.target,
        min_count=1 if least is None else least,
        max_count=scaler.number("spec", "maxReplicas"),
        current_count=scaler.number("status", "currentReplicas"),
        desired_count=scaler.number("status", "desiredReplicas"),
        metrics=tuple(_metrics(scaler)),
        trouble="; ".join(_trouble(scaler)),
    )


def budget_state(budget: Doc) -> DisruptionBudget:
    """The facts of one budget."""
    sides = (side for side in ("minAvailable", "maxUnavailable") if budget.text("spec", side))
    rule = next((f"{side} {budget.text('spec', side)}" for side in sides), "")
    return DisruptionBudget(
        target=budget.target,
        rule=rule,
        allowed_count=budget.number("status", "disruptionsAllowed"),
        healthy_count=budget.number("status", "currentHealthy"),
        desired_healthy_count=budget.number("status", "desiredHealthy"),
    )


def _scales(scaler: Doc, workload: Target) -> bool:
    reference = scaler.part("spec", "scaleTargetRef")
    return (reference.text("kind"), reference.text("name")) == (workload.kind, workload.name)


def _metrics(scaler: Doc) -> Iterator[str]:
    """`cpu: 80% of requests, now 95%` for each metric, in the order of the spec."""
    now = {_metric_name(metric): metric for metric in scaler.parts("status", "currentMetrics")}
    for metric in scaler.parts("spec", "metrics"):
        name = _metric_name(metric)
        current = _amount(now.get(name, Doc({})), "current")
        yield f"{name}: {_amount(metric, 'target') or 'no target'}, now {current or 'unknown'}"


def _metric_name(metric: Doc) -> str:
    part = _source(metric)
    return part.text("name") or part.text("metric", "name") or metric.text("type")


def _source(metric: Doc) -> Doc:
    """The part named after the metric's type, such as `resource` or `containerResource`."""
    kind = metric.text("type")
    return metric.part(kind[:1].lower() + kind[1:])


def _amount(metric: Doc, side: str) -> str:
    part = _source(metric).part(side)
    if share := part.text("averageUtilization"):
        return f"{share}% of requests" if side == "target" else f"{share}%"
    return part.text("averageValue") or part.text("value")


def _trouble(scaler: Doc) -> Iterator[str]:
    for condition in scaler.parts("status", "conditions"):
        kind, status = condition.text("type"), condition.text("status")
        if (kind in SAID_WHEN_FALSE and status == "False") or (kind in SAID_WHEN_TRUE and status == "True"):
            yield f"{condition.text('reason')}: {condition.text('message')}"
