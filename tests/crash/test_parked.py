"""Incidents that wait for a person: killed, answered while the service is down, answered over HTTP."""

import json

import aiohttp

from domain.incident import Incident, IncidentState, Resolution
from sandbox.embedded import alert_body
from sandbox.scenario import AlertSpec
from tests.crash.child import Child, command
from tests.crash.world import World, told

DEPLOYMENTS = ("web", "cart", "mail", "search")
REVISION = "deployment.kubernetes.io/revision"


async def test_parked_incidents_outlive_a_kill_and_go_on_by_what_becomes_of_them(
    cautious_world: World,
) -> None:
    world = cautious_world
    async with world.serve() as child:
        parked = [await parked_incident(world, child, name) for name in DEPLOYMENTS]
        await child.kill()
    assert not world.proxy.changes
    web, cart, mail, search = parked

    answer = await command(world.folder, "approve", web.id, "--by", "ann", "--reason", "seen")
    assert answer.code == 0
    assert answer.out.startswith("Approved: rollback_workload Deployment/shop/web")
    assert not world.proxy.changes, "the answer alone changes nothing"
    late = await command(world.folder, "reject", web.id, "--by", "eve")
    assert late.code == 1, "the first answer stands, and the second person has to know it"
    assert "Already approved by ann" in world.log()

    async with world.serve() as child:
        assert_rolled_back(world, await closed(world, web), approver="ann")

        assert await post_answer(child, cart, "approve", approver="bob") == 200
        assert_rolled_back(world, await closed(world, cart), approver="bob")

        assert await post_answer(child, mail, "reject", approver="eve") == 200
        assert_left_alone(world, await closed(world, mail), Resolution.ESCALATED)

        await world.send(child, alert_of(world, "search", resolved=True))
        assert_left_alone(world, await closed(world, search), Resolution.NO_ACTION)

        assert await post_answer(child, search, "approve", approver="bob") == 409
    assert len(world.proxy.changes) == 2


async def parked_incident(world: World, child: Child, name: str) -> Incident:
    """Send the alert of one deployment; its incident once it waits for a person."""
    known = {row.id for row in await world.incidents()}
    await world.send(child, alert_of(world, name))
    opened = await world.opened_since(known)
    return await world.until(lambda incident: incident.state is IncidentState.PARKED, opened)


def alert_of(world: World, name: str, *, resolved: bool = False) -> bytes:
    """The scenario's alert for another of its deployments."""
    spec = AlertSpec(labels={**(world.scenario.alert.labels or {}), "deployment": name})
    body = json.loads(alert_body(world.scenario.model_copy(update={"alert": spec}), at=world.broken_at))
    if resolved:
        body["status"] = body["alerts"][0]["status"] = "resolved"
        body["alerts"][0]["endsAt"] = "2100-01-01T00:00:00Z"
    return json.dumps(body).encode()


async def post_answer(child: Child, incident: Incident, word: str, *, approver: str) -> int:
    """Answer over HTTP; the status."""
    url = f"{child.url}/api/approvals/{incident.id}/{word}"
    async with aiohttp.ClientSession() as session, session.post(url, json={"approver": approver}) as answer:
        return answer.status


async def closed(world: World, incident: Incident) -> Incident:
    """The same incident at its end."""
    return await world.until(lambda found: found.closed, incident.id)


def assert_rolled_back(world: World, ended: Incident, *, approver: str) -> None:
    """The change that a person allowed was made once, and it helped."""
    assert ended.resolution is Resolution.RESOLVED, told(ended)
    (attempt,) = ended.attempts
    assert attempt.approval is not None
    assert attempt.approval.approver == approver
    assert world.annotations(ended.target.name)[REVISION] == "3"
    assert f"approved by {approver}" in (world.folder / ended.report_path).read_text(encoding="utf-8")
    assert [entry.event for entry in ended.timeline].count("approval_awaited") == 1


def assert_left_alone(world: World, ended: Incident, resolution: Resolution) -> None:
    """Nothing was changed, and the incident says so."""
    assert ended.resolution is resolution, told(ended)
    assert not any(attempt.applied for attempt in ended.attempts)
    assert world.annotations(ended.target.name)[REVISION] == "2"
    assert (world.folder / ended.report_path).exists()
