"""Objects that the API's tests start from, and a small HTTP client for a served store."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.bootstrap import new_store
from sandbox.clock import SimClock
from sandbox.fields import Obj
from sandbox.logs import LogSource
from sandbox.server import SandboxServer
from sandbox.store import Store

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
CONFIGS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
OPERATIONS = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


def container(name: str = "c", **more: Any) -> Obj:
    return {"name": name, "image": "nginx:1", **more}


def pod(name: str = "p", **spec: Any) -> Obj:
    meta = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [container()], **spec},
    }


def deployment(name: str = "web", **spec: Any) -> Obj:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container()]}}
    full = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **spec}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": full}


def config(name: str = "conf", **data: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


@dataclass
class Client:
    """Requests against one server; answers are the HTTP status and the parsed body."""

    session: aiohttp.ClientSession
    url: str
    store: Store

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        media: str = "application/json",
        accept: str = "application/json",
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        headers = {"Content-Type": media, "Accept": accept, "User-Agent": "tester/1.0"}
        async with self.session.request(method, self.url + path, data=data, headers=headers) as response:
            text = await response.text()
            parsed = json.loads(text) if response.content_type == "application/json" else text
            return response.status, parsed

    async def get(self, path: str, **more: Any) -> Any:
        """The body of an answer that must be 200."""
        status, body = await self.call("GET", path, **more)
        assert status == 200, body
        return body

    async def watch(self, path: str, *, count: int | None = None) -> list[Obj]:
        """The events of a watch until it ends, or until there are `count`."""
        events: list[Obj] = []
        async with self.session.get(self.url + path) as response:
            async for line in response.content:
                events.append(json.loads(line))
                if len(events) == count:
                    break
        return events


@asynccontextmanager
async def serving(logs: LogSource | None = None) -> AsyncIterator[Client]:
    """A fresh store behind HTTP; its clock stands still unless a test moves it."""
    clock = SimClock(seed=1)
    store = new_store(clock)
    clock.run_due()
    async with SandboxServer(store, clock, logs=logs) as server, aiohttp.ClientSession() as session:
        yield Client(session, server.url, store)
