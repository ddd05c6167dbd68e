"""Where each kind lives in the Kubernetes API. Kinds that no tool needs are not listed."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind's place: `root` is the path up to the version, `plural` the resource's name."""

    name: str
    root: str
    plural: str
    namespaced: bool = True

    @property
    def resource(self) -> str:
        """The resource as RBAC rules and the API's messages name it, such as `deployments.apps`."""
        group = self.root.split("/")[2] if self.root.startswith("/apis/") else ""
        return f"{self.plural}.{group}" if group else self.plural

    def path(self, namespace: str = "", name: str = "", part: str = "") -> str:
        """The URL path of one object, of one namespace's objects, or of all."""
        steps = [self.root]
        if self.namespaced and namespace:
            steps += ["namespaces", quote(namespace, safe="")]
        steps += [self.plural, *(quote(step, safe="") for step in (name, part) if step)]
        return "/".join(steps)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("Deployment", "/apis/apps/v1", "deployments"),
        Kind("StatefulSet", "/apis/apps/v1", "statefulsets"),
        Kind("DaemonSet", "/apis/apps/v1", "daemonsets"),
        Kind("ReplicaSet", "/apis/apps/v1", "replicasets"),
        Kind("ControllerRevision", "/apis/apps/v1", "controllerrevisions"),
        Kind("Job", "/apis/batch/v1", "jobs"),
        Kind("Pod", "/api/v1", "pods"),
        Kind("Event", "/api/v1", "events"),
        Kind("Namespace", "/api/v1", "namespaces", namespaced=False),
        Kind("Node", "/api/v1", "nodes", namespaced=False),
    )
}
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
