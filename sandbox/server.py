"""The sandbox's API on a loopback port: started with a store, stopped by leaving the context."""

import asyncio
from pathlib import Path
from types import TracebackType

from aiohttp import web

from sandbox.api.audit import Audit
from sandbox.api.desk import Api
from sandbox.clock import SimClock
from sandbox.custom_kinds import CustomKinds
from sandbox.kinds import Registry
from sandbox.logs import LogSource, NoLogs
from sandbox.store import Store

MAX_BODY_BYTES = 3 * 1024 * 1024  # what a real API server accepts
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: sandbox
  cluster: {{server: "{url}"}}
users:
- name: sandbox-admin
  user: {{}}
contexts:
- name: sandbox
  context: {{cluster: sandbox, user: sandbox-admin}}
current-context: sandbox
"""


class SandboxServer:
    """Plain HTTP, for this machine only: whoever can reach the port may do everything."""

    def __init__(
        self,
        store: Store,
        clock: SimClock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        logs: LogSource | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self._host = host
        self._port = port
        kinds = registry or Registry()
        self._custom = CustomKinds(store, kinds)
        self._api = Api(store, kinds, logs or NoLogs())
        self.audit = Audit(kinds)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL; the port is known once the server was entered."""
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> "SandboxServer":
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # handlers are cancelled when their client leaves, so that abandoned watches end at once
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        response = await self._api.handle(request)
        self.audit.note(request, response.status)
        return response

    def write_kubeconfig(self, path: Path) -> Path:
        """Writes a kubeconfig for kubectl and client libraries; returns the path."""
        path.write_text(KUBECONFIG.format(url=self.url), encoding="utf-8")
        path.chmod(0o600)
        return path


async def serve(port: int, kubeconfig: Path) -> None:
    """An empty cluster's API, without controllers, until cancelled."""
    from sandbox.bootstrap import new_store

    clock = SimClock.from_wall()
    async with SandboxServer(new_store(clock), clock, port=port) as server:
        server.write_kubeconfig(kubeconfig)
        await clock.run()


if __name__ == "__main__":
    asyncio.run(serve(8001, Path("sandbox.kubeconfig")))
