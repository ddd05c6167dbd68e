"""An API server with far more pods than anybody wants to see; it sends the same page over and over."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from mcp_servers.kube.cluster_api import PAGE_SIZE, ClusterApi
from mcp_servers.kube.connection import Access

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""


def pod(number: int) -> dict[str, object]:
    """A pod of the usual size, about 5 kB; every hundredth waits for its image."""
    waits = number % 100 == 0
    state = {"waiting": {"reason": "ImagePullBackOff"}} if waits else {"running": {}}
    status = {"name": "app", "ready": not waits, "restartCount": 0, "state": state, "image": "app:1"}
    env = [{"name": f"SETTING_{key}", "value": f"value number {key} of the application"} for key in range(25)]
    fields: dict[str, object] = {f"f:field-{key}": {"f:part": {}} for key in range(60)}
    return {
        "metadata": {
            "name": f"web-{number:05}",
            "namespace": "shop",
            "uid": f"uid-{number}",
            "labels": {"app": "web"},
            "managedFields": [{"manager": "kubelet", "fieldsV1": fields}],
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "app:1", "env": env}]},
        "status": {
            "phase": "Pending" if waits else "Running",
            "conditions": [{"type": "Ready", "status": "False" if waits else "True"}],
            "containerStatuses": [status],
        },
    }


@asynccontextmanager
async def large_cluster(pods_count: int, folder: Path) -> AsyncIterator[ClusterApi]:
    """Access to a cluster with so many pods."""
    page = json.dumps({"items": [pod(number) for number in range(PAGE_SIZE)]})

    async def handle(request: web.Request) -> web.Response:
        if not request.path.endswith("/pods"):
            return web.json_response({"items": [], "metadata": {}})
        seen_count = int(request.query.get("continue", "0")) + PAGE_SIZE
        more = str(seen_count) if seen_count < pods_count else ""
        meta = json.dumps({"metadata": {"continue": more}})
        return web.Response(text=f"{page[:-1]}, {meta[1:]}", content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    file = folder / "large.kubeconfig"
    file.write_text(KUBECONFIG.format(port=runner.addresses[0][1]), encoding="utf-8")
    api = ClusterApi(Access(kubeconfig=str(file)))
    try:
        async with api.lifespan():
            yield api
    finally:
        await runner.cleanup()


class Lag:
    """The longest time that the loop was held up; `async with` watches it."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Lag":
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            before_s = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.perf_counter() - before_s)
