"""Cluster IPs and node ports of services: given out at random, never twice."""

from ipaddress import IPv4Address, IPv4Network

from sandbox.admission.causes import Causes, Shown
from sandbox.errors import Invalid
from sandbox.fields import Obj, name_of, uid_of
from sandbox.kinds import kind_of
from sandbox.store import Store

CLUSTER_NETWORK = IPv4Network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)
FIRST_FREE = 256  # low addresses are kept for services that choose one, as real servers do
EXPOSED = ("NodePort", "LoadBalancer")


class ServiceAddresses:
    """Allocation by looking at what is in use: no second book that could be wrong."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kind = kind_of("Service")

    def assigned(self, service: Obj) -> Obj:
        """The service with the addresses it needs; raises Invalid for one it cannot have."""
        causes = Causes()
        spec = self._with_cluster_ip(service, causes)
        spec = self._with_node_ports(service, spec, causes)
        if causes.found:
            raise Invalid.because(self._kind, name_of(service), causes.found)
        return {**service, "spec": spec}

    def _with_cluster_ip(self, service: Obj, causes: Causes) -> Obj:
        spec: Obj = service["spec"]
        if spec["type"] == "ExternalName":
            return {key: value for key, value in spec.items() if key not in ("clusterIP", "clusterIPs")}
        wanted = spec.get("clusterIP")
        if wanted == "None":
            return {**spec, "clusterIPs": ["None"]}
        taken = {other["spec"].get("clusterIP") for other in self._others(service)}
        if not wanted:
            wanted = self._free_ip(taken)
        elif why := _ip_fault(wanted, taken):
            field = Shown(f'[]string{{"{wanted}"}}')
            causes.invalid("spec.clusterIPs", field, f"failed to allocate IP {wanted}: {why}")
        return {**spec, "clusterIP": wanted, "clusterIPs": [wanted]}

    def _with_node_ports(self, service: Obj, spec: Obj, causes: Causes) -> Obj:
        if spec["type"] not in EXPOSED:
            ports = [
                {key: port[key] for key in port if key != "nodePort"} for port in spec.get("ports") or ()
            ]
            return {**spec, "ports": ports} if ports else spec
        taken = {
            port.get("nodePort")
            for other in self._others(service)
            for port in other["spec"].get("ports") or ()
        }
        ports = []
        for number, port in enumerate(spec.get("ports") or ()):
            wanted = port.get("nodePort") or self._free_port(taken)
            if why := _port_fault(wanted, taken):
                causes.invalid(f"spec.ports[{number}].nodePort", wanted, why)
            taken.add(wanted)
            ports.append({**port, "nodePort": wanted})
        return {**spec, "ports": ports}

    def _others(self, service: Obj) -> list[Obj]:
        return [other for other in self._store.list(self._kind) if uid_of(other) != uid_of(service)]

    def _free_ip(self, taken: set[str | None]) -> str:
        while True:
            offset = self._store.clock.random.randrange(FIRST_FREE, CLUSTER_NETWORK.num_addresses - 1)
            address = str(CLUSTER_NETWORK[offset])
            if address not in taken:
                return address

    def _free_port(self, taken: set[int | None]) -> int:
        free = [port for port in NODE_PORTS if port not in taken]
        return self._store.clock.random.choice(free) if free else 0


def keep_addresses(service: Obj, old: Obj) -> Obj:
    """An update that does not mention addresses keeps those that the service has."""
    spec, before = dict(service.get("spec") or {}), old["spec"]
    if spec.get("type", "ClusterIP") != "ExternalName" and before.get("clusterIP"):
        for field in ("clusterIP", "clusterIPs"):
            if not spec.get(field):
                spec[field] = before[field]
    if spec.get("type") in EXPOSED:
        known = {(port.get("name"), port["port"]): port.get("nodePort") for port in before.get("ports") or ()}
        spec["ports"] = [_with_known(port, known) for port in spec.get("ports") or ()]
    return {**service, "spec": spec}


def _with_known(port: Obj, known: dict[tuple[str | None, int], int | None]) -> Obj:
    number = known.get((port.get("name"), port["port"]))
    return {**port, "nodePort": number} if number and not port.get("nodePort") else port


def _ip_fault(text: str, taken: set[str | None]) -> str | None:
    try:
        inside = IPv4Address(text) in CLUSTER_NETWORK
    except ValueError:
        return "not a valid IP address"
    if not inside:
        return f"provided IP is not in the valid range. The range of valid IPs is {CLUSTER_NETWORK}"
    return "provided IP is already allocated" if text in taken else None


def _port_fault(port: int, taken: set[int | None]) -> str | None:
    if port not in NODE_PORTS:
        bounds = f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
        return f"provided port is not in the valid range. The range of valid ports is {bounds}"
    return "provided port is already allocated" if port in taken else None
