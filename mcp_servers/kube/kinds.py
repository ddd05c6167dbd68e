"""Where each kind lives in the Kubernetes API. Kinds that no tool needs are not listed."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind's place: `root` is the path up to the version, `plural` the resource's name.

    `older` are the roots of earlier versions, newest first, for clusters that do not serve `root` yet.
    """

    name: str
    root: str
    plural: str
    namespaced: bool = True
    older: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """The resource as RBAC rules and the API's messages name it, such as `deployments.apps`."""
        group = self.root.split("/")[2] if self.root.startswith("/apis/") else ""
        return f"{self.plural}.{group}" if group else self.plural

    @property
    def api_version(self) -> str:
        """The version as objects carry it, such as `apps/v1`."""
        return self.root.removeprefix("/apis/").removeprefix("/api/")

    def path(self, namespace: str = "", name: str = "", part: str = "") -> str:
        """The URL path of one object, of one namespace's objects, or of all."""
        steps = [self.root]
        if self.namespaced and namespace:
            steps += ["namespaces", quote(namespace, safe="")]
        steps += [self.plural, *(quote(step, safe="") for step in (name, part) if step)]
        return "/".join(steps)


CORE, APPS, METRICS = "/api/v1", "/apis/apps/v1", "/apis/metrics.k8s.io/v1beta1"
BATCH, POLICY, SCALING = "/apis/batch/v1", "/apis/policy/v1", "/apis/autoscaling/v2"
NETWORK = "/apis/networking.k8s.io/v1"

KINDS = {
    kind.name: kind
    for kind in (
        Kind("Deployment", APPS, "deployments"),
        Kind("StatefulSet", APPS, "statefulsets"),
        Kind("DaemonSet", APPS, "daemonsets"),
        Kind("ReplicaSet", APPS, "replicasets"),
        Kind("ControllerRevision", APPS, "controllerrevisions"),
        Kind("Job", BATCH, "jobs"),
        Kind("CronJob", BATCH, "cronjobs", older=("/apis/batch/v1beta1",)),
        Kind("HorizontalPodAutoscaler", SCALING, "horizontalpodautoscalers", older=(f"{SCALING}beta2",)),
        Kind("PodDisruptionBudget", POLICY, "poddisruptionbudgets", older=(f"{POLICY}beta1",)),
        Kind("NetworkPolicy", NETWORK, "networkpolicies"),
        Kind("Ingress", NETWORK, "ingresses"),
        Kind("Pod", CORE, "pods"),
        Kind("Service", CORE, "services"),
        Kind("Endpoints", CORE, "endpoints"),
        Kind("ConfigMap", CORE, "configmaps"),
        Kind("Secret", CORE, "secrets"),
        Kind("ServiceAccount", CORE, "serviceaccounts"),
        Kind("PersistentVolumeClaim", CORE, "persistentvolumeclaims"),
        Kind("ResourceQuota", CORE, "resourcequotas"),
        Kind("LimitRange", CORE, "limitranges"),
        Kind("Event", CORE, "events"),
        Kind("Namespace", CORE, "namespaces", namespaced=False),
        Kind("Node", CORE, "nodes", namespaced=False),
        Kind("PersistentVolume", CORE, "persistentvolumes", namespaced=False),
        Kind("StorageClass", "/apis/storage.k8s.io/v1", "storageclasses", namespaced=False),
        Kind("PriorityClass", "/apis/scheduling.k8s.io/v1", "priorityclasses", namespaced=False),
        Kind("PodMetrics", METRICS, "pods"),
        Kind("NodeMetrics", METRICS, "nodes", namespaced=False),
    )
}
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
