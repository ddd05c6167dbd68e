"""A proxy before an API server: it records what passes and holds what a test wants held.

It changes nothing on the way, and it knows no Kubernetes beyond the kubeconfig that leads to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from sandbox.server import KUBECONFIG, MAX_BODY_BYTES

HOP_HEADERS = {"host", "connection", "content-length", "transfer-encoding", "content-encoding"}
REACHED_S = 15.0  # for the service to come to a held request; it takes well under a second

Chooses = Callable[[web.Request], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One request that the API server answered."""

    method: str
    path: str
    status: int
    dry_run: bool


@dataclass(slots=True, kw_only=True)
class Hold:
    """Stops every request it chooses: before the API server sees it, or with the answer already given."""

    chooses: Chooses
    answered: bool  # True: the API server acts on the request, only its answer is kept back
    _reached: asyncio.Event = field(default_factory=asyncio.Event)
    _lifted: asyncio.Event = field(default_factory=asyncio.Event)

    async def reached(self) -> None:
        """Return once a request is being held. Raises TimeoutError when none comes."""
        async with asyncio.timeout(REACHED_S):
            await self._reached.wait()

    async def keep(self) -> None:
        """Keep the caller until the hold is lifted."""
        self._reached.set()
        await self._lifted.wait()

    def lift(self) -> None:
        """Drop what is held; nobody waits for it any more."""
        self._lifted.set()


class RecordingProxy:
    """`async with RecordingProxy(url) as proxy:`; `passed` tells what reached the API server, in order."""

    def __init__(self, upstream: str) -> None:
        self.passed: list[Passed] = []
        self._upstream = upstream
        self._holds: list[Hold] = []
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hold in self._holds:
            hold.lift()
        await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    @property
    def changes(self) -> list[Passed]:
        """What was written to the API server, whoever asked for it; a dry run writes nothing."""
        return [one for one in self.passed if one.method != "GET" and not one.dry_run]

    def write_kubeconfig(self, path: Path) -> Path:
        """A kubeconfig that leads through this proxy."""
        port = self._runner.addresses[0][1]
        path.write_text(KUBECONFIG.format(url=f"http://127.0.0.1:{port}"), encoding="utf-8")
        return path

    @contextmanager
    def holding(self, chooses: Chooses, *, answered: bool = False) -> Iterator[Hold]:
        """Hold what `chooses` picks, as long as the block lasts."""
        hold = Hold(chooses=chooses, answered=answered)
        self._holds.append(hold)
        try:
            yield hold
        finally:
            self._holds.remove(hold)
            hold.lift()

    async def _handle(self, request: web.Request) -> web.Response:
        hold = await self._hold_for(request)
        if hold is not None and not hold.answered:
            await hold.keep()
            return web.Response(status=502, text="dropped by the test")
        answer = await self._forward(request)
        if hold is not None:
            await hold.keep()
        return answer

    async def _hold_for(self, request: web.Request) -> Hold | None:
        for hold in self._holds:
            if await hold.chooses(request):
                return hold
        return None

    async def _forward(self, request: web.Request) -> web.Response:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        async with self._session.request(
            request.method, self._upstream + request.raw_path, headers=headers, data=await request.read()
        ) as answer:
            body = await answer.read()
            self.passed.append(_told(request, answer.status))
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_HEADERS}
            return web.Response(status=answer.status, body=body, headers=kept)


def _told(request: web.Request, status: int) -> Passed:
    dry_run = "dryRun" in request.query
    return Passed(method=request.method, path=request.path, status=status, dry_run=dry_run)
