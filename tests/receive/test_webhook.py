"""The doors for alerts on a real server and journal: what is answered 200 is kept, the rest is said."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from domain.alert import Delivery
from domain.errors import JournalUnavailable
from journal.queue import Feeder, Wake, WorkQueue
from journal.sqlite import SqliteJournal
from receive import webhook as module
from receive.webhook import Webhook
from tests.fakes import FakeClock
from tests.journal.sabotage import set_pragma
from tests.receive.bodies import CAPTURED, alert, body, captured, mixins
from utils.http_server import HttpServer, build_application

PATHS = ("/webhook", "/", "/alerts", "/api/v1/alerts")
LISTED = json.dumps([{"labels": {"alertname": "Down", "pod": "web-0"}}]).encode()


class Tally:
    """Counts what the doors report."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, int]] = Counter()
        self.alerts_count = 0

    def count_delivery(self, *, source: str, status: int, alerts_count: int = 0) -> None:
        self.seen[source, status] += 1
        self.alerts_count += alerts_count


class Stuck:
    """A journal that cannot commit until it is healed; `mute` never answers."""

    def __init__(self) -> None:
        self.healed = False
        self.mute = False
        self.kept: list[Delivery] = []

    async def keep_delivery(self, delivery: Delivery) -> None:
        if self.mute:
            await asyncio.Event().wait()
        if not self.healed:
            raise JournalUnavailable("the disk is full")
        self.kept.append(delivery)


class Door:
    """A client at a running server."""

    def __init__(self, client: aiohttp.ClientSession, queue: WorkQueue, tally: Tally) -> None:
        self.client = client
        self.queue = queue
        self.tally = tally

    async def post(self, raw: bytes, path: str = "/webhook", **headers: str) -> tuple[int, dict[str, object]]:
        typed = {"Content-Type": "application/json", **headers}
        async with self.client.post(path, data=raw, headers=typed) as response:
            answer: dict[str, object] = await response.json()
            return response.status, answer

    async def error(self, raw: bytes, path: str = "/webhook", **headers: str) -> tuple[int, str, str]:
        status, answer = await self.post(raw, path, **headers)
        error = answer["error"]
        assert isinstance(error, dict)
        return status, str(error["message"]), str(error["field"])


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(tmp_path / "journal.db", clock=FakeClock()) as opened:
        yield opened


async def open_door(
    store: module.DeliveryStore, *, size: int = 1000, token: str = "", max_body_bytes: int = 1 << 20
) -> AsyncIterator[Door]:
    queue, tally = WorkQueue(size), Tally()
    hook = Webhook(store, queue, clock=FakeClock(), metrics=tally, token=token, max_body_bytes=max_body_bytes)
    app = build_application(hook.routes())
    async with (
        HttpServer(app, host="127.0.0.1", port=0, stop_s=1.0) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client,
    ):
        yield Door(client, queue, tally)


@pytest.fixture
async def door(journal: SqliteJournal) -> AsyncIterator[Door]:
    async for opened in open_door(journal):
        yield opened


@pytest.fixture
async def guarded(journal: SqliteJournal) -> AsyncIterator[Door]:
    async for opened in open_door(journal, token="s3cret", max_body_bytes=5000):
        yield opened


@pytest.fixture
async def narrow(journal: SqliteJournal) -> AsyncIterator[Door]:
    async for opened in open_door(journal, size=1):
        yield opened


@pytest.fixture
def stuck() -> Stuck:
    return Stuck()


@pytest.fixture
async def broken(stuck: Stuck) -> AsyncIterator[Door]:
    async for opened in open_door(stuck):
        yield opened


@pytest.mark.parametrize("path", PATHS)
async def test_an_accepted_delivery_is_kept_and_queued(door: Door, journal: SqliteJournal, path: str) -> None:
    status, answer = await door.post(captured("truncated-8-to-3"), path)
    assert (status, answer["alerts"], answer["truncated"]) == (200, 3, 5)
    (kept,) = await journal.unhandled_deliveries(limit=9)
    assert (kept.id, kept.source, kept.sender) == (answer["delivery"], "alertmanager", "127.0.0.1")
    assert kept.body == captured("truncated-8-to-3")
    assert await door.queue.get() == Wake(delivery=kept)
    assert door.tally.seen == {("alertmanager", 200): 1} and door.tally.alerts_count == 3


