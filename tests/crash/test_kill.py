"""The service is killed at the worst moments; after a restart the incident ends as if nothing had been."""

from collections.abc import Sequence

from aiohttp import web

from domain.attempt import OutcomeKind
from domain.incident import Entry, Incident, Resolution, Station
from mcp_servers.kube.marks import CHANGE_KEY
from tests.crash.proxy import Chooses
from tests.crash.world import World, told

REVISION = "deployment.kubernetes.io/revision"
ROLLED_BACK_ONCE = "3"  # 1 was good, 2 broke, and one rollback makes a third
WHOLE_WAY = [
    "incident_opened",
    "alerts_received",
    "evidence_gathered",
    "decision_made",
    "verdict_given",
    "action_applied",
    "action_verified",
    "evidence_gathered",
    "decision_made",
    "incident_closed",
]


async def test_killed_between_analyze_and_execute(world: World) -> None:
    left = await killed_at(world, decided(world))
    assert left.next is Station.EXECUTE
    assert not left.attempts
    ended = await restarted(world)
    assert_ended_well(world, ended, after=left.timeline)


async def test_killed_before_the_change_reached_the_cluster(world: World) -> None:
    left = await killed_at(world, changing)
    assert not world.proxy.changes
    ended = await restarted(world)
    assert_ended_well(world, ended, after=left.timeline)


async def test_killed_before_the_changes_answer_arrived(world: World) -> None:
    left = await killed_at(world, changing, answered=True)
    assert [change.status for change in world.proxy.changes] == [200]
    ended = await restarted(world)
    assert_ended_well(world, ended, after=left.timeline)
    assert "was applied before" in outcome_text(ended)


async def test_killed_during_verification(world: World) -> None:
    left = await killed_at(world, verifying(world))
    ended = await restarted(world)
    assert_ended_well(world, ended, after=left.timeline)
    assert "was applied before" not in outcome_text(ended), "a settled intent needs no second look"


async def test_killed_right_after_the_webhooks_answer(world: World) -> None:
    async with world.serve() as child:
        await world.send(child)
        await child.kill()
    assert not any(row.report_path for row in await world.incidents())
    assert not world.proxy.changes
    assert_ended_well(world, await restarted(world))


async def killed_at(world: World, moment: Chooses, *, answered: bool = False) -> Incident:
    """Send the alert, kill the service when it comes to the held request; the incident as the disk has it."""
    async with world.serve() as child:
        with world.proxy.holding(moment, answered=answered) as hold:
            await world.send(child)
            await hold.reached()
            await child.kill()
    return await world.the_incident()


async def restarted(world: World) -> Incident:
    """Start the service again, and nothing else; the incident once it is closed."""
    async with world.serve():
        return await world.until(lambda incident: incident.closed)


def assert_ended_well(world: World, ended: Incident, *, after: Sequence[Entry] = ()) -> None:
    """Resolved, changed once, told once, reported."""
    assert ended.resolution is Resolution.RESOLVED, told(ended)
    assert [change.status for change in world.proxy.changes] == [200]
    annotations = world.annotations("web")
    assert annotations[REVISION] == ROLLED_BACK_ONCE
    assert annotations[CHANGE_KEY] == ended.attempts[0].action.key
    assert [entry.event for entry in ended.timeline] == WHOLE_WAY, told(ended)
    assert [entry.seq for entry in ended.timeline] == list(range(1, len(WHOLE_WAY) + 1))
    assert ended.timeline[: len(after)] == list(after)
    report = (world.folder / ended.report_path).read_text(encoding="utf-8")
    assert ended.id in report
    assert "Resolved" in report


def outcome_text(incident: Incident) -> str:
    """What applying the only action returned."""
    (attempt,) = incident.attempts
    assert attempt.outcome is not None
    assert attempt.outcome.kind is OutcomeKind.DONE
    return attempt.outcome.text


async def changing(request: web.Request) -> bool:
    """The change itself."""
    return request.method == "PATCH"


def decided(world: World) -> Chooses:
    """Whatever Execute asks first: the decision is on disk by then."""

    async def chooses(request: web.Request) -> bool:
        rows = await world.incidents()
        return bool(rows) and (await world.the_incident()).next is Station.EXECUTE

    return chooses


def verifying(world: World) -> Chooses:
    """Whatever is asked once the change was answered."""

    async def chooses(request: web.Request) -> bool:
        return bool(world.proxy.changes)

    return chooses


async def test_killed_while_verifying_and_the_alert_has_cleared_meanwhile(world: World) -> None:
    async with world.serve() as child:
        with world.proxy.holding(verifying(world)) as hold:
            await world.send(child)
            await hold.reached()
            await world.send(child, world.resolved())
            await world.filed(2)
            await child.kill()
    assert_ended_well(world, await restarted(world))


async def test_killed_before_the_change_and_the_alert_has_cleared_meanwhile(world: World) -> None:
    async with world.serve() as child:
        with world.proxy.holding(changing) as hold:
            await world.send(child)
            await hold.reached()
            await world.send(child, world.resolved())
            await world.filed(2)
            await child.kill()
    ended = await restarted(world)
    assert ended.resolution is Resolution.NO_ACTION, told(ended)
    assert not world.proxy.changes, "nothing fires any more, so nothing is changed"
