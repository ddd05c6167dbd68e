"""Alive, ready, status: what is wrong is named, and it heals."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from domain.errors import JournalUnavailable
from domain.incident import IncidentState
from journal.queue import Wake, WorkQueue
from tests.fakes import FakeClock
from utils.http_server import HttpServer, build_application
from web import health as module
from web.health import Health


@dataclass
class Server:
    name: str
    connected: bool
    tools_count: int = 0
    last_error: str = ""


@dataclass
class Parts:
    """The service's parts as health sees them; each can be broken."""

    trouble: JournalUnavailable | None = None
    mute: bool = False
    working: bool = True
    servers: list[Server] = field(default_factory=lambda: [Server("kube", True, 17)])
    clock: FakeClock = field(default_factory=FakeClock)
    queue: WorkQueue = field(default_factory=lambda: WorkQueue(5))

    async def ready(self) -> None:
        if self.mute:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble

    async def counts(self) -> dict[IncidentState, int]:
        await self.ready()
        return {IncidentState.OPEN: 2, IncidentState.PARKED: 1, IncidentState.CLOSED: 0}


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[aiohttp.ClientSession]:
    health = Health(
        parts,
        parts.queue,
        clock=parts.clock,
        version="1.2.3",
        analyst="rules",
        worker_runs=lambda: parts.working,
        tool_servers=lambda: parts.servers,
    )
    app = build_application(health.routes())
    async with (
        HttpServer(app, host="127.0.0.1", port=0, stop_s=1.0) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session,
    ):
        yield session


async def reasons(client: aiohttp.ClientSession) -> tuple[int, list[str]]:
    async with client.get("/ready") as response:
        answer = await response.json()
        return response.status, answer["reasons"]


async def test_a_living_service_is_alive_even_when_nothing_works(
    client: aiohttp.ClientSession, parts: Parts
) -> None:
    parts.trouble, parts.working = JournalUnavailable("full"), False
    async with client.get("/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "alive"})


async def test_ready_when_all_parts_work(client: aiohttp.ClientSession) -> None:
    assert await reasons(client) == (200, [])


async def test_not_ready_names_every_reason_and_heals(client: aiohttp.ClientSession, parts: Parts) -> None:
    parts.trouble, parts.working = JournalUnavailable("the disk is full"), False
    parts.servers = [Server("kube", False, last_error="exited with 1"), Server("prom", True)]
    status, named = await reasons(client)
    assert status == 503
    assert named == [
        "the worker is not running: restart the service",
        "tool server kube is not connected: exited with 1",
        "the disk is full",
    ]
    parts.trouble, parts.working, parts.servers = None, True, []
    assert await reasons(client) == (200, [])


async def test_a_mute_journal_is_not_waited_for(
    client: aiohttp.ClientSession, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASK_S", 0.05)
    parts.mute = True
    assert await reasons(client) == (503, ["the journal did not commit within 0.05 s"])


async def test_status_says_what_the_service_is_doing(client: aiohttp.ClientSession, parts: Parts) -> None:
    await parts.clock.sleep(90)
    parts.queue.offer(Wake(incident_id="inc-1"))
    async with client.get("/status") as response:
        assert await response.json() == {
            "version": "1.2.3",
            "uptime_s": 90.0,
            "analyst": "rules",
            "worker_running": True,
            "queue": {"depth": 1, "capacity": 5},
            "incidents": {"open": 2, "parked": 1, "closed": 0},
            "tool_servers": [{"name": "kube", "connected": True, "tools_count": 17, "last_error": ""}],
        }


async def test_status_answers_without_the_journal(client: aiohttp.ClientSession, parts: Parts) -> None:
    parts.trouble = JournalUnavailable("full")
    async with client.get("/status") as response:
        assert response.status == 200
        assert (await response.json())["incidents"] is None
