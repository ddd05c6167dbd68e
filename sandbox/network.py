"""Requests between pods: name, Service, policy, endpoint, program. Says how a request would end.

The words of failures are those a Go program logs, because most programs in a cluster speak alike.
"""

from dataclasses import dataclass

from sandbox.controllers.endpoints import target_port
from sandbox.fields import Obj, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.kubelet.answers import serves
from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.fleet import Fleet
from sandbox.kubelet.pod import PodRun
from sandbox.policies import Party, Port, blocking_policy, party_of
from sandbox.store import Store

SERVICE = kind_of("Service")
ENDPOINTS = kind_of("Endpoints")
POD = kind_of("Pod")
DNS_IP = "10.96.0.10"
DNS_SERVICE = ("kube-system", "kube-dns")
DNS = Party(namespace="kube-system", labels={"k8s-app": "kube-dns"}, ip=DNS_IP)
DOMAIN = ".svc.cluster.local"
NETWORK_S = 0.001  # a round trip within the cluster
GIVE_UP_S = 5.0  # how long a caller waits for a connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a request ended: `error` is empty when it went well; `run` is the pod that answered."""

    took_s: float
    error: str = ""
    run: PodRun | None = None


class Network:
    """The cluster's network as a caller meets it."""

    def __init__(self, store: Store, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet

    def request(self, caller: PodRun, host: str, port: int, *, turn: int = 0) -> Answer:
        """One request from a pod to `host:port`; `turn` chooses among the endpoints."""
        if unresolved := self._resolve_error(caller, host):
            return Answer(took_s=GIVE_UP_S if "timeout" in unresolved else NETWORK_S, error=unresolved)
        service = self.service(namespace_of(caller.pod), host)
        if service is None:
            return Answer(took_s=NETWORK_S)  # a name outside the cluster: its owner's affair
        return self._to_service(caller, service, port, turn)

    def service(self, namespace: str, host: str) -> Obj | None:
        """The Service that a name such as `db`, `db.data` or `db.data.svc` means in a namespace."""
        parts = host.removesuffix(".").removesuffix(DOMAIN).removesuffix(".svc").split(".")
        if len(parts) > 2:
            return None
        return self._store.find(SERVICE, parts[1] if len(parts) == 2 else namespace, parts[0])

    # --- names

    def _resolve_error(self, caller: PodRun, host: str) -> str:
        if self._dns_is_silent(caller):
            back = f"{caller.ip}:{40000 + caller.host.clock.random.randrange(20000)}"
            return f"dial tcp: lookup {host} on {DNS_IP}:53: read udp {back}->{DNS_IP}:53: i/o timeout"
        inside = host.endswith((DOMAIN, ".svc")) or host.count(".") < 2
        if inside and self.service(namespace_of(caller.pod), host) is None:
            return f"dial tcp: lookup {host} on {DNS_IP}:53: no such host"
        return ""

    def _dns_is_silent(self, caller: PodRun) -> bool:
        """A cluster whose DNS is a workload loses it with its pods; policies may cut a pod off from it."""
        endpoints = self._store.find(ENDPOINTS, *DNS_SERVICE)
        if endpoints is not None and not _addresses(endpoints):
            return True
        query = Port(number=53, protocol="UDP", name="dns")
        return bool(blocking_policy(self._store, party_of(caller.pod), DNS, query))

    # --- connections

    def _to_service(self, caller: PodRun, service: Obj, port: int, turn: int) -> Answer:
        address = service["spec"].get("clusterIP") or name_of(service)
        entry = next((p for p in service["spec"].get("ports") or () if p["port"] == port), None)
        if entry is None:
            return _timeout(address, port)
        endpoints = self._store.find(ENDPOINTS, namespace_of(service), name_of(service))
        names = _addresses(endpoints) if endpoints is not None else []
        if not names:
            return _refused(address, port)
        run = self._fleet.run_of(namespace_of(service), names[turn % len(names)])
        if run is None or not run.host.reachable:
            return _timeout(address, port)
        return self._to_pod(caller, run, entry, f"{address}:{port}")

    def _to_pod(self, caller: PodRun, run: PodRun, entry: Obj, shown: str) -> Answer:
        address, _, port = shown.rpartition(":")
        number = target_port(entry, run.pod)
        if number is None:
            return _refused(address, int(port))
        arriving = Port(number=number, name=_port_name(run.pod, number))
        if blocking_policy(self._store, party_of(caller.pod), party_of(run.pod), arriving):
            return _timeout(address, int(port))
        container = listening(run, number)
        if container is None:
            return _refused(address, int(port))
        took_s = NETWORK_S + container.program.answer_s()
        return Answer(took_s=took_s, error="" if serves(container) else "503 Service Unavailable", run=run)


def listening(run: PodRun, port: int) -> ContainerRun | None:
    """The running container whose program listens on the port."""
    running = (c for c in run.everything if c.running)
    return next((c for c in running if c.program.listens_on(port)), None)


def _addresses(endpoints: Obj) -> list[str]:
    """Names of the pods behind ready addresses."""
    subsets = endpoints.get("subsets") or ()
    return [a["targetRef"]["name"] for s in subsets for a in s.get("addresses") or () if "targetRef" in a]


def _port_name(pod: Obj, number: int) -> str:
    ports = (port for c in pod["spec"]["containers"] for port in c.get("ports") or ())
    return next((port.get("name", "") for port in ports if port["containerPort"] == number), "")


def _refused(address: str, port: int) -> Answer:
    return Answer(took_s=NETWORK_S, error=f"dial tcp {address}:{port}: connect: connection refused")


def _timeout(address: str, port: int) -> Answer:
    return Answer(took_s=GIVE_UP_S, error=f"dial tcp {address}:{port}: i/o timeout")
