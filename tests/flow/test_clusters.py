"""Several clusters under one service: an incident is looked into, and changed, in its own cluster only."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app import Place, open_place, scenario_file
from domain.incident import IncidentState, Resolution
from sandbox.embedded import Embedded, open_embedded
from sandbox.fields import Obj
from sandbox.kinds import kind_of
from sandbox.scenario import load_scenario
from tests.flow.conftest import World, open_world, quick_settings, serving
from utils.settings import ApiSection, ClusterSection, Settings

GOOD = "registry.example.com/shop/web:2.4.1"


def labelled(place: Place, cluster: str) -> dict[str, str]:
    """The labels of the place's alert, naming a cluster."""
    labels: dict[str, str] = json.loads(place.alert)["alerts"][0]["labels"]
    return labels | {"region": cluster}


def image(embedded: Embedded) -> str:
    """The image of shop/web in a sandbox."""
    web: Obj = embedded.cluster.store.get(kind_of("Deployment"), "shop", "web")
    return str(web["spec"]["template"]["spec"]["containers"][0]["image"])


@asynccontextmanager
async def two_clusters(folder: Path) -> AsyncIterator[tuple[World, Embedded, Embedded]]:
    """A service on east and west, where the same deployment has broken in the same way."""
    scenario = load_scenario(scenario_file("bad-image"))
    async with open_embedded(folder / "west", nodes_count=3, speed=8.0, scenario=scenario) as west:
        section = ClusterSection(
            name="west", kubeconfig=str(west.kubeconfig), prometheus=ApiSection(url=west.prometheus_url)
        )
        settings = quick_settings(folder, cluster="east", cluster_label="region", clusters=[section])
        async with (
            open_place(settings, sandbox=True, scenario="bad-image") as place,
            serving(settings, place) as world,
        ):
            assert place.embedded is not None
            yield world, place.embedded, west


async def test_an_incident_is_mended_in_its_own_cluster_and_the_other_is_left_alone(tmp_path: Path) -> None:
    async with two_clusters(tmp_path) as (world, east, west):
        await world.post_alert(labels=labelled(world.place, "west"), fingerprint="west")
        first = await world.closed()
        assert (first.resolution, first.target.cluster) == (Resolution.RESOLVED, "west")
        assert image(west) == GOOD != image(east)
        await world.post_alert(labels=labelled(world.place, "east"), fingerprint="east")
        second = await world.until(lambda row: row.state is IncidentState.CLOSED and row.id != first.id)
        assert (second.resolution, second.target.cluster) == (Resolution.RESOLVED, "east")
        assert image(east) == GOOD


async def test_a_cluster_that_nobody_configured_is_left_to_a_person(tmp_path: Path) -> None:
    async with two_clusters(tmp_path) as (world, east, west):
        async with world.http.get(f"{world.service.url}/status") as answer:
            servers = {server["name"] for server in (await answer.json())["tool_servers"]}
        await world.post_alert(labels=labelled(world.place, "north"))
        incident = await world.closed()
        images = {image(east), image(west)}
    assert {"kube-read", "kube-change", "kube-read@west", "kube-change@west", "prom@west"} <= servers
    assert "loki@west" not in servers  # there is none
    assert (incident.resolution, incident.attempts) == (Resolution.ESCALATED, [])
    assert GOOD not in images
    assert "clusters in config.yaml" in Path(incident.report_path).read_text(encoding="utf-8")


async def test_with_one_cluster_a_name_in_alerts_is_for_people_only(settings: Settings) -> None:
    async with open_world(settings, "bad-image") as world:
        await world.post_alert(labels=labelled(world.place, "anything") | {"cluster": "anything"})
        incident = await world.closed()
    assert (incident.resolution, incident.target.cluster) == (Resolution.RESOLVED, "anything")
