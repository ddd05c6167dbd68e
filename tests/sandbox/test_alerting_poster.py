"""Bodies reach a webhook: in turn, again after a server's trouble, and not again after a refusal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from sandbox.alerting.poster import WAITING_COUNT, WebhookPoster

PATIENCE_S = 5.0


class Receiver:
    """A webhook that answers with the given statuses, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.seen: list[tuple[str, str]] = []
        self.done = asyncio.Event()
        self.wanted = 1

    async def take(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        self.seen.append((body, request.headers.get("Authorization", "")))
        if len(self.seen) >= self.wanted:
            self.done.set()
        return web.Response(status=self._statuses.pop(0) if self._statuses else 200)


@asynccontextmanager
async def serving(receiver: Receiver, port: int = 0) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes([web.post("/webhook", receiver.take)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    finally:
        await runner.cleanup()


async def _sent(receiver: Receiver, bodies: list[bytes], count: int) -> list[str]:
    """What arrived, once so many posts did."""
    receiver.wanted = count
    async with serving(receiver) as url, WebhookPoster(url, token="secret", first_pause_s=0.0) as poster:
        for body in bodies:
            poster.send(body)
        async with asyncio.timeout(PATIENCE_S):
            await receiver.done.wait()
    return [body for body, _ in receiver.seen]


async def test_bodies_arrive_in_turn_and_with_the_token() -> None:
    receiver = Receiver()
    assert await _sent(receiver, [b"1", b"2", b"3"], 3) == ["1", "2", "3"]
    assert {header for _, header in receiver.seen} == {"Bearer secret"}


async def test_a_servers_trouble_is_waited_out_before_anything_else_is_sent() -> None:
    assert await _sent(Receiver(503, 500), [b"1", b"2"], 4) == ["1", "1", "1", "2"]


async def test_what_is_refused_is_not_sent_again() -> None:
    assert await _sent(Receiver(429, 400), [b"1", b"2", b"3"], 3) == ["1", "2", "3"]


async def test_a_receiver_that_is_not_there_yet_is_tried_again() -> None:
    receiver = Receiver()
    async with serving(Receiver()) as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
    async with WebhookPoster(url, first_pause_s=0.0) as poster:
        poster.send(b"early")
        await asyncio.sleep(0)
        async with serving(receiver, port), asyncio.timeout(PATIENCE_S):
            await receiver.done.wait()
    assert [body for body, _ in receiver.seen] == ["early"]


async def test_the_oldest_is_given_up_when_too_many_wait() -> None:
    poster = WebhookPoster("http://127.0.0.1:1/webhook")
    for number in range(WAITING_COUNT + 5):
        poster.send(str(number).encode())
    assert poster.waiting_count == WAITING_COUNT