@pytest.mark.parametrize("path", ["/api/v1/alerts", "/api/v2/alerts"])
async def test_prometheus_lists_are_taken_on_its_own_paths(
    door: Door, journal: SqliteJournal, path: str
) -> None:
    status, answer = await door.post(LISTED, path)
    assert (status, answer["alerts"]) == (200, 1)
    assert [kept.source for kept in await journal.unhandled_deliveries(limit=9)] == ["prometheus"]


async def test_every_captured_and_mixin_body_is_accepted(door: Door, journal: SqliteJournal) -> None:
    bodies = [captured(name) for name in CAPTURED] + mixins()
    assert {(await door.post(raw))[0] for raw in bodies} == {200}
    assert [kept.body for kept in await journal.unhandled_deliveries(limit=99)] == bodies


async def test_two_hundred_posts_at_once_are_all_kept(door: Door, journal: SqliteJournal) -> None:
    answers = await asyncio.gather(*(door.post(body(alert(fingerprint=f"f{n}"))) for n in range(200)))
    assert {status for status, _ in answers} == {200}
    kept = {one.id for one in await journal.unhandled_deliveries(limit=999)}
    assert kept == {answer["delivery"] for _, answer in answers} and len(kept) == 200
    assert door.queue.depth == 200


async def test_a_body_without_a_content_type_is_read(door: Door) -> None:
    skipped = ("Content-Type",)
    async with door.client.post("/webhook", data=captured("firing-1"), skip_auto_headers=skipped) as response:
        assert response.status == 200


async def test_a_packed_body_is_unpacked(door: Door, journal: SqliteJournal) -> None:
    headers = {"Content-Encoding": "gzip"}
    status, _ = await door.post(gzip.compress(captured("firing-1")), **headers)
    assert status == 200
    assert (await journal.unhandled_deliveries(limit=9))[0].body == captured("firing-1")


async def test_a_body_that_claims_to_be_packed_is_refused(door: Door) -> None:
    status, message, _ = await door.error(captured("firing-1"), **{"Content-Encoding": "gzip"})
    assert status == 400 and message


async def test_a_large_body_is_parsed_beside_the_loop(door: Door) -> None:
    many = body(*(alert(fingerprint=f"f{n}") for n in range(2000)))
    assert len(many) > module.INLINE_PARSE_BYTES
    status, answer = await door.post(many)
    assert (status, answer["alerts"]) == (200, 2000)


async def test_what_is_wrong_is_named(door: Door, journal: SqliteJournal) -> None:
    status, message, field = await door.error(body(alert(startsAt="yesterday")))
    assert (status, field) == (400, "alerts[0].startsAt")
    assert message == 'alerts[0].startsAt: expected a timestamp, got "yesterday"'
    assert await door.error(LISTED) == (400, message_of_list(), "body")
    assert (await door.error(captured("firing-1"), "/api/v2/alerts"))[0] == 400
    assert await journal.unhandled_deliveries(limit=9) == []
    assert door.tally.seen == {("alertmanager", 400): 2, ("prometheus", 400): 1}


def message_of_list() -> str:
    return f"body: expected an object, got {LISTED.decode()[:60]}" + ("…" if len(LISTED) > 60 else "")


async def test_an_error_names_the_next_step(door: Door) -> None:
    _, answer = await door.post(b"{}")
    assert answer == {
        "error": {
            "message": "alerts: is missing",
            "field": "alerts",
            "hint": "send the body of an Alertmanager webhook: an object with a list of alerts",
        }
    }


@pytest.mark.parametrize("path", [*PATHS, "/api/v2/alerts"])
async def test_other_methods_are_refused(door: Door, path: str) -> None:
    async with door.client.get(path) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert "error" in await response.json()


