"""A cluster whose metrics and logs can be asked for over HTTP, in virtual time."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from sandbox.fields import Obj
from sandbox.observing import Observer, Pace, served
from tests.sandbox.worlds import World

TIMEOUT = aiohttp.ClientTimeout(total=10)


class Asked:
    """An observed cluster and a client."""

    def __init__(self, world: World, observer: Observer, url: str, session: aiohttp.ClientSession) -> None:
        self.world, self.observer, self.url = world, observer, url
        self._session = session

    async def text(self, path: str, **parameters: str) -> tuple[int, str]:
        """Status and body; the parameter `match[]` is given as `match`."""
        named = {"match[]" if name == "match" else name: value for name, value in parameters.items()}
        async with self._session.get(self.url + path, params=named) as answer:
            return answer.status, await answer.text()

    async def posted(self, path: str, **form: str) -> Any:
        async with self._session.post(self.url + path, data=form) as answer:
            return await answer.json()

    async def data(self, path: str, **parameters: str) -> Any:
        status, text = await self.text(path, **parameters)
        assert status == 200, text
        answer = json.loads(text)
        assert answer["status"] == "success"
        return answer["data"]

    async def error(self, path: str, **parameters: str) -> tuple[int, str, str]:
        status, text = await self.text(path, **parameters)
        answer = json.loads(text)
        assert answer["status"] == "error"
        return status, answer["errorType"], answer["error"]

    @property
    def now(self) -> float:
        return self.world.clock.time()


@asynccontextmanager
async def asked(*manifests: Obj) -> AsyncIterator[Asked]:
    """A cluster in which the objects have lived for ten minutes."""
    world = World(2)
    observer = Observer(world, pace=Pace(factor=0.1))
    world.apply(manifests)
    world.advance(600)
    async with served(observer) as url, aiohttp.ClientSession(timeout=TIMEOUT) as session:
        yield Asked(world, observer, url, session)
