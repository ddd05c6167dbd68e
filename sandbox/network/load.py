"""How many requests pods serve: counted round by round, told to their programs, which pay for them in cpu."""

from collections import defaultdict

from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.pod import PodRun


class Load:
    """The requests of the present round by pod, and those of the last one at the programs."""

    def __init__(self) -> None:
        self._counts: dict[ContainerRun, float] = defaultdict(float)
        self._loaded: set[ContainerRun] = set()

    def add(self, runs: list[PodRun], count: float) -> None:
        """Requests to a Service: its ready pods share them. A pod's first container serves."""
        ready = [run for run in runs if run.ready]
        for run in ready:
            self._counts[run.containers[0]] += count / len(ready)

    def end_round(self, seconds: float) -> None:
        """Tells every program its new rate; those that got nothing any more are told so, too."""
        for container in self._loaded - self._counts.keys():
            container.requests_per_s = 0.0
        for container, count in self._counts.items():
            container.requests_per_s = count / seconds
        self._loaded = set(self._counts)
        self._counts.clear()
