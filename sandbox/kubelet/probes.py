"""Startup, liveness and readiness probes of a running container, with the kubelet's events.

What a program answers is worked out in answers.py; here is when it is asked and what follows.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sandbox.clock import Timer
from sandbox.fields import Obj
from sandbox.kubelet.answers import refusal

if TYPE_CHECKING:
    from sandbox.kubelet.container import ContainerRun

WORDS = {"startupProbe": "Startup", "livenessProbe": "Liveness", "readinessProbe": "Readiness"}
IMPLIED: Obj = {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 1}


class Probes:
    """The probes of one run: `ready` and the container's `started` are what they found."""

    def __init__(self, run: "ContainerRun") -> None:
        self._run = run
        self._passed = False
        self._streaks: dict[str, int] = {}  # successes in a row count up, failures down
        self._timers: dict[str, Timer] = {}

    @property
    def ready(self) -> bool:
        return self._passed and self._run.program.can_be_ready

    def start(self) -> None:
        self._passed = False
        self._run.started = False
        self._streaks.clear()
        if self._run.spec.get("startupProbe"):
            self._first("startupProbe")
        else:
            self._begin()

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._passed = False

    def reconsider(self) -> None:
        """The pod changed: a fault may have come or gone, for a program without a probe of its own too."""
        if not self._run.started:
            return
        self._passed = self._passed if self._probe("readinessProbe") else True
        if self._probe("readinessProbe") and "readinessProbe" not in self._timers:
            self._first("readinessProbe")
        self._run.owner.container_changed()

    def _begin(self) -> None:
        """The program has started: from now on it is asked whether it lives and is ready."""
        self._run.started = True
        if self._run.spec.get("livenessProbe"):
            self._first("livenessProbe")
        if self._probe("readinessProbe"):
            self._first("readinessProbe")
        elif (delay_s := self._run.program.readiness_delay_s()) > 0:
            self._after("warm-up", delay_s, self._pass)
        else:
            self._passed = True
        self._run.owner.container_changed()

    def _probe(self, kind: str) -> Obj | None:
        """The probe of that kind; a program that is made unready answers one even if none is declared."""
        declared: Obj | None = self._run.spec.get(kind)
        if declared is None and kind == "readinessProbe" and self._run.program.fault == "unready":
            return IMPLIED
        return declared

    def _first(self, kind: str) -> None:
        probe = self._probe(kind) or {}
        self._after(kind, float(probe.get("initialDelaySeconds", 0)), partial(self._ask, kind))

    def _ask(self, kind: str) -> None:
        probe = self._probe(kind)
        if probe is None:
            self._pass()
            return
        why = refusal(self._run, probe)
        if why and self._run.host.reachable:
            self._run.warn("Unhealthy", f"{WORDS[kind]} probe failed: {why}")
        self._count(kind, good=not why)
        self._conclude(kind, probe)
        if (
            self._run.running
            and kind not in self._timers
            and not (kind == "startupProbe" and self._run.started)
        ):
            self._after(kind, float(probe.get("periodSeconds", 10)), partial(self._ask, kind))

    def _count(self, kind: str, *, good: bool) -> None:
        streak = self._streaks.get(kind, 0)
        self._streaks[kind] = max(streak, 0) + 1 if good else min(streak, 0) - 1

    def _conclude(self, kind: str, probe: Obj) -> None:
        streak = self._streaks[kind]
        if streak >= probe.get("successThreshold", 1):
            self._succeeded(kind)
        elif -streak >= probe.get("failureThreshold", 3) or (kind == "readinessProbe" and not self._passed):
            self._failed(kind)

    def _succeeded(self, kind: str) -> None:
        if kind == "startupProbe":
            self._begin()
        elif kind == "readinessProbe" and not self._passed:
            self._pass()

    def _failed(self, kind: str) -> None:
        if kind == "readinessProbe":
            if self._passed:
                self._passed = False
                self._run.owner.container_changed()
            return
        self._streaks.clear()
        word = WORDS[kind].lower()
        self._run.restart(f"Container {self._run.name} failed {word} probe, will be restarted")

    def _pass(self) -> None:
        self._passed = True
        self._run.owner.container_changed()

    def _after(self, name: str, delay_s: float, fn: Callable[[], None]) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        self._timers[name] = self._run.host.clock.call_after(delay_s, partial(self._ring, name, fn))

    def _ring(self, name: str, fn: Callable[[], None]) -> None:
        self._timers.pop(name, None)
        fn()
