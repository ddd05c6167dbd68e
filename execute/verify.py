"""Did it help? Look again until the workload has been well for a while, or a deadline passes."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.alert import Target
from domain.attempt import Effect, Verification
from domain.clock import Clock
from domain.cluster import PodState, WorkloadState
from domain.decision import Action
from domain.errors import LoopError
from evidence.cluster_reader import WORKLOAD_KINDS, ClusterReader
from utils.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One look at a workload: what is not right, and the restarts counted so far."""

    faults: tuple[str, ...]
    ready_count: int
    restarts: dict[str, int]  # per pod, so that a pod's end does not look like healing

    @property
    def well(self) -> bool:
        """Nothing is wrong at this moment."""
        return not self.faults


class Verifier:
    """Watches a target after a change."""

    def __init__(
        self, reader: ClusterReader, clock: Clock, *, poll_s: float, settle_s: float, deadline_s: float
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._poll_s = poll_s
        self._settle_s = settle_s
        self._deadline_s = deadline_s

    async def look(self, target: Target) -> Health | None:
        """How the target is now; None when it cannot be seen or is no workload."""
        if target.kind not in WORKLOAD_KINDS:
            return None
        try:
            workload = await self._reader.workload(target)
            return health(workload, await self._reader.pods(target))
        except LoopError:
            return None

    async def verify(self, action: Action, target: Target, before: Health | None) -> Verification:
        """Watch until well for `settle_s` without a restart, or until the deadline."""
        started_s = self._clock.monotonic_s()
        subject = target if target.kind in WORKLOAD_KINDS else action.target
        well_since_s: float | None = None
        settled: Health | None = None
        latest: Health | None = None
        while (elapsed_s := self._clock.monotonic_s() - started_s) < self._deadline_s:
            latest = await self.look(subject)
            if latest is None or not latest.well or restarted(settled, latest):
                well_since_s, settled = None, None
            elif well_since_s is None:
                well_since_s, settled = elapsed_s, latest
            elif elapsed_s - well_since_s >= self._settle_s:
                return self._said(Effect.HELPED, latest, elapsed_s, self._well_text(subject, latest))
            await self._clock.sleep(self._poll_s)
        return self._failed(subject, before, latest, self._clock.monotonic_s() - started_s)

    def _failed(
        self, subject: Target, before: Health | None, latest: Health | None, took_s: float
    ) -> Verification:
        if latest is None:
            return self._said(Effect.UNKNOWN, None, took_s, f"{subject} could not be looked at")
        worse = before is not None and latest.ready_count < before.ready_count
        text = f"not well after {took_s:.0f} s: {'; '.join(latest.faults) or 'still restarting'}"
        return self._said(Effect.WORSE if worse else Effect.NO_EFFECT, latest, took_s, text)

    def _well_text(self, subject: Target, latest: Health) -> str:
        return (
            f"{subject}: rollout complete, {counted(latest.ready_count, 'pod')} ready, "
            f"no restart for {self._settle_s:g} s"
        )

    def _said(self, effect: Effect, latest: Health | None, took_s: float, text: str) -> Verification:
        checks = (
            () if latest is None else latest.faults or ("rollout complete", "pods ready", "restarts flat")
        )
        return Verification(effect=effect, text=text, checks=checks, at=self._clock.now(), took_s=took_s)


def health(workload: WorkloadState, pods: Iterable[PodState]) -> Health:
    """Judge one look: the rollout, the pods, the wish for pods at all."""
    staying = [pod for pod in pods if not pod.terminating]
    faults = [f"{pod.target.name} is {pod.status}" for pod in staying if not pod.ready]
    if workload.rollout != "complete":
        faults.insert(0, f"rollout {workload.rollout}: {workload.rollout_message}")
    if workload.ready_count < workload.desired_count:
        faults.append(f"{workload.ready_count} of {workload.desired_count} ready")
    if workload.desired_count == 0 and workload.target.kind != "DaemonSet":
        faults.append("no replicas are asked for")
    return Health(
        faults=tuple(faults),
        ready_count=workload.ready_count,
        restarts={pod.uid: sum(c.restart_count for c in pod.containers) for pod in staying},
    )


def restarted(earlier: Health | None, later: Health) -> bool:
    """Whether any pod seen both times has restarted in between."""
    if earlier is None:
        return False
    return any(count > earlier.restarts.get(uid, count) for uid, count in later.restarts.items())
