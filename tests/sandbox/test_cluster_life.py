"""The cluster as a whole: the same under one seed, quick in virtual time, alive in real time."""

import asyncio
import re
from pathlib import Path

from sandbox.clock import SimClock
from sandbox.cluster import Cluster
from sandbox.fields import name_of
from sandbox.kinds import kind_of
from sandbox.kubelet.timings import Timings
from sandbox.tables import Change
from tests.sandbox.worlds import World, deployment, pod_template

DOCS = Path(__file__).parents[2] / "docs" / "sandbox-annotations.md"


def story(seed: int) -> list[tuple[str, str]]:
    """All that was said in a cluster with a good and a bad workload, in order."""
    cluster = Cluster(3, seed, timings=Timings.brisk())
    cluster.apply([deployment("good", 4), deployment("bad", 2, pod_template(image="shop/app:crash"))])
    cluster.advance(300)
    events = cluster.store.list(kind_of("Event"))
    return [(name_of(event), event["message"]) for event in events]


def test_equal_seeds_tell_equal_stories() -> None:
    assert story(7) == story(7)
    assert story(7) != story(8)


def test_a_quiet_minute_costs_as_little_after_twenty_as_after_one() -> None:
    """What is written is what virtual time costs: leases, back-offs; nothing that piles up."""
    world = World()
    world.apply([deployment("good", 10), deployment("bad", 3, pod_template(image="shop/app:crash"))])
    world.advance(300)
    early_count = writes_in_a_minute(world)
    world.advance(1200)
    assert world.get("Deployment", "good")["status"]["availableReplicas"] == 10
    assert writes_in_a_minute(world) <= early_count


def writes_in_a_minute(world: World) -> int:
    before = world.store.revision
    world.advance(60)
    return world.store.revision - before


async def test_a_cluster_lives_in_real_time_too() -> None:
    cluster = Cluster(3, timings=Timings.brisk(), clock=SimClock.from_wall())
    available = asyncio.Event()

    def look(change: Change) -> None:
        if (change.object.get("status") or {}).get("availableReplicas") == 2:
            available.set()

    cluster.store.subscribe(kind_of("Deployment"), look)
    living = asyncio.create_task(cluster.run(speed=50.0))
    cluster.apply([deployment("web", 2)])
    async with asyncio.timeout(5):
        await available.wait()
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


def test_settle_says_whether_the_cluster_came_to_rest() -> None:
    world = World()
    world.apply([deployment("web", 2)])
    assert world.settle()
    crowd = pod_template(notes={"run-seconds": "0.5"})
    world.apply([deployment("busy", 2, crowd)])
    assert not world.settle(max_s=2.0)


def test_every_annotation_the_code_reads_is_documented() -> None:
    """Names in the code (`sandbox/x`, `_note("x")`, `_own("x")`) against those in the page."""
    root = Path(__file__).parents[2] / "sandbox"
    code = "\n".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py"))
    read = set(re.findall(r'"sandbox/([a-z-]+)"', code)) | set(
        re.findall(r'_(?:note|own)\("([a-z-]+)"\)', code)
    )
    told = set(re.findall(r"sandbox/([a-z-]+)", DOCS.read_text(encoding="utf-8")))
    assert read - told == set()
