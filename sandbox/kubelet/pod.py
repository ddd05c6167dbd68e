"""One pod on its node: volumes, network, init containers, containers, and its end.

It writes the pod's status whenever something changed; what a single container does is in container.py.
"""

from collections.abc import Callable

from sandbox.clock import Timer
from sandbox.errors import NotFound
from sandbox.fields import Obj, is_deleting, meta, name_of, namespace_of, uid_of
from sandbox.kinds import kind_of
from sandbox.kubelet.config import mount_problem
from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.host import Host
from sandbox.kubelet.status import pod_status
from sandbox.state import is_finished, with_status

POD = kind_of("Pod")
FIRST_MOUNT_RETRY_S = 0.5
LONGEST_MOUNT_RETRY_S = 122.0  # two minutes and two seconds, as the volume manager has it
MOUNT_PATIENCE_S = 123.0  # until the kubelet complains that volumes are still not mounted


class PodRun:
    """A pod from the moment its kubelet sees it until it is gone."""

    def __init__(self, host: Host, pod: Obj) -> None:
        self.host = host
        self.pod = pod
        self.ip: str = (pod.get("status") or {}).get("podIP", "")
        self.started_at: str = (pod.get("status") or {}).get("startTime") or host.clock.stamp()
        self.stopping = False
        self.failure: tuple[str, str] | None = None  # reason and message of a pod that the node gave up
        self._mount_failures = 0
        self._mounting_since = host.clock.time()
        self._timer: Timer | None = None
        self._dirty = False
        spec = pod["spec"]
        self.inits = [ContainerRun(host, self, c, is_init=True) for c in spec.get("initContainers") or ()]
        self.containers = [ContainerRun(host, self, c) for c in spec["containers"]]

    @property
    def everything(self) -> list[ContainerRun]:
        return [*self.inits, *self.containers]

    @property
    def ready(self) -> bool:
        return not self.stopping and all(run.ready for run in self.containers)

    def find(self, name: str) -> ContainerRun | None:
        return next((run for run in self.everything if run.name == name), None)

    # --- coming up

    def begin(self) -> None:
        """Starts the work that ends with running containers."""
        self.container_changed()
        self._mount()

    def _mount(self) -> None:
        volumes = {
            volume["name"]: mount_problem(self.host.store, self.pod, volume) for volume in self._volumes
        }
        stuck = self._stuck_program()
        if stuck:
            volumes |= {"config": 'configmap "app-config" not found'}
        wrong = {name: why for name, why in volumes.items() if why}
        if not wrong:
            self._later(self.host.timings.create_s, self._connect)
            return
        self._report_mounts(wrong)
        wait_s = min(FIRST_MOUNT_RETRY_S * 2.0**self._mount_failures, LONGEST_MOUNT_RETRY_S)
        self._mount_failures += 1
        self._later(wait_s, self._mount)

    def _report_mounts(self, wrong: dict[str, str]) -> None:
        for name, why in wrong.items():
            self._warn("FailedMount", f'MountVolume.SetUp failed for volume "{name}" : {why}')
        if self.host.clock.time() - self._mounting_since > MOUNT_PATIENCE_S:
            self._mounting_since = self.host.clock.time()
            every = " ".join(volume["name"] for volume in self._volumes)
            text = f"Unable to attach or mount volumes: unmounted volumes=[{' '.join(wrong)}], "
            self._warn(
                "FailedMount", f"{text}unattached volumes=[{every}]: timed out waiting for the condition"
            )

    def _stuck_program(self) -> bool:
        return any(run.program.fault == "stuck-creating" for run in self.containers)

    def _connect(self) -> None:
        """The pod's network is there; containers may start."""
        if not self.ip:
            self.ip = self.host.address if self.pod["spec"].get("hostNetwork") else self.host.next_pod_ip()
        self._timer = None
        self._launch_next()

    def _launch_next(self) -> None:
        """The next init container, or all containers when every init container has done its work."""
        for run in self.inits:
            if run.is_sidecar:
                if not run.launched:
                    run.launch()
                if not run.started:
                    return
            elif not run.ready:
                if not run.launched:
                    run.launch()
                return
        for run in self.containers:
            if not run.launched:
                run.launch()

    # --- what containers tell

    def container_changed(self) -> None:
        """Something in the status is different: written once, after all that happens at this moment."""
        if not self._dirty:
            self._dirty = True
            self.host.clock.soon(self._write)
        if self.inits and self.ip and not self.stopping and not all(run.launched for run in self.containers):
            self.host.clock.soon(self._continue)

    def _continue(self) -> None:
        if not self.stopping and self.ip:
            self._launch_next()

    def container_ended(self, container: ContainerRun) -> None:
        if self.finished:
            for run in self.everything:
                run.stop()

    @property
    def finished(self) -> bool:
        """Every container has ended for good, or an init container failed for good."""
        if self.failure is not None:
            return True
        if any(run.finished and not run.ready for run in self.inits if not run.is_sidecar):
            return True
        return all(run.finished for run in self.containers)

    # --- changes and the end

    def update(self, pod: Obj) -> None:
        """Takes over the pod's new version: its deletion, a fault that came or went, a new image."""
        old, self.pod = self.pod, pod
        if is_deleting(pod):
            self._terminate()
        elif _gates(old) != _gates(pod):
            self.container_changed()
        elif meta(old).get("annotations") != meta(pod).get("annotations") or old["spec"] is not pod["spec"]:
            self.reconsider()

    def reconsider(self) -> None:
        """The pod or its node is different: every container may go on in another way."""
        specs = {
            c["name"]: c
            for c in [*(self.pod["spec"].get("initContainers") or ()), *self.pod["spec"]["containers"]]
        }
        for run in self.everything:
            run.reconsider(specs.get(run.name, run.spec))

    def _terminate(self) -> None:
        if self.stopping:
            return
        self.stopping = True
        for run in self.everything:
            if run.running:
                run.say("Killing", f"Stopping container {run.name}")
            run.stop()
        grace_s = float(meta(self.pod).get("deletionGracePeriodSeconds") or 0)
        self._later(min(self._needs_s(), grace_s), self._gone)

    def _needs_s(self) -> float:
        """How long the slowest container takes to end after it was asked to."""
        return max(run.program.stop_s for run in self.everything)

    def _gone(self) -> None:
        if not self.host.reachable:
            self._later(self.host.timings.resync_s, self._gone)
            return
        try:
            self.host.store.delete(
                POD, namespace_of(self.pod), name_of(self.pod), grace_s=0, uid=uid_of(self.pod)
            )
        except NotFound:
            return  # somebody deleted it by force

    def give_up(self, reason: str, message: str) -> None:
        """The node evicts the pod: its containers end and it has failed for good."""
        self.failure = (reason, message)
        for run in self.everything:
            run.kill(137)
            run.stop()
        self.container_changed()

    def forget(self) -> None:
        """The pod is no longer there: nothing of it may happen any more."""
        self.stopping = True
        for run in self.everything:
            run.stop()
        if self._timer is not None:
            self._timer.cancel()

    # --- status

    def _write(self) -> None:
        self._dirty = False
        if not self.host.reachable:
            self.host.unsaid.add(self)
            return
        current = self.host.store.find(POD, namespace_of(self.pod), name_of(self.pod))
        if current is None or uid_of(current) != uid_of(self.pod) or is_finished(current):
            return
        status = pod_status(self, current)
        if status != current.get("status"):
            self.pod = self.host.store.update(POD, with_status(current, status), subresource="status")

    # --- small things

    @property
    def _volumes(self) -> list[Obj]:
        return self.pod["spec"].get("volumes") or []

    def _later(self, delay_s: float, fn: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.host.clock.call_after(delay_s, fn)

    def _warn(self, reason: str, message: str) -> None:
        if self.host.reachable:
            self.host.events.warning(self.pod, reason, message)


def _gates(pod: Obj) -> list[Obj]:
    """The conditions that readiness gates wait for."""
    kinds = {gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()}
    return [c for c in (pod.get("status") or {}).get("conditions") or () if c["type"] in kinds]
