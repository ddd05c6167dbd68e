import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from domain.errors import LoopError, Permanent, Transient
from mcp_servers import http_access
from mcp_servers.http_access import Access, HttpAccess, Reply, TooLarge, json_object, refusal

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server with this one handler."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(application) as server:
        yield str(server.make_url("/"))


async def headers_sent(access: dict[str, object]) -> dict[str, str]:
    """What a server sees of a call with this access."""
    seen: dict[str, str] = {}

    async def note(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.json_response({})

    async with serving(note) as url:
        http = HttpAccess(Access(url=url, **access), "Prometheus")  # type: ignore[arg-type]
        async with http.lifespan():
            await http.get("/x")
    return seen


async def failure_of(handler: Handler, **access: str) -> LoopError:
    """The error of one call."""
    async with serving(handler) as url:
        http = HttpAccess(Access(url=url, **access), "Prometheus")  # type: ignore[arg-type]
        async with http.lifespan():
            with pytest.raises(LoopError) as caught:
                await http.get("/x")
    return caught.value


async def test_a_tenant_a_user_and_own_headers_are_sent(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("hunter2\n")
    seen = await headers_sent(
        {"tenant": "shop", "user": "ann", "password_file": str(password), "headers": ("X-Team: web",)}
    )
    assert seen["X-Scope-OrgID"] == "shop"
    assert seen["X-Team"] == "web"
    assert seen["Authorization"] == f"Basic {b64encode(b'ann:hunter2').decode()}"


async def test_a_renewed_token_is_read_once_the_old_one_was_forgotten(tmp_path: Path) -> None:
    token, seen = tmp_path / "token", list[str]()
    token.write_text("first")

    async def note(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({})

    async with serving(note) as url:
        http = HttpAccess(Access(url=url, token_file=str(token)), "Loki")
        async with http.lifespan():
            await http.get("/x")
            token.write_text("second")
            await http.forget_secrets()
            await http.get("/x")
    assert seen == ["Bearer first", "Bearer second"]


async def test_a_path_prefix_is_kept() -> None:
    paths = []

    async def note(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.json_response({})

    async with serving(note) as url:
        http = HttpAccess(Access(url=f"{url}select/0/prometheus/"), "Prometheus")
        async with http.lifespan():
            await http.get("/api/v1/query")
    assert paths == ["/select/0/prometheus/api/v1/query"]


async def test_an_answer_without_end_is_refused_with_what_to_do() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" " * 2**18)

    error = await failure_of(endless)
    assert isinstance(error, TooLarge)
    assert "ask for less" in str(error)


async def test_a_mute_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_access, "CALL_S", 0.05)

    async def mute(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    error = await failure_of(mute)
    assert isinstance(error, Transient)
    assert "did not answer within" in str(error)


async def test_a_closed_port_is_transient_and_hides_the_password() -> None:
    http = HttpAccess(Access(url="http://ann:hunter2@127.0.0.1:1"), "Prometheus")
    async with http.lifespan():
        with pytest.raises(Transient, match="cannot be reached") as caught:
            await http.get("/x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ({"url": "http://a", "token_file": "/nowhere/token"}, "/nowhere/token cannot be read"),
        ({"url": "http://a", "ca_file": "/nowhere/ca"}, "check ca_file"),
        ({"url": "http://a", "headers": ("X-Team",)}, "write it as 'Name: value'"),
        ({"url": "not a url"}, "is no URL"),
    ],
)
async def test_wrong_settings_are_named(access: dict[str, object], said: str) -> None:
    http = HttpAccess(Access(**access), "Prometheus")  # type: ignore[arg-type]
    async with http.lifespan():
        with pytest.raises(Permanent, match=said):
            await http.get("/x")


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, Permanent, "check token_file"),
        (404, Permanent, "check the path prefix"),
        (400, Permanent, "refused the request: bad selector"),
        (422, Permanent, "refused the request: bad selector"),
        (429, Transient, "is busy"),
        (503, Transient, "is busy"),
        (500, Transient, "try again later"),
    ],
)
def test_refusals_say_what_to_do(status: int, kind: type[LoopError], said: str) -> None:
    error = refusal(status, "bad selector", "Loki", "/x")
    assert isinstance(error, kind)
    assert said in str(error)


@pytest.mark.parametrize(("status", "kind"), [(200, Permanent), (502, Transient)])
@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_a_page_instead_of_json_is_no_answer(status: int, kind: type[LoopError], body: bytes) -> None:
    with pytest.raises(kind):
        json_object(Reply(status, body), "Prometheus")
