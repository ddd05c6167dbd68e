"""How the API server's moods arrive: refusals, outages, pages, expired credentials."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from domain.errors import LoopError, Permanent, ToolTimeout, Transient
from mcp_servers.kube.api_errors import Conflict, NotFound
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from mcp_servers.kube.finding import find

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{token: "{token}"}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def write_kubeconfig(path: Path, port: int, token: str = "t") -> Access:
    path.write_text(KUBECONFIG.format(port=port, token=token), encoding="utf-8")
    return Access(kubeconfig=str(path))


@asynccontextmanager
async def api_server(handler: Handler, folder: Path) -> AsyncIterator[ClusterApi]:
    """An API server that answers everything with one handler, and access to it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = ClusterApi(write_kubeconfig(folder / "kubeconfig", runner.addresses[0][1]))
    try:
        async with api.lifespan():
            yield api
    finally:
        await runner.cleanup()


def refusing(status: int, message: str) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response({"kind": "Status", "message": message, "code": status}, status=status)

    return handle


@pytest.mark.parametrize(
    ("status", "message", "kind", "said"),
    [
        (404, 'pods "web" not found', NotFound, 'pods "web" not found'),
        (409, "the object has been modified", Conflict, "modified"),
        (403, 'User "u" cannot get resource "pods"', Permanent, "grant verb 'get' on resource 'pods'"),
        (403, "exceeded quota: small", Permanent, "refused the request: exceeded quota: small"),
        (401, "Unauthorized", Permanent, "renew the kubeconfig"),
        (422, "Pod is invalid", Permanent, "Pod is invalid"),
        (429, "slow down", Transient, "throttling: slow down"),
        (503, "etcd is away", Transient, "answered 503: etcd is away"),
    ],
)
async def test_refusals_become_instructions(
    tmp_path: Path, status: int, message: str, kind: type[LoopError], said: str
) -> None:
    async with api_server(refusing(status, message), tmp_path) as api:
        with pytest.raises(LoopError, match=said) as caught:
            await api.get("Pod", "shop", "web")
        assert type(caught.value) is kind


async def test_a_page_of_a_proxy_is_an_outage(tmp_path: Path) -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text="<html>login</html>", content_type="text/html")

    async with api_server(handle, tmp_path) as api:
        with pytest.raises(Transient, match="is there a proxy in between"):
            await api.get("Pod", "shop", "web")


async def test_an_api_server_that_is_away_may_come_back(tmp_path: Path) -> None:
    api = ClusterApi(write_kubeconfig(tmp_path / "kubeconfig", 9))
    async with api.lifespan():
        with pytest.raises(Transient, match="cannot be reached"):
            await api.get("Pod", "shop", "web")


async def test_silence_is_an_outage_for_a_look_and_unknown_for_a_change(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with api_server(handle, tmp_path) as api:
        with pytest.raises(Transient) as look:
            await api.get("Pod", "shop", "web")
        assert not isinstance(look.value, ToolTimeout)
        with pytest.raises(ToolTimeout, match="may have been applied"):
            await api.patch("Pod", "shop", "web", [{"op": "remove", "path": "/x"}], dry_run=False)


async def test_a_missing_kubeconfig_says_what_to_check(tmp_path: Path) -> None:
    api = ClusterApi(Access(kubeconfig=str(tmp_path / "nowhere")))
    with pytest.raises(Permanent, match="check --kubeconfig and --context"):
        await api.get("Pod", "shop", "web")


async def test_expired_credentials_are_loaded_anew(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer fresh":
            assert request.url.port is not None
            write_kubeconfig(tmp_path / "kubeconfig", request.url.port, token="fresh")
            return web.json_response({"message": "Unauthorized"}, status=401)
        return web.json_response({"metadata": {"name": "web"}})

    async with api_server(handle, tmp_path) as api:
        assert (await api.get("Pod", "shop", "web")).name == "web"


async def test_lists_are_read_page_by_page_up_to_the_limit(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.Response:
        start, count = int(request.query.get("continue", "0")), int(request.query["limit"])
        items = [{"metadata": {"name": f"web-{number}"}} for number in range(start, min(start + count, 1200))]
        more = str(start + count) if start + count < 1200 else ""
        return web.json_response({"metadata": {"continue": more}, "items": items})

    async with api_server(handle, tmp_path) as api:
        everything = await api.list("Pod", "shop")
        assert (len(everything.items), everything.truncated) == (1200, False)
        some = await api.list("Pod", "shop", limit=700)
        assert (len(some.items), some.truncated, some.items[-1].name) == (700, True, "web-699")
        assert some.items[0].kind == "Pod"


async def test_suggestions_are_left_out_when_names_may_not_be_listed(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.Response:
        status = 404 if request.path.endswith("/web") else 403
        return web.json_response({"message": "cannot list"}, status=status)

    async with api_server(handle, tmp_path) as api:
        with pytest.raises(NotFound, match=r"^There is no Pod 'web' in namespace shop\.$"):
            await find(api, "Pod", "shop", "web")
