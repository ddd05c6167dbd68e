"""The simulated clock: timers in order, virtual time that jumps, a pump for real time."""

import asyncio
from datetime import UTC, datetime
from functools import partial

import pytest

from sandbox.clock import SimClock


def test_timers_fire_at_their_own_moment_and_in_order() -> None:
    clock = SimClock()
    start = clock.time()
    seen: list[tuple[str, float]] = []
    clock.call_after(20, lambda: seen.append(("late", clock.time() - start)))
    clock.call_after(5, lambda: seen.append(("early", clock.time() - start)))
    clock.advance(30)
    assert seen == [("early", 5.0), ("late", 20.0)]
    assert clock.time() == start + 30


def test_timers_of_one_moment_keep_the_order_in_which_they_were_set() -> None:
    clock = SimClock()
    seen: list[int] = []
    for number in range(5):
        clock.call_after(1, partial(seen.append, number))
    clock.advance(1)
    assert seen == [0, 1, 2, 3, 4]


def test_a_cancelled_timer_stays_silent() -> None:
    clock = SimClock()
    seen: list[str] = []
    timer = clock.call_after(1, lambda: seen.append("fired"))
    timer.cancel()
    clock.advance(2)
    assert seen == []
    assert not timer.pending


def test_a_timer_set_by_a_timer_runs_within_the_same_advance() -> None:
    clock = SimClock()
    seen: list[float] = []
    start = clock.time()

    def first() -> None:
        clock.call_after(1, lambda: seen.append(clock.time() - start))

    clock.call_after(1, first)
    clock.advance(3)
    assert seen == [2.0]


def test_run_due_runs_what_ready_work_makes_ready() -> None:
    clock = SimClock()
    seen: list[str] = []
    clock.soon(lambda: clock.soon(lambda: seen.append("inner")))
    assert clock.run_due() == 2
    assert seen == ["inner"]


def test_equal_seeds_give_equal_chance_and_time() -> None:
    one, two = SimClock(seed=7), SimClock(seed=7)
    assert one.random.random() == two.random.random()
    assert one.stamp() == two.stamp()


def test_stamps_are_rfc3339() -> None:
    clock = SimClock(start=datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC))
    assert clock.stamp() == "2026-03-01T12:00:00Z"
    assert clock.stamp(after_s=61) == "2026-03-01T12:01:01Z"
    assert clock.micro_stamp() == "2026-03-01T12:00:00.250000Z"


async def test_the_pump_runs_simulated_minutes_in_real_moments() -> None:
    clock = SimClock()
    start = clock.time()
    reached = asyncio.Event()
    clock.call_after(60, reached.set)
    pump = asyncio.create_task(clock.run(speed=10_000))
    async with asyncio.timeout(2):
        await reached.wait()
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)
    assert clock.time() - start >= 60


async def test_work_from_outside_wakes_the_pump() -> None:
    clock = SimClock()
    pump = asyncio.create_task(clock.run())
    await asyncio.sleep(0)
    done = asyncio.Event()
    clock.soon(done.set)
    async with asyncio.timeout(0.3):  # the pump's own sleep is longer
        await done.wait()
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)


async def test_a_pumped_clock_refuses_to_be_advanced() -> None:
    clock = SimClock()
    pump = asyncio.create_task(clock.run())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="pumped"):
        clock.advance(1)
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)


async def test_long_work_is_cut_into_slices() -> None:
    clock = SimClock()
    turns = 0

    def again() -> None:
        clock.soon(again)

    clock.soon(again)
    pump = asyncio.create_task(clock.run())
    for _ in range(3):
        await asyncio.sleep(0)
        turns += 1
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)
    assert turns == 3
