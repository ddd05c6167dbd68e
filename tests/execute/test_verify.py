"""When a change counts as having helped."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.alert import Target
from domain.attempt import Effect, Verification
from domain.cluster import PodState, WorkloadState
from domain.errors import ToolUnavailable
from evidence.cluster_reader import ClusterReader
from execute.verify import Health, Verifier, health
from tests.builders import WEB, action, container, pod, running, workload
from tests.execute.world import ScriptedToolbox
from tests.fakes import FakeClock

Look = tuple[WorkloadState, Sequence[PodState]] | None

WELL: Look = (workload(ready=1, desired=1), [pod("web-1", running())])
UNREADY: Look = (
    workload(ready=0, desired=1, rollout="progressing"),
    [pod("web-1", container(state="waiting"))],
)


class Film(ClusterReader):
    """One look after the other; the last one stays."""

    def __init__(self, *looks: Look) -> None:
        super().__init__(ScriptedToolbox())
        object.__setattr__(self, "looks", list(looks))

    looks: list[Look]

    async def workload(self, target: Target) -> WorkloadState:
        look = self.looks[0]
        if look is None:
            raise ToolUnavailable("kube_read is gone")
        return look[0]

    async def pods(self, workload: Target) -> list[PodState]:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        assert look is not None
        return list(look[1])


async def verify(*looks: Look, before: Health | None = None) -> Verification:
    verifier = Verifier(Film(*looks), FakeClock(), poll_s=2, settle_s=10, deadline_s=60)
    return await verifier.verify(action(), WEB, before)


async def test_it_helped_only_after_having_been_well_for_the_settling_time() -> None:
    seen = await verify(UNREADY, UNREADY, WELL)
    assert seen.effect is Effect.HELPED
    assert seen.took_s == pytest.approx(14)


async def test_a_restart_starts_the_settling_anew() -> None:
    def run(count: int) -> Look:
        return (workload(ready=1, desired=1), [pod("web-1", running(restart_count=count))])

    assert (await verify(run(1), run(1), run(2), run(2))).took_s > 10 + 2
    assert (await verify(*[run(n) for n in range(40)])).effect is Effect.NO_EFFECT


async def test_a_rollout_that_never_completes_did_not_help() -> None:
    seen = await verify(UNREADY)
    assert seen.effect is Effect.NO_EFFECT
    assert "0 of 1 ready" in seen.text


async def test_fewer_ready_pods_than_before_is_worse() -> None:
    before = Health(faults=(), ready_count=3, restarts={})
    assert (await verify(UNREADY, before=before)).effect is Effect.WORSE


async def test_what_cannot_be_seen_is_unknown_and_never_helped() -> None:
    assert (await verify(None)).effect is Effect.UNKNOWN


def test_no_replicas_asked_for_is_not_well() -> None:
    assert not health(workload(desired=0), []).well


def test_a_pod_on_its_way_out_does_not_count() -> None:
    leaving = replace(pod("web-0", container(state="terminated")), terminating=True)
    assert health(workload(ready=1, desired=1), [pod("web-1", running()), leaving]).well
