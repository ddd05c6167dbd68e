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
from sandbox.network.dns import Destination, follow, locate, ready_pods, resolves
from sandbox.network.links import certificate_problem, delay_s, is_lost
from sandbox.network.policies import Party, Port, blocking_policy, party_of
from sandbox.store import Store

SERVICE = kind_of("Service")
DNS_IP = "10.96.0.10"
DNS_SERVICE = ("kube-system", "kube-dns")
DNS = Party(namespace="kube-system", labels={"k8s-app": "kube-dns"}, ip=DNS_IP)
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
        namespace = namespace_of(caller.pod)
        if self._dns_is_silent(caller):
            back = f"{caller.ip}:{40000 + caller.host.clock.random.randrange(20000)}"
            why = f"read udp {back}->{DNS_IP}:53: i/o timeout"
            return Answer(took_s=GIVE_UP_S, error=f"dial tcp: lookup {host} on {DNS_IP}:53: {why}")
        name = follow(self._store, namespace, host)
        if not resolves(self._store, namespace, name):
            return Answer(took_s=NETWORK_S, error=f"dial tcp: lookup {name} on {DNS_IP}:53: no such host")
        found = locate(self._store, namespace, name)
        if found is None:
            return Answer(took_s=NETWORK_S)  # outside the cluster: its owner's affair
        answer = self._to_service(caller, found, port, turn)
        if answer.run is not None and is_lost(caller, answer.run, host):
            return _timeout(f"{answer.run.ip}:{port}")
        return answer

    def service(self, namespace: str, host: str) -> Obj | None:
        """The Service that a name means in a namespace; None for a name outside the cluster."""
        found = locate(self._store, namespace, follow(self._store, namespace, host))
        return found.service if found is not None else None

    def _dns_is_silent(self, caller: PodRun) -> bool:
        """A cluster whose DNS is a workload loses it with its pods; policies may cut a pod off from it."""
        service = self._store.find(SERVICE, *DNS_SERVICE)
        if service is not None and not ready_pods(self._store, service):
            return True
        query = Port(number=53, protocol="UDP", name="dns")
        return bool(blocking_policy(self._store, party_of(caller.pod), DNS, query))

    def _to_service(self, caller: PodRun, found: Destination, port: int, turn: int) -> Answer:
        service = found.service
        names = [found.pod] if found.pod else ready_pods(self._store, service)
        run = self._fleet.run_of(namespace_of(service), names[turn % len(names)]) if names else None
        if found.is_headless and run is not None:
            return self._to_pod(
                caller, run, port, f"{run.ip}:{port}"
            )  # the client connects to the pod itself
        shown = f"{service['spec'].get('clusterIP') or name_of(service)}:{port}"
        entry = next((p for p in service["spec"].get("ports") or () if p["port"] == port), None)
        if entry is None:
            return _timeout(shown)
        if not names:
            return _refused(shown)
        number = target_port(entry, run.pod) if run is not None else None
        return _timeout(shown) if run is None else self._to_pod(caller, run, number or 0, shown)

    def _to_pod(self, caller: PodRun, run: PodRun, number: int, shown: str) -> Answer:
        arriving = Port(number=number, name=_port_name(run.pod, number))
        blocked = blocking_policy(self._store, party_of(caller.pod), party_of(run.pod), arriving)
        if blocked or not run.host.reachable:
            return _timeout(shown)
        container = listening(run, number)
        if container is None:
            return _refused(shown)
        way_s = NETWORK_S + delay_s(caller, run)
        if problem := certificate_problem(caller, container):
            return Answer(took_s=way_s, error=problem)
        took_s = way_s + container.program.answer_s()
        return Answer(took_s=took_s, error=_status(container), run=run)


def _status(container: ContainerRun) -> str:
    """The status a program, or a rule injected before it, answers with; empty for success."""
    if not serves(container):
        return "503 Service Unavailable"
    share = container.program.aborted_ratio
    aborted = share > 0 and container.host.clock.random.random() < share
    return "500 Internal Server Error" if aborted else ""


def listening(run: PodRun, port: int) -> ContainerRun | None:
    """The running container whose program listens on the port."""
    running = (c for c in run.everything if c.running)
    return next((c for c in running if c.program.listens_on(port)), None)


def _port_name(pod: Obj, number: int) -> str:
    ports = (port for c in pod["spec"]["containers"] for port in c.get("ports") or ())
    return next((port.get("name", "") for port in ports if port["containerPort"] == number), "")


def _refused(shown: str) -> Answer:
    return Answer(took_s=NETWORK_S, error=f"dial tcp {shown}: connect: connection refused")


def _timeout(shown: str) -> Answer:
    return Answer(took_s=GIVE_UP_S, error=f"dial tcp {shown}: i/o timeout")
