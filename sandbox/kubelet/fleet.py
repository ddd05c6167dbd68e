"""All kubelets of the cluster: adds nodes, hands each pod to its node, and finds the logs of a container."""

from sandbox.clock import SimClock
from sandbox.errors import InternalError
from sandbox.fields import Obj, name_of, uid_of
from sandbox.kinds import kind_of
from sandbox.kubelet.kubelet import Kubelet
from sandbox.kubelet.node_report import Machine
from sandbox.kubelet.pod import PodRun
from sandbox.kubelet.timings import Timings
from sandbox.kubelet.usage import Usage, pod_usage
from sandbox.logs import LogOptions
from sandbox.state import key_of
from sandbox.store import Store
from sandbox.tables import Change

POD = kind_of("Pod")
NODE = kind_of("Node")


class Fleet:
    """The nodes' agents; also the source of container logs (`LogSource`)."""

    def __init__(self, store: Store, clock: SimClock, timings: Timings) -> None:
        self._store = store
        self._clock = clock
        self._timings = timings
        self.kubelets: dict[str, Kubelet] = {}
        self._runs: dict[tuple[str, str], PodRun] = {}
        store.subscribe(NODE, self._node_changed)
        store.subscribe(POD, self._pod_changed)

    def add_node(
        self, name: str, *, machine: Machine | None = None, labels: dict[str, str] | None = None
    ) -> None:
        """A new machine with a kubelet that registers it."""
        number = len(self.kubelets)
        kubelet = Kubelet(self._store, self._clock, name, number, machine or Machine(), self._timings)
        self.kubelets[name] = kubelet
        kubelet.register(labels or {})

    def run_of(self, namespace: str, pod: str) -> PodRun | None:
        """The pod as its kubelet runs it; None while no kubelet has it."""
        return self._runs.get((namespace, pod))

    def runs(self) -> list[PodRun]:
        return list(self._runs.values())

    def usage(self, namespace: str, pod: str) -> dict[str, Usage] | None:
        """What the pod's running containers use; None while its node does not say."""
        run = self.run_of(namespace, pod)
        return None if run is None or not run.host.reachable else pod_usage(self._store, run)

    def read(self, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """A container's log; raises InternalError when its node does not answer."""
        run = self.run_of(namespace, pod)
        if run is None:
            return ""
        if not run.host.reachable:
            url = f"https://{run.host.address}:10250/containerLogs/{namespace}/{pod}/{container}"
            raise InternalError(f'Get "{url}": dial tcp {run.host.address}:10250: i/o timeout')
        found = run.find(container)
        return found.output.read(options) if found is not None else ""

    def _node_changed(self, change: Change) -> None:
        kubelet = self.kubelets.get(name_of(change.object))
        if kubelet is not None and change.type != "DELETED":
            kubelet.node_changed(change.object)

    def _pod_changed(self, change: Change) -> None:
        kubelet = self._kubelet_of(change.object)
        if kubelet is None:
            return
        key = key_of(change.object)
        if change.type == "DELETED":
            kubelet.pod_deleted(change.object)
            if (run := self._runs.get(key)) is not None and uid_of(run.pod) == uid_of(change.object):
                del self._runs[key]
            return
        kubelet.pod_changed(change.object)
        if (run := kubelet.pods.get(uid_of(change.object))) is not None:
            self._runs[key] = run

    def _kubelet_of(self, pod: Obj) -> Kubelet | None:
        return self.kubelets.get(pod["spec"].get("nodeName") or "")