@pytest.mark.parametrize("said", ["", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer s3cretÿ"])
async def test_a_wrong_token_is_refused_before_the_body_is_read(guarded: Door, said: str) -> None:
    headers = {"Authorization": said} if said else {}
    async with guarded.client.post("/webhook", data=b"x" * 9000, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert guarded.tally.seen == {("alertmanager", 401): 1}


async def test_the_right_token_is_let_in(guarded: Door) -> None:
    status, _ = await guarded.post(captured("firing-1"), Authorization="Bearer s3cret")
    assert status == 200


async def test_another_content_type_is_refused(door: Door) -> None:
    status, message, field = await door.error(captured("firing-1"), **{"Content-Type": "text/plain"})
    assert (status, field) == (415, "Content-Type") and "text/plain" in message


async def test_a_body_beyond_the_bound_is_refused(guarded: Door) -> None:
    token = {"Authorization": "Bearer s3cret"}
    status, message, _ = await guarded.error(b" " * 5001, **token)
    assert status == 413 and "5000" in message
    packed = gzip.compress(b" " * 5_000_000)
    assert len(packed) < 5000 * 2
    status, _, _ = await guarded.error(packed, **token, **{"Content-Encoding": "gzip"})
    assert status == 413


async def test_a_body_of_unknown_length_is_bounded_too(guarded: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1000

    headers = {"Authorization": "Bearer s3cret", "Content-Type": "application/json"}
    async with guarded.client.post("/webhook", data=chunks(), headers=headers) as response:
        assert response.status == 413


async def test_a_full_queue_asks_to_come_back(narrow: Door, journal: SqliteJournal) -> None:
    assert (await narrow.post(captured("firing-1")))[0] == 200
    async with narrow.client.post("/webhook", data=captured("resolved-1"), headers=JSON) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert len(await journal.unhandled_deliveries(limit=9)) == 1
    await narrow.queue.get()
    assert (await narrow.post(captured("resolved-1")))[0] == 200


JSON = {"Content-Type": "application/json"}


async def test_what_was_kept_while_the_queue_filled_up_is_fed_later(
    narrow: Door, journal: SqliteJournal
) -> None:
    answers = await asyncio.gather(*(narrow.post(body(alert(fingerprint=f"f{n}"))) for n in range(20)))
    accepted = {answer["delivery"] for status, answer in answers if status == 200}
    assert narrow.queue.depth == 1 and len(accepted) > 1  # several were committed, one found a place
    feeding = asyncio.ensure_future(Feeder(journal, narrow.queue, clock=FakeClock()).run())
    handled: set[str] = set()
    while handled != accepted:
        wake = await asyncio.wait_for(narrow.queue.get(), 5)
        assert wake.delivery is not None and wake.delivery.id not in handled
        await journal.drop_delivery(wake.delivery.id, reason="seen", at=wake.delivery.received_at)
        handled.add(wake.delivery.id)
        narrow.queue.task_done(wake)
    feeding.cancel()
    await asyncio.wait([feeding])


async def test_a_journal_that_cannot_commit_asks_to_come_back_and_heals(broken: Door, stuck: Stuck) -> None:
    status, message, _ = await broken.error(captured("firing-1"))
    assert (status, message) == (503, "the disk is full")
    assert broken.queue.depth == 0
    stuck.healed = True
    assert (await broken.post(captured("firing-1")))[0] == 200
    assert broken.tally.seen == {("alertmanager", 503): 1, ("alertmanager", 200): 1}


async def test_a_full_disk_asks_to_come_back_and_heals(door: Door, journal: SqliteJournal) -> None:
    many = body(*(alert(fingerprint=f"f{n}") for n in range(2000)))
    await set_pragma(journal, "max_page_count = 60")  # as if the disk ended after 240 KiB
    status, message, _ = await door.error(many)
    assert status == 503 and "disk is full" in message
    assert door.queue.depth == 0
    await set_pragma(journal, "max_page_count = 10000")
    assert (await door.post(many))[0] == 200
    assert [kept.body for kept in await journal.unhandled_deliveries(limit=9)] == [many]


async def test_a_journal_that_does_not_answer_in_time_is_not_waited_for(
    broken: Door, stuck: Stuck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMMIT_S", 0.05)
    stuck.mute = True
    status, message, _ = await broken.error(captured("firing-1"))
    assert status == 503 and "0.05 s" in message
