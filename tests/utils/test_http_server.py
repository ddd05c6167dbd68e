"""The HTTP edge: every failure is JSON, every answer carries the security headers, stopping ends in time."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from domain.errors import BadInput, JournalUnavailable, LoopError, Permanent, Refused
from utils.http_answers import json_answer, read_body
from utils.http_server import SECURITY_HEADERS, HttpServer, build_application

ERRORS: dict[str, Exception] = {
    "bad-input": BadInput("limit: expected a number", field="limit"),
    "refused": Refused("not in kube-system", rule="namespaces.protected"),
    "transient": JournalUnavailable("the disk is full"),
    "permanent": Permanent("the file is damaged"),
    "base": LoopError("odd"),
    "timeout": TimeoutError(),
    "defect": ZeroDivisionError("secret detail"),
}


async def fail(request: web.Request) -> web.Response:
    raise ERRORS[request.match_info["kind"]]


async def echo(request: web.Request) -> web.Response:
    return json_answer({"length": len(await read_body(request, max_bytes=1000))})


async def wait(request: web.Request) -> web.Response:
    await asyncio.sleep(float(request.match_info["seconds"]))
    return json_answer({"waited": True})


ROUTES = [web.get("/fail/{kind}", fail), web.post("/echo", echo), web.get("/wait/{seconds}", wait)]


def server(port: int = 0, *, stop_s: float = 1.0) -> HttpServer:
    return HttpServer(build_application(ROUTES), host="127.0.0.1", port=port, stop_s=stop_s)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with server() as running, aiohttp.ClientSession(f"http://127.0.0.1:{running.port}") as session:
        yield session


@pytest.mark.parametrize(
    ("kind", "status", "field"),
    [
        ("bad-input", 400, "limit"),
        ("refused", 403, "namespaces.protected"),
        ("transient", 503, ""),
        ("permanent", 500, ""),
        ("base", 500, ""),
        ("timeout", 503, ""),
    ],
)
async def test_our_errors_have_their_status(
    client: aiohttp.ClientSession, kind: str, status: int, field: str
) -> None:
    async with client.get(f"/fail/{kind}") as response:
        error = (await response.json())["error"]
        assert (response.status, error["field"]) == (status, field)
        assert error["message"]
        assert ("Retry-After" in response.headers) is (status == 503)


async def test_a_defect_is_logged_with_its_trace_and_answered_without(client: aiohttp.ClientSession) -> None:
    with capture_logs() as logs:
        async with client.get("/fail/defect") as response:
            assert response.status == 500
            assert "secret detail" not in await response.text()
    (line,) = logs
    assert (line["event"], line["path"], line["exc_info"]) == ("request_failed", "/fail/defect", True)


async def test_unknown_paths_and_methods_are_json_too(client: aiohttp.ClientSession) -> None:
    async with client.get("/nowhere") as response:
        assert response.status == 404 and "error" in await response.json()
    async with client.put("/echo") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert "error" in await response.json()


@pytest.mark.parametrize("path", ["/nowhere", "/fail/defect", "/fail/transient", "/wait/0"])
async def test_every_answer_carries_the_security_headers(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as response:
        assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert response.headers["Server"] == "alert-agent"


async def test_a_body_is_read_within_its_bound(client: aiohttp.ClientSession) -> None:
    async with client.post("/echo", data=b"x" * 1000) as response:
        assert await response.json() == {"length": 1000}
    async with client.post("/echo", data=b"x" * 1001) as response:
        assert response.status == 413


async def test_a_taken_port_is_named_with_the_next_step() -> None:
    async with server() as running:
        with pytest.raises(Permanent, match=f"port {running.port} .* taken: stop .* server.port"):
            async with server(running.port):
                pass


async def test_a_host_that_is_not_ours_is_named() -> None:
    app = build_application(ROUTES)
    with pytest.raises(Permanent, match=r"server\.host"):
        async with HttpServer(app, host="192.0.2.1", port=0, stop_s=1.0):
            pass


async def test_running_requests_end_before_the_server_stops() -> None:
    async with aiohttp.ClientSession() as session:
        async with server() as running:
            url = f"http://127.0.0.1:{running.port}/wait/0.2"
            asked = asyncio.ensure_future(session.get(url))
            await asyncio.sleep(0.05)
        response = await asked
        assert json.loads(await response.text()) == {"waited": True}


async def test_a_request_that_does_not_end_is_cut_off_in_time() -> None:
    async with aiohttp.ClientSession() as session:
        async with server(stop_s=0.2) as running:
            asked = asyncio.ensure_future(session.get(f"http://127.0.0.1:{running.port}/wait/60"))
            await asyncio.sleep(0.05)
            began = time.monotonic()
        assert time.monotonic() - began < 1.0
        with pytest.raises(aiohttp.ClientError):
            await asked


async def test_after_stopping_the_port_is_free() -> None:
    async with server() as running:
        port = running.port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
