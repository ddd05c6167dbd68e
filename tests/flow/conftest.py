"""The whole service on the sandbox, in this process: real HTTP, journal, MCP tools and cluster."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest

from app import Place, Service, open_place, open_service
from domain.incident import Incident, IncidentState
from journal.port import IncidentSummary
from utils.settings import FilesSection, SandboxSection, ServerSection, Settings, VerifySection

PATIENCE_S = 60.0
QUICK = VerifySection(poll_s=0.05, settle_s=0.6, deadline_s=25.0)  # at speed 8, 4.8 s of the cluster's time


def quick_settings(folder: Path, **changes: Any) -> Settings:
    """Settings whose files lie in `folder`, without an LLM whatever the environment holds."""
    given: dict[str, Any] = {
        "server": ServerSection(port=0, stop_s=3.0),
        "sandbox": SandboxSection(speed=8.0, verify=QUICK, observed=False),
        "verify": QUICK,
        "files": FilesSection(journal=folder / "data" / "journal.db", reports=folder / "reports"),
        "analyst": "rules",
        **changes,
    }
    return Settings(**given)


@dataclass
class World:
    """A running service with its sandbox, and hands to use them."""

    service: Service
    place: Place
    http: aiohttp.ClientSession

    async def post_alert(self, **changes: Any) -> int:
        """Send the scenario's alert, with fields of the alert changed."""
        body = json.loads(self.place.alert)
        body["alerts"][0] |= changes
        async with self.http.post(f"{self.service.url}/webhook", json=body) as answer:
            return answer.status

    async def until(self, condition: Callable[[IncidentSummary], bool]) -> Incident:
        """The first incident that is as wanted; fails after PATIENCE_S."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for row in await self.service.journal.incidents():
                    if condition(row):
                        return await self.service.journal.load(row.id)
                await asyncio.sleep(0.02)

    async def closed(self) -> Incident:
        """The first incident once it is closed."""
        return await self.until(lambda row: row.state is IncidentState.CLOSED)

    async def parked(self) -> Incident:
        """The first incident once it waits for a person."""
        return await self.until(lambda row: row.state is IncidentState.PARKED)


@asynccontextmanager
async def serving(settings: Settings, place: Place) -> AsyncIterator[World]:
    """The service at a place that is open already."""
    async with open_service(settings, place) as service, aiohttp.ClientSession() as http:
        yield World(service=service, place=place, http=http)


@asynccontextmanager
async def open_world(
    settings: Settings, scenario: str, *, judged_as: Literal["cluster", "sandbox"] = "sandbox"
) -> AsyncIterator[World]:
    """Service and sandbox with a scenario that has just happened; `judged_as` picks policy's defaults."""
    async with (
        open_place(settings, sandbox=True, scenario=scenario) as place,
        serving(settings, replace(place, kind=judged_as)) as world,
    ):
        yield world


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path)
