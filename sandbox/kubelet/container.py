"""One container's life on a node: pull, create, run, end, back off, run again.

The pod it belongs to (`PodRun`) says when it may start and hears of every change; probes are in probes.py.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from sandbox.clock import Timer
from sandbox.fields import Obj, annotations_of, name_of, namespace_of, uid_of
from sandbox.kubelet.config import config_problem
from sandbox.kubelet.environment import environment
from sandbox.kubelet.host import Host, image_id, waiting
from sandbox.kubelet.images import pull_problem
from sandbox.kubelet.output import Output
from sandbox.kubelet.probes import Probes
from sandbox.kubelet.program import Ending, Program
from sandbox.kubelet.rights import read_problem
from sandbox.kubelet.startup import start_problem
from sandbox.kubelet.timings import backoff_s
from sandbox.state import stamp_of

KILLED = 137  # 128 + SIGKILL
STARTING = waiting("ContainerCreating")
INITIALIZING = waiting("PodInitializing")
READS_CONFIG = "sandbox/reads-config"


class Owner(Protocol):
    """The pod a container belongs to."""

    pod: Obj
    ip: str

    def container_changed(self) -> None: ...

    def container_ended(self, container: "ContainerRun") -> None: ...


class ContainerRun:
    """State and timers of one container; `state` and `last` are in the API's shape."""

    def __init__(
        self, host: Host, owner: Owner, spec: Obj, *, is_init: bool = False, before: Obj | None = None
    ) -> None:
        self.host = host
        self.owner = owner
        self.spec = spec
        self.is_init = is_init
        self.state: Obj = INITIALIZING if owner.pod["spec"].get("initContainers") else STARTING
        self.last: Obj = (before or {}).get("lastState") or {}
        self.restarts: int = (before or {}).get("restartCount", 0)
        self.image = ""
        self.container_id = ""
        self.started = False
        self.impaired = ""  # which of the calls that the program depends on fail, and how
        self.requests_per_s = 0.0  # that it serves at present
        self.environment: dict[str, str] = {}  # of its present run
        self.output = Output()
        self._launched = False
        self._started_at = 0.0
        self._crashes = 0
        self._pull_failures = 0
        self._timers: dict[str, Timer] = {}
        self._planned: tuple[float, int, str] | None = None
        self.probes = Probes(self)

    # --- what it is

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def is_sidecar(self) -> bool:
        return self.is_init and self.spec.get("restartPolicy") == "Always"

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def launched(self) -> bool:
        """Whether bringing it up has begun in this kubelet's life."""
        return self._launched

    @property
    def has_run(self) -> bool:
        return bool(self.container_id)

    @property
    def terminated(self) -> Obj | None:
        found: Obj | None = self.state.get("terminated")
        return found

    @property
    def finished(self) -> bool:
        """Ended, and not to be started again."""
        ended = self.terminated
        return ended is not None and not self._starts_again(ended["exitCode"])

    @property
    def ready(self) -> bool:
        if self.is_init and not self.is_sidecar:
            return self.terminated is not None and self.terminated["exitCode"] == 0
        return self.running and self.probes.ready

    @property
    def program(self) -> Program:
        return Program(
            self.owner.pod,
            self.spec,
            self.host.timings,
            around=self.host.around,
            requests_per_s=self.requests_per_s,
            denied=self._denied(),
        )

    def _denied(self) -> str:
        """Why the API server does not tell the program what it asks it for."""
        config_map = annotations_of(self.owner.pod).get(READS_CONFIG)
        return read_problem(self.host.store, self.owner.pod, config_map) if config_map else ""

    @property
    def running_s(self) -> float:
        return self.host.clock.time() - self._started_at if self.running else 0.0

    def log(self, text: str) -> None:
        self.output.write(self.host.clock.time(), text)

    # --- what is done to it

    def launch(self) -> None:
        """Begins to bring the container up, from pulling its image on."""
        self._launched = True
        image = self.spec["image"]
        problem = pull_problem(self.host, self.owner.pod, self.spec, self.program)
        if problem is not None and problem.at_once:
            self._wait_for_image(problem.reason, problem.message)
        elif problem is None and self._has_image(image):
            self.say("Pulled", f'Container image "{image}" already present on machine')
            self._create()
        else:
            self.say("Pulling", f'Pulling image "{image}"')
            if problem is None:
                self._after("pull", self.host.timings.pull_s, self._pulled)
            else:
                failed = partial(self._pull_failed, problem.message)
                self._after("pull", self.host.timings.pull_failure_s, failed)

    def reconsider(self, spec: Obj) -> None:
        """The pod changed: a new image restarts the container, another fault changes how it will end."""
        old, self.spec = self.spec, spec
        if self.running and old["image"] != spec["image"]:
            self.say("Killing", f"Container {self.name} definition changed, will be restarted")
            self._end(Ending(after_s=0, code=KILLED))
        elif self.running:
            self._plan_ending()
            self.probes.reconsider()
        elif old["image"] != spec["image"] or ("crash" in self._timers and self.program.fault == ""):
            self._hurry()

    def impair(self, why: str) -> None:
        """Notes that calls to others fail (or, when empty, that none does any more)."""
        self.impaired = why

    def restart(self, why: str) -> None:
        """Stops the run because a probe said so; it starts again as its policy says."""
        if self.running:
            self.say("Killing", why)
            self._after("stop", self.host.timings.stop_s, partial(self._end, Ending(after_s=0, code=KILLED)))

    def kill(self, code: int, reason: str = "Error") -> None:
        """Ends the run at once, as the kernel or an eviction does."""
        if self.running:
            self._end(Ending(after_s=0, code=code, reason=reason))

    def stop(self) -> None:
        """The pod is going away: nothing more will happen to the container."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.probes.stop()

    # --- pulling

    def _has_image(self, image: str) -> bool:
        return image in self.host.images and self.spec.get("imagePullPolicy") != "Always"

    def _pulled(self) -> None:
        self._pull_failures = 0
        self.host.images.add(self.spec["image"])
        took_s = self.host.timings.pull_s
        self.say("Pulled", f'Successfully pulled image "{self.spec["image"]}" in {took_s:.1f}s')
        self._create()

    def _pull_failed(self, message: str) -> None:
        self.warn("Failed", message)
        self.warn("Failed", "Error: ErrImagePull")
        self._pull_failures += 1
        self._wait(waiting("ErrImagePull", message))
        self._after(
            "pull", self.host.timings.relist_s + self.host.timings.pull_failure_s, self._pull_backed_off
        )

    def _pull_backed_off(self) -> None:
        image = self.spec["image"]
        self.say("BackOff", f'Back-off pulling image "{image}"')
        self.warn("Failed", "Error: ImagePullBackOff")
        self._wait(waiting("ImagePullBackOff", f'Back-off pulling image "{image}"'))
        timings = self.host.timings
        wait_s = backoff_s(timings.pull_backoff_s, timings.pull_backoff_longest_s, self._pull_failures + 1)
        self._after("pull", wait_s, self.launch)

    def _wait_for_image(self, reason: str, message: str) -> None:
        self.warn("Failed", f"Error: {reason}")
        self._wait(waiting(reason, message))
        self._after("pull", self.host.timings.resync_s, self.launch)

    # --- running

    def _create(self) -> None:
        problem = config_problem(self.host.store, self.owner.pod, self.spec)
        if problem:
            self.warn("Failed", f"Error: {problem}")
            self._wait(waiting("CreateContainerConfigError", problem))
            self._after("create", self.host.timings.resync_s, self.launch)
            return
        self.say("Created", f"Created container: {self.name}")
        self.container_id = self.host.new_container_id()
        refusal = start_problem(self.owner.pod, self.spec)
        if refusal:
            self.warn("Failed", f"Error: {refusal}")
            self._finish_run(128, "StartError", started_at=0.0, message=refusal)
        else:
            self._start()

    def _start(self) -> None:
        self.say("Started", f"Started container {self.name}")
        self.image = self.spec["image"]
        self._started_at = self.host.clock.time()
        self.state = {"running": {"startedAt": self.host.clock.stamp()}}
        self.environment = environment(self.host.store, self.owner.pod, self.spec)
        self.output.turn_over()
        for line in self.program.opening_lines():
            self.log(line)
        self._plan_ending()
        self.probes.start()
        self.owner.container_changed()

    def _plan_ending(self) -> None:
        """Sets the timer of the run's end; one that was planned already and stays the same is kept."""
        ending = self.program.ending(is_init=self.is_init and not self.is_sidecar)
        plan = (ending.after_s, ending.code, ending.reason) if ending else None
        if plan == self._planned:
            return
        self._cancel("end")
        self._planned = plan
        if ending is not None:
            self._after(
                "end", self._started_at + ending.after_s - self.host.clock.time(), partial(self._end, ending)
            )

    def _end(self, ending: Ending) -> None:
        if not self.running:
            return
        for line in ending.lines:
            self.log(line)
        self._finish_run(ending.code, ending.reason, self._started_at)

    def _finish_run(self, code: int, reason: str, started_at: float, message: str = "") -> None:
        ran_s = self.host.clock.time() - started_at
        self.stop()
        self._planned = None
        self.started = False
        self.image = self.spec["image"]
        self.state = {"terminated": _terminated(self, code, reason, started_at, message)}
        self._crashes = 1 if ran_s > self.host.timings.crash_forgotten_s and started_at else self._crashes + 1
        self.owner.container_changed()
        if self._starts_again(code):
            self._after("relist", self.host.timings.relist_s, self._back_off)
        self.owner.container_ended(self)

    # --- running again

    def _starts_again(self, code: int) -> bool:
        if self.is_sidecar:
            return True
        policy = self.owner.pod["spec"].get("restartPolicy", "Always")
        if self.is_init:
            return bool(code) and policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    def _back_off(self) -> None:
        timings = self.host.timings
        wait_s = backoff_s(timings.crash_backoff_s, timings.crash_backoff_longest_s, self._crashes)
        self.last = self.state
        if wait_s <= 0:
            self._again()
            return
        pod = self.owner.pod
        where = f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"
        text = f"back-off {_words(wait_s)} restarting failed container={self.name} pod={where}"
        self.state = waiting("CrashLoopBackOff", text)
        self.owner.container_changed()
        self._say_backing_off(where)
        self._after("crash", wait_s, self._again)

    def _say_backing_off(self, where: str) -> None:
        """A kubelet says so at every look it takes at the pod."""
        self.warn("BackOff", f"Back-off restarting failed container {self.name} in pod {where}")
        self._after("say", self.host.timings.resync_s, partial(self._say_backing_off, where))

    def _again(self) -> None:
        self._cancel("say")
        self._cancel("crash")
        self.restarts += 1
        self.launch()

    def _hurry(self) -> None:
        """What was wrong has been changed: try now instead of waiting any longer."""
        if "crash" in self._timers:
            self._crashes = 0
            self._again()
        elif "pull" in self._timers or "create" in self._timers:
            self._cancel("pull")
            self._cancel("create")
            self.launch()

    # --- small things

    def _wait(self, state: Obj) -> None:
        self.state = state
        self.owner.container_changed()

    def _after(self, name: str, delay_s: float, fn: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = self.host.clock.call_after(delay_s, partial(self._ring, name, fn))

    def _ring(self, name: str, fn: Callable[[], None]) -> None:
        self._timers.pop(name, None)
        fn()

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def say(self, reason: str, message: str) -> None:
        if self.host.reachable:
            self.host.events.normal(self.owner.pod, reason, message, self._field)

    def warn(self, reason: str, message: str) -> None:
        if self.host.reachable:
            self.host.events.warning(self.owner.pod, reason, message, self._field)

    @property
    def _field(self) -> str:
        return f"spec.{'initContainers' if self.is_init else 'containers'}{{{self.name}}}"


def _terminated(run: ContainerRun, code: int, reason: str, started_at: float, message: str) -> Obj:
    ended: Obj = {
        "exitCode": code,
        "reason": reason,
        "startedAt": stamp_of(started_at),
        "finishedAt": run.host.clock.stamp(),
        "containerID": run.container_id,
    }
    return {**ended, "message": message} if message else ended


def container_status(run: ContainerRun) -> Obj:
    """The entry of `containerStatuses`."""
    pulled = bool(run.container_id)
    status: Obj = {
        "name": run.name,
        "state": run.state,
        "lastState": run.last,
        "ready": run.ready,
        "restartCount": run.restarts,
        "image": run.image or run.spec["image"],
        "imageID": image_id(run.image or run.spec["image"]) if pulled else "",
        "started": run.running and run.started,
    }
    return {**status, "containerID": run.container_id} if pulled else status


def _words(seconds: float) -> str:
    """A Go duration: 10s, 2m40s, 5m0s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
