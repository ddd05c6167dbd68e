"""The JSON API on a real server and a real journal."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from domain.incident import Incident, IncidentState
from journal.queue import Wake, WorkQueue
from journal.sqlite import SqliteJournal
from tests.fakes import START, FakeClock
from tests.journal import samples
from utils.http_server import HttpServer, build_application
from web.api import Api


class Desk:
    """A client at a running API."""

    def __init__(self, client: aiohttp.ClientSession, journal: SqliteJournal, queue: WorkQueue) -> None:
        self.client = client
        self.journal = journal
        self.queue = queue

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.client.get(path) as response:
            return response.status, await response.json()

    async def post(self, path: str, **fields: object) -> tuple[int, Any]:
        async with self.client.post(path, json=fields) as response:
            return response.status, await response.json()

    async def park(self, incident_id: str = "inc-1") -> Incident:
        parked = samples.incident(incident_id, key=incident_id)
        parked.state = IncidentState.PARKED
        parked.put_attempt(samples.asking(f"{incident_id}/1"))
        await self.journal.save(parked)
        return parked


async def open_desk(tmp_path: Path, *, token: str = "", size: int = 10) -> AsyncIterator[Desk]:
    queue = WorkQueue(size)
    async with SqliteJournal(tmp_path / "journal.db", clock=FakeClock()) as journal:
        app = build_application(Api(journal, queue, clock=FakeClock(), token=token).routes())
        async with (
            HttpServer(app, host="127.0.0.1", port=0, stop_s=1.0) as server,
            aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client,
        ):
            yield Desk(client, journal, queue)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async for opened in open_desk(tmp_path):
        yield opened


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Desk]:
    async for opened in open_desk(tmp_path, token="s3cret"):
        yield opened


async def test_incidents_are_listed_newest_first_and_filtered(desk: Desk) -> None:
    await desk.journal.save(samples.full_incident("inc-1"))
    await desk.park("inc-2")
    status, answer = await desk.get("/api/incidents")
    assert status == 200 and [row["id"] for row in answer["incidents"]] == ["inc-2", "inc-1"]
    _, answer = await desk.get("/api/incidents?state=closed&limit=1")
    (row,) = answer["incidents"]
    assert (row["id"], row["state"], row["resolution"]) == ("inc-1", "closed", "resolved")
    assert row["closed_at"] == "2026-11-20T13:01:00+00:00"


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=burning", "state"), ("limit=0", "limit"), ("limit=x", "limit"), ("limit=501", "limit")],
)
async def test_a_wrong_filter_is_named(desk: Desk, query: str, field: str) -> None:
    status, answer = await desk.get(f"/api/incidents?{query}")
    assert (status, answer["error"]["field"]) == (400, field)


async def test_an_incident_is_shown_whole(desk: Desk) -> None:
    await desk.journal.save(samples.full_incident())
    status, answer = await desk.get("/api/incidents/inc-1")
    assert status == 200
    assert [entry["event"] for entry in answer["timeline"]] == ["incident_opened", "incident_closed"]
    assert {item["seen"]["fact"]["fact"] for item in answer["evidence"]} == {
        "workload",
        "pod",
        "node",
        "event",
        "log",
        "text",
    }


@pytest.mark.parametrize("path", ["/api/incidents/inc-9", "/api/incidents/inc-9/report"])
async def test_an_unknown_incident_is_404_with_the_nearest(desk: Desk, path: str) -> None:
    await desk.park("inc-1")
    status, answer = await desk.get(path)
    assert status == 404 and "inc-1" in answer["error"]["message"]


async def test_a_report_is_served_as_markdown_once_it_is_there(desk: Desk, tmp_path: Path) -> None:
    closed = samples.full_incident()
    closed.report_path = str(tmp_path / "inc-1.md")
    await desk.journal.save(closed)
    status, answer = await desk.get("/api/incidents/inc-1/report")
    assert (status, answer["error"]["hint"]) == (404, "its file was moved away")
    await asyncio.to_thread(Path(closed.report_path).write_text, "# It ended – well", encoding="utf-8")
    async with desk.client.get("/api/incidents/inc-1/report") as response:
        assert (response.status, response.content_type) == (200, "text/markdown")
        assert await response.text() == "# It ended – well"


async def test_an_open_incident_has_no_report_yet(desk: Desk) -> None:
    await desk.park()
    status, answer = await desk.get("/api/incidents/inc-1/report")
    assert (status, answer["error"]["hint"]) == (404, "it is written when the incident closes")


async def test_pending_questions_say_all_one_needs_to_answer(desk: Desk) -> None:
    await desk.journal.save(samples.full_incident("inc-0"))
    await desk.park("inc-1")
    _, answer = await desk.get("/api/approvals/pending")
    (question,) = answer["pending"]
    assert question["incident_id"] == "inc-1"
    assert question["action"].startswith("rollback_workload Deployment/shop/web")
    assert (question["rule"], question["asked_because"]) == ("risk.over_limit", "risk 0.7")
    await desk.post("/api/approvals/inc-1/approve", approver="ada")
    assert await desk.get("/api/approvals/pending") == (200, {"pending": []})


@pytest.mark.parametrize(("verb", "granted"), [("approve", True), ("reject", False)])
async def test_an_answer_is_journalled_and_wakes_the_incident(desk: Desk, verb: str, granted: bool) -> None:
    await desk.park()
    status, answer = await desk.post(f"/api/approvals/inc-1/{verb}", approver=" ada ", reason="seen")
    assert status == 200 and answer["approval"]["granted"] is granted
    standing = await desk.journal.approval_of("inc-1/1")
    assert standing is not None
    assert (standing.approver, standing.granted, standing.reason, standing.decided_at) == (
        "ada",
        granted,
        "seen",
        START,
    )
    assert await desk.queue.get() == Wake(incident_id="inc-1")


async def test_a_second_answer_is_told_who_was_first(desk: Desk) -> None:
    await desk.park()
    await desk.post("/api/approvals/inc-1/approve", approver="ada")
    status, answer = await desk.post("/api/approvals/inc-1/reject", approver="bob")
    assert status == 409
    assert answer["error"]["message"] == "ada has approved inc-1/1 at 2026-11-20T12:52:00+00:00"


async def test_of_many_answers_at_once_one_stands(desk: Desk) -> None:
    await desk.park()
    people = [f"person-{n}" for n in range(20)]
    answers = await asyncio.gather(
        *(desk.post("/api/approvals/inc-1/approve", approver=person) for person in people)
    )
    assert sorted(status for status, _ in answers) == [200] + [409] * 19
    assert desk.queue.depth == 1


async def test_an_answer_to_what_was_answered_and_done_names_the_first(desk: Desk) -> None:
    done = samples.full_incident()
    await desk.journal.save(done)
    status, answer = await desk.post("/api/approvals/inc-1/approve", approver="bob")
    assert status == 409 and answer["error"]["message"].startswith("ada has approved")


async def test_an_incident_that_asks_nothing_is_409(desk: Desk) -> None:
    await desk.journal.save(samples.incident())
    status, answer = await desk.post("/api/approvals/inc-1/approve", approver="ada")
    assert status == 409 and "does not wait" in answer["error"]["message"]


async def test_an_incident_that_is_not_parked_yet_is_409(desk: Desk) -> None:
    parked = await desk.park()
    await desk.journal.save(replace(parked, state=IncidentState.OPEN))
    status, _ = await desk.post("/api/approvals/inc-1/approve", approver="ada")
    assert status == 409


async def test_an_answer_to_an_unknown_incident_is_404(desk: Desk) -> None:
    status, _ = await desk.post("/api/approvals/inc-9/approve", approver="ada")
    assert status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "approver"),
        ({"approver": "  "}, "approver"),
        ({"approver": 7}, "approver"),
        ({"approver": "ada", "reasons": "typo"}, "reasons"),
        ({"approver": "ada", "reason": "x" * 3000}, "reason"),
    ],
)
async def test_a_wrong_answer_is_named(desk: Desk, fields: dict[str, object], field: str) -> None:
    await desk.park()
    status, answer = await desk.post("/api/approvals/inc-1/approve", **fields)
    assert (status, answer["error"]["field"]) == (400, field)
    assert await desk.journal.approval_of("inc-1/1") is None


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b'{"approver": "ada"}', {"Content-Type": "text/plain"}, 415),
        (b'{"approver": "ada"}', {}, 415),
        (b" " * 20_000, {"Content-Type": "application/json"}, 413),
    ],
)
async def test_a_wrong_body_is_refused(desk: Desk, raw: bytes, headers: dict[str, str], status: int) -> None:
    await desk.park()
    async with desk.client.post(
        "/api/approvals/inc-1/approve", data=raw, headers=headers, skip_auto_headers=["Content-Type"]
    ) as response:
        assert response.status == status
        assert "error" in await response.json()
    assert await desk.journal.approval_of("inc-1/1") is None


async def test_a_full_queue_does_not_lose_an_answer(tmp_path: Path) -> None:
    async for desk in open_desk(tmp_path, size=1):
        desk.queue.offer(Wake(incident_id="other"))
        await desk.park()
        status, _ = await desk.post("/api/approvals/inc-1/approve", approver="ada")
        assert status == 200
        assert await desk.journal.answered() == ["inc-1"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/incidents"),
        ("GET", "/api/incidents/inc-1"),
        ("GET", "/api/incidents/inc-1/report"),
        ("GET", "/api/approvals/pending"),
        ("POST", "/api/approvals/inc-1/approve"),
        ("POST", "/api/approvals/inc-1/reject"),
    ],
)
async def test_every_path_asks_for_the_token(guarded: Desk, method: str, path: str) -> None:
    await guarded.park()
    async with guarded.client.request(method, path, json={"approver": "ada"}) as response:
        assert response.status == 401
    right = {"Authorization": "Bearer s3cret"}
    async with guarded.client.request(method, path, json={"approver": "ada"}, headers=right) as response:
        assert response.status == (404 if path.endswith("report") else 200)


async def test_an_unusable_journal_is_503(desk: Desk) -> None:
    await desk.journal.__aexit__(None, None, None)
    status, answer = await desk.get("/api/incidents")
    assert status == 503 and "closed" in answer["error"]["message"]
