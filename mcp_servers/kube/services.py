"""A service held against the pods behind it: what its selector matches, where its ports lead, what is off."""

from collections.abc import Iterator, Mapping, Sequence

from domain.cluster import ServicePort, ServiceState
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.matching import nearly
from utils.words import counted

MAX_ENDPOINTS = 50
MAX_NEAR = 3


def service_state(service: Doc, endpoints: Doc, pods: Sequence[Doc], owners: Sequence[str]) -> ServiceState:
    """The facts of one service; `pods` are all of its namespace, `owners` the owner of each as Kind/name."""
    selector = service.texts("spec", "selector")
    chosen = [(pod, owner) for pod, owner in zip(pods, owners, strict=True) if _matches(selector, pod.labels)]
    ready, unready = _addresses(endpoints, "addresses"), _addresses(endpoints, "notReadyAddresses")
    behind = [pod for pod, _ in chosen]
    return ServiceState(
        target=service.target,
        type=service.text("spec", "type") or "ClusterIP",
        selector=selector,
        ports=tuple(map(_port, service.parts("spec", "ports"))),
        ready_endpoints=tuple(ready[:MAX_ENDPOINTS]),
        unready_endpoints=tuple(unready[:MAX_ENDPOINTS]),
        pods_count=len(chosen),
        owners=tuple(sorted({owner for _, owner in chosen if owner})),
        mismatches=tuple(_mismatches(service, selector, behind, pods, owners, bool(ready))),
    )


def _matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """A service without a selector matches nothing: its endpoints are written by others."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _port(port: Doc) -> ServicePort:
    return ServicePort(
        number=port.number("port"),
        target=port.text("targetPort") or port.text("port"),
        name=port.text("name"),
        protocol=port.text("protocol") or "TCP",
    )


def _addresses(endpoints: Doc, side: str) -> list[str]:
    """`10.0.0.7 (web-1)` for each address, once however many ports it has."""
    found = (address for subset in endpoints.parts("subsets") for address in subset.parts(side))
    said = (f"{address.text('ip')} ({address.text('targetRef', 'name') or '?'})" for address in found)
    return list(dict.fromkeys(said))


def _mismatches(
    service: Doc,
    selector: Mapping[str, str],
    behind: Sequence[Doc],
    pods: Sequence[Doc],
    owners: Sequence[str],
    has_ready: bool,
) -> Iterator[str]:
    if service.text("spec", "type") == "ExternalName" or not selector:
        return
    if not behind:
        yield from _nobody(selector, pods, owners)
        return
    several = {owner for pod, owner in zip(pods, owners, strict=True) if owner and pod in behind}
    if len(several) > 1:
        yield f"the selector matches pods of several workloads: {', '.join(sorted(several))}"
    for port in service.parts("spec", "ports"):
        yield from _port_mismatch(_port(port), behind)
    if not has_ready:
        yield f"none of its {counted(len(behind), 'pod')} is ready"
    if service.text("spec", "internalTrafficPolicy") == "Local":
        yield "internalTrafficPolicy is Local: only pods on the caller's own node are reached"


def _nobody(selector: Mapping[str, str], pods: Sequence[Doc], owners: Sequence[str]) -> Iterator[str]:
    wanted = ", ".join(f"{key}={value}" for key, value in selector.items())
    yield f"the selector {wanted} matches no pod of the namespace"
    near = {
        owner or pod.name: differing
        for pod, owner in zip(pods, owners, strict=True)
        if (differing := nearly(selector, pod.labels))
    }
    yield from (f"near: on {who}, {'; '.join(what)}" for who, what in list(near.items())[:MAX_NEAR])


def _port_mismatch(port: ServicePort, pods: Sequence[Doc]) -> Iterator[str]:
    """What is wrong with a port, held against the ports that the pods declare, where they declare any."""
    declared = {_port_words(found) for pod in pods for found in _container_ports(pod)}
    fitting = [pod for pod in pods if any(_leads_to(port, found) for found in _container_ports(pod))]
    if fitting or (not declared and port.target.isdigit()):
        return
    said = ", ".join(sorted(declared)) or "none"
    where = f"port {port.number} leads to targetPort {port.target}/{port.protocol}"
    yield f"{where}, which no container declares; declared: {said}"


def _container_ports(pod: Doc) -> list[Doc]:
    return [port for container in pod.parts("spec", "containers") for port in container.parts("ports")]


def _leads_to(port: ServicePort, found: Doc) -> bool:
    same = port.target in (found.text("containerPort"), found.text("name"))
    return same and port.protocol == (found.text("protocol") or "TCP")


def _port_words(found: Doc) -> str:
    name = f" ({found.text('name')})" if found.text("name") else ""
    return f"{found.text('containerPort')}/{found.text('protocol') or 'TCP'}{name}"
