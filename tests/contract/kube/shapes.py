"""Objects for the contract suite, in as few words as possible."""

from tests.contract.kube.kube_client import Obj


def container(image: str = "shop/app:1", **more: object) -> Obj:
    return {"name": "app", "image": image, **more}


def template(app: str, box: Obj | None = None, notes: dict[str, str] | None = None, **spec: object) -> Obj:
    """A pod template with one container; `notes` are sandbox annotations."""
    annotations = {f"sandbox/{key}": value for key, value in (notes or {}).items()}
    meta = {"labels": {"app": app}, "annotations": annotations}
    return {"metadata": meta, "spec": {"containers": [box or container()], **spec}}


def pod(name: str, box: Obj | None = None, notes: dict[str, str] | None = None, **spec: object) -> Obj:
    body = template(name, box, notes, **spec)
    return {"kind": "Pod", "metadata": {**body["metadata"], "name": name}, "spec": body["spec"]}


def workload(kind: str, name: str, body: Obj | None = None, **spec: object) -> Obj:
    whole: Obj = {"template": body or template(name), **spec}
    if kind != "Job":
        whole["selector"] = {"matchLabels": {"app": name}}
    return {"kind": kind, "metadata": {"name": name}, "spec": whole}


def deployment(name: str = "web", replicas: int = 2, body: Obj | None = None, **spec: object) -> Obj:
    return workload("Deployment", name, body, replicas=replicas, **spec)


def service(name: str, app: str, target: object = 8080) -> Obj:
    spec = {"selector": {"app": app}, "ports": [{"port": 80, "targetPort": target}]}
    return {"kind": "Service", "metadata": {"name": name}, "spec": spec}


def claim(name: str, class_name: str | None, size: str = "1Gi") -> Obj:
    spec: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    if class_name is not None:
        spec["storageClassName"] = class_name
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def mounts(claim_name: str) -> list[Obj]:
    return [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}]


def image_patch(image: str) -> Obj:
    return {"spec": {"template": {"spec": {"containers": [container(image)]}}}}


def status_of(pod_: Obj) -> Obj:
    """The status of the first container; empty while there is none."""
    statuses = (pod_.get("status") or {}).get("containerStatuses") or [{}]
    return dict(statuses[0])


def waiting(pod_: Obj) -> str:
    return str(((status_of(pod_).get("state") or {}).get("waiting") or {}).get("reason", ""))
