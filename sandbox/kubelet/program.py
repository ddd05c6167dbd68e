"""What the program in a container does: how it starts, answers and ends.

Read from the pod's spec and its `sandbox/...` annotations, which docs/sandbox-annotations.md lists. It keeps
no state of its own, so that a changed annotation heals or breaks a running container at once.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from sandbox.amounts import millis, whole
from sandbox.fields import Obj, annotations_of, owners_of
from sandbox.kubelet.lacks import disk_path, lacking
from sandbox.kubelet.startup import shell_miss
from sandbox.kubelet.surroundings import HEALTHY, Surroundings
from sandbox.kubelet.timings import Timings
from sandbox.notes import cpu_millis, number, ports, ratio, size_bytes, words

NOT_PULLABLE = re.compile("bad|broken|doesnotexist|notfound")
ALWAYS_UNREADY = ("unready", "crashloop", "needs-env", "lacks", "oom", "error-exit")
FLAKY_START_S = 20.0
EVERY_MINUTE_S = 60.0
DEFAULT_ANSWER_S = 0.02
DEFAULT_CPU_MILLIS = 10
DEFAULT_REQUEST_CPU_MILLIS = 0.2  # a light handler: 0.2 ms of one core a request
DEFAULT_MEMORY_BYTES = 20 * 1024 * 1024

TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 41, in <module>',
    "RuntimeError: could not connect to database db:5432: connection refused",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ends: after how many seconds, with which exit code, reason and last words."""

    after_s: float
    code: int
    reason: str = "Error"
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """The program of one container of a pod, as both are now.

    `requests_per_s` is what it serves, `denied` why the API server does not answer it.
    """

    pod: Obj
    container: Obj
    timings: Timings
    around: Surroundings = HEALTHY
    requests_per_s: float = 0.0
    denied: str = ""

    @cached_property
    def fault(self) -> str:
        """The fault at work: an annotation's word, `imagepull` or `crashloop` by tag, or empty."""
        tag = self.container["image"].rsplit("/", 1)[-1].partition(":")[2].lower()
        if NOT_PULLABLE.search(tag):
            return "imagepull"
        if "crash" in tag:
            return "crashloop"
        if not self._is_meant:
            return ""
        return self._note("fault") or self._missing()

    def opening_lines(self) -> list[str]:
        default = (
            f"{self.container['name']} starting, image {self.container['image']}\nlistening on :{self._port}"
        )
        return (self._note(f"logs.{self.container['name']}") or self._note("logs") or default).split("\n")

    def ending(self, *, is_init: bool = False) -> Ending | None:
        """How the run will end; None when it goes on until it is stopped."""
        crash_s = self.timings.crash_after_s
        match self.fault:
            case "crashloop":
                return Ending(after_s=crash_s, code=1, lines=TRACEBACK)
            case "needs-env":
                line = f"panic: required environment variable {self._note('needs-env')} is not set"
                return Ending(after_s=crash_s, code=1, lines=(line,))
            case "lacks":
                return Ending(after_s=crash_s, code=1, lines=self._lacking)
            case "error-exit":
                return Ending(after_s=crash_s, code=2, lines=("fatal: unrecoverable error",))
            case "oom":
                return Ending(after_s=crash_s, code=137, reason="OOMKilled", lines=("allocating cache...",))
            case "":
                return self._natural_ending(is_init=is_init)
        return None

    def readiness_delay_s(self) -> float:
        """Seconds after its start from which the program can be ready."""
        return FLAKY_START_S if self.fault == "flaky-start" else self._seconds("start-seconds", 0.0)

    @property
    def stop_s(self) -> float:
        """Seconds from SIGTERM to its end; a program that does not care is killed after the grace period."""
        return self._seconds("stop-seconds", self.timings.stop_s)

    @property
    def can_be_ready(self) -> bool:
        return self.fault not in ALWAYS_UNREADY

    # --- answering

    def listens_on(self, port: int) -> bool:
        """The app listens on what it declares; one that declares nothing, on whatever is asked of it."""
        ports = self._listening
        return not ports or port in ports

    @cached_property
    def _listening(self) -> list[int]:
        if noted := ports(self._note("listens")):
            return noted
        return [port["containerPort"] for port in self.container.get("ports") or ()]

    def answer_s(self) -> float:
        """Seconds the program takes to answer; longer when its cpu limit throttles it or its disk is slow."""
        slow_s = self.around.disk_delay_s if disk_path(self.pod, self.container) else 0.0
        return self._seconds("answer-seconds", DEFAULT_ANSWER_S) * self.throttling + slow_s

    @property
    def aborted_ratio(self) -> float:
        """The share of requests that a rule injected before it answers with 500."""
        return ratio(self._own("aborts"))

    @property
    def call_variables(self) -> list[str]:
        """Names of the variables that tell it whom to call."""
        return words(self._own("calls-env"))

    def serves_path(self, path: str) -> bool:
        paths = words(self._note("http-paths"))
        return not paths or path in paths

    @property
    def speaks_tls(self) -> bool:
        return self._note("tls") == "true"

    @property
    def needs_calls(self) -> bool:
        """Whether it calls itself unready while a Service it depends on does not answer."""
        return self._note("needs-calls") == "true"

    # --- what it uses

    @cached_property
    def needed_cpu_millis(self) -> int:
        """What it uses by itself, and what the requests cost that it serves."""
        own = cpu_millis(self._own("needs-cpu")) or DEFAULT_CPU_MILLIS
        each = cpu_millis(self._own("cpu-per-request")) or DEFAULT_REQUEST_CPU_MILLIS
        return own + round(each * self.requests_per_s)

    @cached_property
    def limit_cpu_millis(self) -> int | None:
        limit = self._limits.get("cpu")
        return millis(limit) if limit else None

    @property
    def throttling(self) -> float:
        """How many times slower than unhindered the program runs: 1.0 without throttling."""
        limit = self.limit_cpu_millis
        return max(1.0, self.needed_cpu_millis / limit) if limit else 1.0

    @property
    def used_cpu_millis(self) -> int:
        limit = self.limit_cpu_millis
        return min(self.needed_cpu_millis, limit) if limit else self.needed_cpu_millis

    def used_memory_bytes(self, running_s: float) -> int:
        """What the program holds after it has run for a while."""
        needed = size_bytes(self._own("needs-memory")) or self._sized_bytes or DEFAULT_MEMORY_BYTES
        return needed + int(self._leak_bytes_per_s * running_s)

    @property
    def _sized_bytes(self) -> int:
        """What a program takes that sizes itself by its limit, or by the whole node when it has none."""
        return int(ratio(self._own("memory-share")) * (self.limit_memory_bytes or self.around.memory_bytes))

    @cached_property
    def limit_memory_bytes(self) -> int | None:
        limit = self._limits.get("memory")
        return whole(limit) if limit else None

    # --- inside

    def _missing(self) -> str:
        """The fault of what the program needs and does not get."""
        needed, limit = size_bytes(self._own("needs-memory")), self.limit_memory_bytes
        if needed and limit is not None and limit < needed:
            return "oom"
        name = self._own("needs-env")
        if name and name not in [entry["name"] for entry in self.container.get("env") or ()]:
            return "needs-env"
        return "lacks" if self._lacking else ""

    @cached_property
    def _lacking(self) -> tuple[str, ...]:
        """The last words of a program that does not get what it needs."""
        if not self._is_meant:
            return ()
        return (self.denied,) if self.denied else lacking(self.pod, self.container, self._note, self.around)

    def _natural_ending(self, *, is_init: bool) -> Ending | None:
        if (failed := self._never_begins() or self._leak_ending()) is not None:
            return failed
        if self._own("hangs") == "true":
            return None
        if is_init:
            return Ending(after_s=self.timings.init_run_s, code=0, reason="Completed")
        run_s = self._seconds("run-seconds", self.timings.job_run_s if self._is_of_job else 0.0)
        if run_s > 0:
            return Ending(after_s=run_s, code=0, reason="Completed", lines=("work done",))
        return None

    def _never_begins(self) -> Ending | None:
        """An image for other machines, or a command that the shell does not know."""
        built_for = self._own("image-arch")
        if built_for and built_for != self.around.architecture:
            command = (self.container.get("command") or ["/app/server"])[0]
            return Ending(after_s=0.05, code=255, lines=(f"exec {command}: exec format error",))
        if missed := shell_miss(self.pod, self.container):
            return Ending(after_s=0.05, code=127, lines=(f"sh: 1: {missed}: not found",))
        return None

    def _leak_ending(self) -> Ending | None:
        """A leaking program is killed when it reaches its limit."""
        limit = self.limit_memory_bytes
        if limit is None or self._leak_bytes_per_s <= 0:
            return None
        left = max(0, limit - self.used_memory_bytes(0))
        return Ending(after_s=left / self._leak_bytes_per_s, code=137, reason="OOMKilled")

    @cached_property
    def _leak_bytes_per_s(self) -> float:
        return (size_bytes(self._own("leaks-memory")) or 0) / EVERY_MINUTE_S

    @cached_property
    def _is_meant(self) -> bool:
        """The pod's annotations speak of its first container unless they name another."""
        first = self.pod["spec"]["containers"][0]["name"]
        return bool(annotations_of(self.pod).get("sandbox/container", first) == self.container["name"])

    @property
    def _is_of_job(self) -> bool:
        return any(owner["kind"] == "Job" for owner in owners_of(self.pod))

    @property
    def _port(self) -> int:
        return self._listening[0] if self._listening else 8080

    @property
    def _limits(self) -> Obj:
        limits: Obj = (self.container.get("resources") or {}).get("limits") or {}
        return limits

    def _seconds(self, name: str, default: float) -> float:
        value = number(self._note(name))
        return default if value is None else value

    def _own(self, name: str) -> str:
        """An annotation that concerns one container only."""
        return self._note(name) if self._is_meant else ""

    def _note(self, name: str) -> str:
        return annotations_of(self.pod).get(f"sandbox/{name}", "")
