"""Stopped by a signal while it watches a change, the service ends soon and cleanly, and goes on later."""

from signal import SIGINT, SIGTERM, Signals

from domain.incident import Resolution
from tests.crash.child import Child
from tests.crash.test_kill import assert_ended_well, verifying
from tests.crash.world import STOP_S, World


async def test_stopped_by_signals_while_verifying_the_incident_goes_on(world: World) -> None:
    async with world.serve() as child:
        with world.proxy.holding(verifying(world)) as hold:
            await world.send(child)
            await hold.reached()
            await assert_stops(child, SIGTERM)
    async with world.serve() as child:
        with world.proxy.holding(verifying(world)) as hold:
            await hold.reached()
            await assert_stops(child, SIGINT)
    left = await world.the_incident()
    assert left.resolution is None
    async with world.serve():
        ended = await world.until(lambda incident: incident.closed)
    assert ended.resolution is Resolution.RESOLVED
    assert_ended_well(world, ended, after=left.timeline)


async def assert_stops(child: Child, number: Signals) -> None:
    """With exit code 0, within the time that the settings promise, and saying so."""
    ended = await child.stop(number)
    assert ended.code == 0
    assert ended.took_s < STOP_S
    assert "Stopping: steps in hand may finish." in ended.out
