"""A cluster for tests: short waits, and the questions tests ask of it."""

from sandbox.cluster import Cluster
from sandbox.fields import Obj, labels_of, with_in
from sandbox.kinds import kind_of
from sandbox.kubelet.node_report import Machine
from sandbox.kubelet.timings import Timings
from sandbox.logs import LogOptions
from sandbox.state import condition


class World(Cluster):
    """A cluster that can be asked in a few words."""

    def __init__(
        self, nodes: int = 3, *, timings: Timings | None = None, machine: Machine | None = None
    ) -> None:
        super().__init__(nodes, timings=timings or Timings.brisk(), machine=machine)

    def get(self, kind: str, name: str, namespace: str = "default") -> Obj:
        return self.store.get(kind_of(kind), namespace if kind_of(kind).namespaced else None, name)

    def find(self, kind: str, name: str, namespace: str = "default") -> Obj | None:
        return self.store.find(kind_of(kind), namespace if kind_of(kind).namespaced else None, name)

    def all(self, kind: str, **labels: str) -> list[Obj]:
        found = self.store.list(kind_of(kind))
        return [obj for obj in found if labels.items() <= labels_of(obj).items()]

    def pods(self, **labels: str) -> list[Obj]:
        return self.all("Pod", **labels)

    def change(self, kind: str, name: str, path: str, value: object, namespace: str = "default") -> None:
        """Sets one field, given by its dotted path."""
        scope = namespace if kind_of(kind).namespaced else None
        self.store.modify(kind_of(kind), scope, name, lambda obj: with_in(obj, path.split("."), value))

    def annotate(self, kind: str, name: str, key: str, value: str | None) -> None:
        scope = "default" if kind_of(kind).namespaced else None

        def annotated(obj: Obj) -> Obj:
            notes = {k: v for k, v in (obj["metadata"].get("annotations") or {}).items() if k != key}
            return with_in(
                obj, ["metadata", "annotations"], notes if value is None else {**notes, key: value}
            )

        self.store.modify(kind_of(kind), scope, name, annotated)

    def delete(
        self, kind: str, name: str, namespace: str = "default", propagation: str | None = None
    ) -> None:
        scope = namespace if kind_of(kind).namespaced else None
        self.store.delete(kind_of(kind), scope, name, propagation=propagation)

    def events(self, name: str = "", reason: str = "") -> list[Obj]:
        """Events about objects whose name begins with `name`, oldest change first."""
        found = [e for e in self.all("Event") if e["involvedObject"]["name"].startswith(name)]
        chosen = [e for e in found if not reason or e["reason"] == reason]
        return sorted(chosen, key=lambda e: int(e["metadata"]["resourceVersion"]))

    def messages(self, name: str = "", reason: str = "") -> list[str]:
        return [event["message"] for event in self.events(name, reason)]

    def reason_of(self, kind: str, name: str, condition_type: str) -> str:
        found = condition(self.get(kind, name), condition_type)
        return f"{found['status']} {found.get('reason', '')}".strip() if found else ""

    def log(self, pod: Obj, container: str = "app", *, previous: bool = False) -> list[str]:
        meta = pod["metadata"]
        options = LogOptions(previous=previous)
        return self.fleet.read(meta["namespace"], meta["name"], container, options).splitlines()


def container_state(pod: Obj, name: str = "app", field: str = "containerStatuses") -> Obj:
    """The status of one container."""
    found: Obj = next(c for c in pod["status"][field] if c["name"] == name)
    return found


def waiting_reason(pod: Obj, name: str = "app") -> str:
    return str(container_state(pod, name)["state"].get("waiting", {}).get("reason", ""))


def pod_template(*, notes: dict[str, str] | None = None, image: str = "shop/app:1", **spec: object) -> Obj:
    """A template with one container `app`; `spec` may replace its containers."""
    containers = [{"name": "app", "image": image}]
    annotations = {f"sandbox/{key}": value for key, value in (notes or {}).items()}
    return {
        "metadata": {"labels": {}, "annotations": annotations},
        "spec": {"containers": containers, **spec},
    }


def labelled(template: Obj, app: str) -> Obj:
    return with_in(template, ["metadata", "labels"], {"app": app})


def deployment(name: str, replicas: int = 2, template: Obj | None = None, **spec: object) -> Obj:
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}}
    body["template"] = labelled(template or pod_template(), name)
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {**body, **spec}}


def pod(name: str, template: Obj | None = None) -> Obj:
    body = template or pod_template()
    meta = {**body["metadata"], "name": name, "namespace": "default", "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body["spec"]}
