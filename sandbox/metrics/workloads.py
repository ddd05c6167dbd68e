"""Families of Deployments, ReplicaSets, StatefulSets and DaemonSets, as kube-state-metrics names them."""

from collections.abc import Callable, Iterator

from sandbox.amounts import whole
from sandbox.fields import Obj, get_in
from sandbox.metrics.family import Reading, gauge
from sandbox.metrics.objects import ObjectFamily, Words, identity

DEPLOYMENT = Words("kube_deployment", identity("deployment"))
REPLICA_SET = Words("kube_replicaset", identity("replicaset"))
STATEFUL_SET = Words("kube_statefulset", identity("statefulset"))
DAEMON_SET = Words("kube_daemonset", identity("daemonset"))
OBSERVED = "The generation observed by the controller."


def _bound(field: str, *, up: bool) -> Callable[[Obj], Iterator[Reading]]:
    """A bound of the rolling update as a number of pods."""

    def read(deployment: Obj) -> Iterator[Reading]:
        given = get_in(deployment, ("spec", "strategy", "rollingUpdate", field))
        if given is not None:
            replicas = get_in(deployment, ("spec", "replicas"), 1)
            yield Reading(DEPLOYMENT.who(deployment), float(_pods(given, replicas, up=up)))

    return read


def _pods(given: str | int, replicas: int, *, up: bool) -> int:
    if isinstance(given, int):
        return given
    hundredths = whole(given.removesuffix("%")) * replicas
    return -(-hundredths // 100) if up else hundredths // 100


def _revision(suffix: str, field: str, text: str) -> ObjectFamily:
    return STATEFUL_SET.facts(
        f"status_{suffix}_revision", text, lambda obj: {"revision": get_in(obj, ("status", field), "")}
    )


DEPLOYMENT_FAMILIES = (
    DEPLOYMENT.created(),
    DEPLOYMENT.generation(),
    DEPLOYMENT.number("status_observed_generation", OBSERVED, "status", "observedGeneration"),
    DEPLOYMENT.number("spec_replicas", "Number of desired pods for a deployment.", "spec", "replicas"),
    DEPLOYMENT.number("status_replicas", "The number of replicas per deployment.", "status", "replicas"),
    DEPLOYMENT.number(
        "status_replicas_ready", "The number of ready replicas per deployment.", "status", "readyReplicas"
    ),
    DEPLOYMENT.number(
        "status_replicas_available",
        "The number of available replicas per deployment.",
        "status",
        "availableReplicas",
    ),
    DEPLOYMENT.number(
        "status_replicas_unavailable",
        "The number of unavailable replicas per deployment.",
        "status",
        "unavailableReplicas",
    ),
    DEPLOYMENT.number(
        "status_replicas_updated",
        "The number of updated replicas per deployment.",
        "status",
        "updatedReplicas",
    ),
    DEPLOYMENT.number("spec_paused", "Whether the deployment is paused.", "spec", "paused"),
    DEPLOYMENT.conditions("status_condition", "The current status conditions of a deployment."),
    gauge(
        "kube_deployment_spec_strategy_rollingupdate_max_unavailable",
        "Maximum number of unavailable replicas during a rolling update of a deployment.",
        _bound("maxUnavailable", up=False),
    ),
    gauge(
        "kube_deployment_spec_strategy_rollingupdate_max_surge",
        "Maximum number of replicas that can be scheduled above the desired number of replicas "
        "during a rolling update of a deployment.",
        _bound("maxSurge", up=True),
    ),
)

REPLICA_SET_FAMILIES = (
    REPLICA_SET.created(),
    REPLICA_SET.generation(),
    REPLICA_SET.owners(),
    REPLICA_SET.number("spec_replicas", "Number of desired pods for a ReplicaSet.", "spec", "replicas"),
    REPLICA_SET.number("status_replicas", "The number of replicas per ReplicaSet.", "status", "replicas"),
    REPLICA_SET.number(
        "status_ready_replicas", "The number of ready replicas per ReplicaSet.", "status", "readyReplicas"
    ),
    REPLICA_SET.number(
        "status_fully_labeled_replicas",
        "The number of fully labeled replicas per ReplicaSet.",
        "status",
        "fullyLabeledReplicas",
    ),
    REPLICA_SET.number("status_observed_generation", OBSERVED, "status", "observedGeneration"),
)

STATEFUL_SET_FAMILIES = (
    STATEFUL_SET.created(),
    STATEFUL_SET.generation(),
    STATEFUL_SET.number("status_observed_generation", OBSERVED, "status", "observedGeneration"),
    STATEFUL_SET.number("replicas", "Number of desired pods for a StatefulSet.", "spec", "replicas"),
    STATEFUL_SET.number("status_replicas", "The number of replicas per StatefulSet.", "status", "replicas"),
    STATEFUL_SET.number(
        "status_replicas_ready", "The number of ready replicas per StatefulSet.", "status", "readyReplicas"
    ),
    STATEFUL_SET.number(
        "status_replicas_available",
        "The number of available replicas per StatefulSet.",
        "status",
        "availableReplicas",
    ),
    STATEFUL_SET.number(
        "status_replicas_current",
        "The number of current replicas per StatefulSet.",
        "status",
        "currentReplicas",
    ),
    STATEFUL_SET.number(
        "status_replicas_updated",
        "The number of updated replicas per StatefulSet.",
        "status",
        "updatedReplicas",
    ),
    _revision(
        "current", "currentRevision", "Indicates the version of the StatefulSet used to generate Pods."
    ),
    _revision(
        "update", "updateRevision", "Indicates the version of the StatefulSet that Pods are updated to."
    ),
)

DAEMON_SET_FAMILIES = (
    DAEMON_SET.created(),
    DAEMON_SET.generation(),
    DAEMON_SET.number("status_observed_generation", OBSERVED, "status", "observedGeneration"),
    DAEMON_SET.number(
        "status_current_number_scheduled",
        "The number of nodes running at least one daemon pod and are supposed to.",
        "status",
        "currentNumberScheduled",
    ),
    DAEMON_SET.number(
        "status_desired_number_scheduled",
        "The number of nodes that should be running the daemon pod.",
        "status",
        "desiredNumberScheduled",
    ),
    DAEMON_SET.number(
        "status_number_available",
        "The number of nodes that should be running the daemon pod and have one or more of it available",
        "status",
        "numberAvailable",
    ),
    DAEMON_SET.number(
        "status_number_unavailable",
        "The number of nodes that should be running the daemon pod and have none of it available",
        "status",
        "numberUnavailable",
    ),
    DAEMON_SET.number(
        "status_number_misscheduled",
        "The number of nodes running a daemon pod but are not supposed to.",
        "status",
        "numberMisscheduled",
    ),
    DAEMON_SET.number(
        "status_number_ready",
        "The number of nodes that should be running the daemon pod "
        "and have one or more of it running and ready.",
        "status",
        "numberReady",
    ),
    DAEMON_SET.number(
        "status_updated_number_scheduled",
        "The total number of nodes that are running updated daemon pod",
        "status",
        "updatedNumberScheduled",
    ),
)
