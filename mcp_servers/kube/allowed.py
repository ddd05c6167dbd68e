"""What the general changing tools may touch: kinds and paths. Everything else has a tool of its own, or none.

Left out on purpose: workloads' creation and deletion, namespaces, volumes, custom resource definitions,
roles, Secrets, and every field that gives a pod rights on its node.
"""

from collections.abc import Iterable, Mapping, Sequence

from domain.errors import BadInput
from mcp_servers.kube.json_patch import steps
from mcp_servers.kube.secrecy import HIDDEN
from utils.redact import MASK

POD = "/spec/template/spec"
OF_CONTAINERS = ("command", "args", "livenessProbe", "readinessProbe", "startupProbe", "ports", "lifecycle")
OF_PODS = (
    *(f"{POD}/containers/*/{part}" for part in OF_CONTAINERS),
    *(f"{POD}/initContainers/*/{part}" for part in ("command", "args", "image")),
    f"{POD}/volumes/*/persistentVolumeClaim",
    f"{POD}/volumes/*/configMap",
    f"{POD}/volumes/*/secret/secretName",
    f"{POD}/imagePullSecrets",
    f"{POD}/nodeSelector",
    f"{POD}/affinity",
    f"{POD}/tolerations",
    f"{POD}/topologySpreadConstraints",
    f"{POD}/terminationGracePeriodSeconds",
    f"{POD}/dnsPolicy",
    f"{POD}/dnsConfig",
    f"{POD}/priorityClassName",
)
PATCHABLE: Mapping[str, tuple[str, ...]] = {
    "Deployment": (
        *OF_PODS, "/spec/strategy", "/spec/paused", "/spec/minReadySeconds", "/spec/progressDeadlineSeconds",
    ),
    "StatefulSet": (*OF_PODS, "/spec/updateStrategy", "/spec/minReadySeconds"),
    "DaemonSet": (*OF_PODS, "/spec/updateStrategy", "/spec/minReadySeconds"),
    "Service": (
        "/spec/selector", "/spec/ports", "/spec/sessionAffinity", "/spec/internalTrafficPolicy",
        "/spec/publishNotReadyAddresses",
    ),
    "Ingress": ("/spec/rules", "/spec/defaultBackend", "/spec/ingressClassName"),
    "NetworkPolicy": ("/spec/podSelector", "/spec/ingress", "/spec/egress", "/spec/policyTypes"),
    "PodDisruptionBudget": ("/spec/minAvailable", "/spec/maxUnavailable"),
    "HorizontalPodAutoscaler": ("/spec/metrics", "/spec/behavior"),
    "ResourceQuota": ("/spec/hard",),
    "LimitRange": ("/spec/limits",),
    "CronJob": ("/spec/schedule", "/spec/concurrencyPolicy", "/spec/startingDeadlineSeconds"),
    "Job": ("/spec/parallelism", "/spec/activeDeadlineSeconds"),
}  # fmt: skip
DELETABLE = (
    "ConfigMap", "Service", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler",
    "ResourceQuota", "LimitRange",
)  # fmt: skip
CREATABLE = (*DELETABLE, "PersistentVolumeClaim", "ServiceAccount")
RESTORABLE = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", *DELETABLE)


def check_kind(kind: str, among: Iterable[str], doing: str) -> None:
    """Raises BadInput naming the kinds that may be treated so."""
    if kind not in among:
        raise BadInput(f"{kind} may not be {doing} here; may be: {', '.join(among)}.", field="kind")


def check_paths(kind: str, paths: Iterable[str]) -> None:
    """Raises BadInput naming the paths of the kind that may be patched."""
    for path in paths:
        if not any(_covers(steps(pattern), steps(path)) for pattern in PATCHABLE[kind]):
            may_be = ", ".join(PATCHABLE[kind])
            raise BadInput(f"{path} of a {kind} may not be patched; may be: {may_be}.", field="path")


def check_unmasked(value: object, field: str) -> None:
    """Raises BadInput when a value was taken from an answer in which it had been masked."""
    if isinstance(value, Mapping):
        for part in value.values():
            check_unmasked(part, field)
    elif isinstance(value, list | tuple):
        for part in value:
            check_unmasked(part, field)
    elif isinstance(value, str) and (HIDDEN in value or MASK in value):
        raise BadInput(f"{field} holds a masked value, {value[:60]!r}; give the real one.", field=field)


def _covers(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a path is at or below a pattern, in which `*` stands for one step."""
    return len(path) >= len(pattern) and all(
        wanted in ("*", step) for wanted, step in zip(pattern, path, strict=False)
    )
