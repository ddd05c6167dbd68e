"""The queue and its feeder: bounded, nothing lost, nothing doubled, intake never held up."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from domain.alert import Delivery
from domain.errors import JournalUnavailable
from journal.queue import Feeder, Wake, WorkQueue
from journal.sqlite import SqliteJournal
from tests.fakes import START, FakeClock
from tests.journal import samples


def of(incident_id: str) -> Wake:
    return Wake(incident_id=incident_id)


def about(delivery_id: str) -> Wake:
    return Wake(delivery=samples.delivery(delivery_id))


async def drain(queue: WorkQueue) -> list[str]:
    keys = []
    while queue.depth:
        wake = await queue.get()
        keys.append(wake.key)
        queue.task_done(wake)
    return keys


@pytest.mark.parametrize("delivery", [None, samples.delivery()])
def test_a_wake_names_exactly_one_thing(delivery: Delivery | None) -> None:
    with pytest.raises(ValueError, match="either"):
        Wake(delivery=delivery, incident_id="inc-1" if delivery else None)


async def test_a_full_queue_refuses_and_takes_again_after_get() -> None:
    queue = WorkQueue(1)
    assert queue.offer(of("a")) and not queue.offer(of("b"))
    assert (queue.full, queue.depth, queue.capacity) == (True, 1, 1)
    assert (await queue.get()) == of("a")
    assert queue.offer(of("b"))


async def test_a_waiting_wake_is_not_added_twice() -> None:
    queue = WorkQueue(9)
    for wake in (of("a"), of("a"), about("d1"), about("d1")):
        assert queue.offer(wake)
    assert queue.depth == 2


async def test_an_incident_may_be_woken_while_it_runs_but_a_delivery_may_not() -> None:
    queue = WorkQueue(9)
    queue.offer(of("a"))
    queue.offer(about("d1"))
    running = [await queue.get(), await queue.get()]
    queue.offer(of("a"))
    queue.offer(about("d1"))
    assert queue.depth == 1 and queue.known_count == 3
    for wake in running:
        queue.task_done(wake)
    queue.offer(about("d1"))
    assert queue.depth == 2


async def test_there_is_room_once_a_wake_was_taken() -> None:
    queue = WorkQueue(1)
    queue.offer(of("a"))
    waiting = asyncio.ensure_future(queue.room(leave_free=0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await queue.get()
    await waiting
    assert queue.offer(of("b"))


async def test_a_start_feeds_unfinished_incidents_and_unhandled_deliveries(journal: SqliteJournal) -> None:
    await journal.save(samples.incident("inc-1"))
    await journal.save(samples.full_incident("inc-2"))
    await journal.keep_delivery(samples.delivery("d1"))
    queue = WorkQueue(100)
    feeder = Feeder(journal, queue, clock=FakeClock())
    assert not await feeder.feed()
    assert await drain(queue) == ["incident:inc-1", "delivery:d1"]


async def test_later_rounds_feed_what_is_new_and_only_that(journal: SqliteJournal) -> None:
    await journal.save(samples.incident("inc-1"))
    queue = WorkQueue(100)
    feeder = Feeder(journal, queue, clock=FakeClock())
    await feeder.feed()
    await drain(queue)
    await journal.keep_delivery(samples.delivery("d1"))
    await feeder.feed()
    await feeder.feed()
    assert await drain(queue) == ["delivery:d1"]


async def test_an_answer_given_by_another_process_wakes_the_parked_incident(journal: SqliteJournal) -> None:
    parked = samples.parked()
    await journal.save(parked)
    queue = WorkQueue(100)
    feeder = Feeder(journal, queue, clock=FakeClock())
    await feeder.feed()
    assert queue.depth == 0
    await journal.decide(samples.approval("inc-1"))
    await feeder.feed()
    assert await drain(queue) == ["incident:inc-1"]


async def test_a_long_backlog_is_fed_whole_in_order_and_leaves_room_for_intake(
    journal: SqliteJournal,
) -> None:
    ids = [f"d{n:03}" for n in range(180)]
    for delivery_id in ids:
        await journal.keep_delivery(samples.delivery(delivery_id))
    queue = WorkQueue(10)
    feeding = asyncio.ensure_future(Feeder(journal, queue, clock=FakeClock()).run())
    handled: list[str] = []
    while len(handled) < len(ids):
        wake = await queue.get()
        assert wake.delivery is not None
        assert queue.depth <= 5  # intake finds the other half free
        await journal.drop_delivery(wake.delivery.id, reason="seen", at=START)
        handled.append(wake.delivery.id)
        queue.task_done(wake)
    feeding.cancel()
    with suppress(asyncio.CancelledError):
        await feeding
    assert handled == ids


async def test_a_delivery_dealt_with_while_the_feeder_waits_is_not_fed_again(journal: SqliteJournal) -> None:
    queue = WorkQueue(2)
    for delivery_id in ("d1", "d2"):
        await journal.keep_delivery(samples.delivery(delivery_id))
    feeding = asyncio.ensure_future(Feeder(journal, queue, clock=FakeClock()).feed())
    first = await queue.get()
    queue.offer(about("d2"))  # the intake that kept it tells the worker itself
    second = await queue.get()
    queue.task_done(first)
    queue.task_done(second)
    await feeding
    assert (first.key, second.key) == ("delivery:d1", "delivery:d2")
    assert queue.depth == 0


class Shaky:
    """A journal that is away for the first two rounds."""

    def __init__(self) -> None:
        self.rounds = 0

    async def unhandled_deliveries(self, *, limit: int) -> list[Delivery]:
        return [samples.delivery("d1")]

    async def unfinished(self) -> list[str]:
        self.rounds += 1
        if self.rounds <= 2:
            raise JournalUnavailable("the disk is full")
        return []

    async def answered(self) -> list[str]:
        return []


async def test_trouble_is_logged_when_it_begins_and_when_it_ends() -> None:
    queue = WorkQueue(10)
    with capture_logs() as logs:
        feeding = asyncio.ensure_future(Feeder(Shaky(), queue, clock=FakeClock()).run())
        await queue.get()
        await asyncio.sleep(0)
        feeding.cancel()
    assert [line["event"] for line in logs] == ["feeding_stopped", "feeding_resumed"]
