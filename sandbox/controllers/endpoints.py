"""Endpoints and EndpointSlices: which pods stand behind a Service, and which of them are ready."""

from collections.abc import Iterable

from sandbox.clock import SimClock
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import NotFound
from sandbox.fields import Obj, is_deleting, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.selectors import Selector
from sandbox.state import Key, controller_reference, is_finished, is_ready
from sandbox.store import Store
from sandbox.tables import Change

SERVICE = kind_of("Service")
POD = kind_of("Pod")
NODE = kind_of("Node")
ENDPOINTS = kind_of("Endpoints")
SLICE = kind_of("EndpointSlice")
TRIGGERED_AT = "endpoints.kubernetes.io/last-change-trigger-time"
ZONE = "topology.kubernetes.io/zone"
MANAGED = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}


class EndpointsController:
    """Keeps one Endpoints object and one slice for each Service with a selector."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self.queue = WorkQueue(clock, self._sync)
        self._selectors: dict[str, dict[Key, Selector]] = {}
        store.subscribe(SERVICE, self._service_changed)
        store.subscribe(POD, self._pod_changed)

    def _service_changed(self, change: Change) -> None:
        service = change.object
        key = (namespace_of(service), name_of(service))
        known = self._selectors.setdefault(key[0], {})
        known.pop(key, None)
        if change.type != "DELETED" and service["spec"].get("selector"):
            known[key] = Selector.from_labels(service["spec"]["selector"])
        self.queue.add(key)

    def _pod_changed(self, change: Change) -> None:
        old = change.old
        if old is not None and change.type == "MODIFIED" and _matters(old) == _matters(change.object):
            return
        for obj in (change.object, old) if old is not None else (change.object,):
            for key, selector in self._selectors.get(namespace_of(obj), {}).items():
                if selector.matches(labels_of(obj)):
                    self.queue.add(key)

    def _sync(self, key: Key) -> None:
        service = self._store.find(SERVICE, *key)
        if service is None:
            self._remove(key)
        elif key in self._selectors.get(key[0], {}):
            selector = self._selectors[key[0]][key]
            pods = [pod for pod in self._store.list(POD, key[0], labels=selector) if _may_serve(pod)]
            self._write_endpoints(service, pods)
            self._write_slice(service, pods)

    def _remove(self, key: Key) -> None:
        try:
            self._store.delete(ENDPOINTS, *key)
        except NotFound:
            return  # a Service without a selector had none

    def _write_endpoints(self, service: Obj, pods: list[Obj]) -> None:
        subsets = subsets_of(service, pods)
        current = self._store.find(ENDPOINTS, namespace_of(service), name_of(service))
        notes = {TRIGGERED_AT: self._clock.stamp()}
        if current is None:
            data = {"name": name_of(service), "namespace": namespace_of(service), "annotations": notes}
            data["labels"] = dict(labels_of(service))
            self._store.create(ENDPOINTS, {"metadata": data, **({"subsets": subsets} if subsets else {})})
        elif current.get("subsets", []) != subsets:
            body = {k: v for k, v in current.items() if k != "subsets"} | (
                {"subsets": subsets} if subsets else {}
            )
            data = {**meta(current), "annotations": {**(meta(current).get("annotations") or {}), **notes}}
            self._store.update(ENDPOINTS, {**body, "metadata": data})

    def _write_slice(self, service: Obj, pods: list[Obj]) -> None:
        body = {
            "addressType": "IPv4",
            "endpoints": [self._endpoint(service, pod) for pod in pods],
            "ports": _slice_ports(service, pods),
        }
        owned = self._store.owned(SLICE, meta(service)["uid"])
        if owned:
            if any(owned[0].get(field) != value for field, value in body.items()):
                self._store.update(SLICE, {**owned[0], **body})
            return
        data = {
            "generateName": f"{name_of(service)}-",
            "namespace": namespace_of(service),
            "labels": {**MANAGED, "kubernetes.io/service-name": name_of(service)},
            "annotations": {TRIGGERED_AT: self._clock.stamp()},
            "ownerReferences": [controller_reference(service)],
        }
        self._store.create(SLICE, {"metadata": data, **body})

    def _endpoint(self, service: Obj, pod: Obj) -> Obj:
        ready = is_ready(pod) or _publishes_unready(service)
        going = is_deleting(pod)
        conditions = {"ready": ready and not going, "serving": ready, "terminating": going}
        node = self._store.find(NODE, None, pod["spec"]["nodeName"])
        zone = labels_of(node).get(ZONE) if node is not None else None
        endpoint = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": conditions,
            "targetRef": _target(pod),
        }
        endpoint["nodeName"] = pod["spec"]["nodeName"]
        return {**endpoint, "zone": zone} if zone else endpoint


def subsets_of(service: Obj, pods: Iterable[Obj]) -> list[Obj]:
    """Addresses grouped by the ports they really offer: a named target port may differ from pod to pod."""
    groups: dict[str, Obj] = {}
    for pod in pods:
        ports = ports_for(service, pod)
        if is_deleting(pod) or (service["spec"].get("ports") and not ports):
            continue
        group = groups.setdefault(repr(ports), {"addresses": [], "notReadyAddresses": [], "ports": ports})
        ready = is_ready(pod) or _publishes_unready(service)
        group["addresses" if ready else "notReadyAddresses"].append(_address(pod))
    return [{field: value for field, value in group.items() if value} for group in groups.values()]


def ports_for(service: Obj, pod: Obj) -> list[Obj]:
    """The Service's ports as this pod has them; one whose name the pod does not know is left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = target_port(port, pod)
        if number is not None:
            entry = {"port": number, "protocol": port.get("protocol", "TCP")}
            found.append({"name": port["name"], **entry} if port.get("name") else entry)
    return found


def target_port(port: Obj, pod: Obj) -> int | None:
    """The container port a Service's port leads to; None when it names one that the pod does not have."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int) or str(target).isdigit():
        return int(target)
    for container in pod["spec"]["containers"]:
        for offered in container.get("ports") or ():
            if offered.get("name") == target:
                return int(offered["containerPort"])
    return None


def _slice_ports(service: Obj, pods: list[Obj]) -> list[Obj]:
    ports = ports_for(service, pods[0]) if pods else []
    return [{"name": "", **port} for port in ports]


def _address(pod: Obj) -> Obj:
    address: Obj = {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": _target(pod),
    }
    return {**address, "hostname": pod["spec"]["hostname"]} if pod["spec"].get("subdomain") else address


def _target(pod: Obj) -> Obj:
    return {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": meta(pod)["uid"]}


def _publishes_unready(service: Obj) -> bool:
    return bool(service["spec"].get("publishNotReadyAddresses"))


def _may_serve(pod: Obj) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and not is_finished(pod)


def _matters(pod: Obj) -> tuple[object, ...]:
    status = pod.get("status") or {}
    return labels_of(pod), status.get("podIP"), status.get("phase"), is_ready(pod), is_deleting(pod)
