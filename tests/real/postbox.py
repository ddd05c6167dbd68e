"""Posting to a service in this process, and waiting until it is done with what was posted."""

import asyncio
import time
from dataclasses import dataclass

import aiohttp

from app import Service
from domain.incident import Incident

PATIENCE_S = 10.0
LOOK_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """How a body was answered, and the incidents that it opened, closed by now."""

    status: int
    alerts_count: int
    truncated_count: int
    opened: list[Incident]


async def posted(service: Service, body: bytes, path: str = "/webhook") -> Became:
    """Post it, and wait until the service is done with it."""
    known = {row.id for row in await service.journal.incidents(limit=1000)}
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(service.url + path, data=body) as answer,
    ):
        said = await answer.json()
    await settled(service)
    rows = await service.journal.incidents(limit=1000)
    opened = [await service.journal.load(row.id) for row in rows if row.id not in known]
    return Became(
        status=answer.status,
        alerts_count=said["alerts"],
        truncated_count=said["truncated"],
        opened=opened,
    )


async def settled(service: Service) -> None:
    """Return once every delivery is filed and every incident closed."""
    journal, deadline_s = service.journal, time.monotonic() + PATIENCE_S
    while await journal.unhandled_deliveries(limit=1) or await journal.unfinished():
        assert time.monotonic() < deadline_s, "it is still at work"
        await asyncio.sleep(LOOK_S)
