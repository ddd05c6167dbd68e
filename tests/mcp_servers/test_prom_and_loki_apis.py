"""Servers that differ from the usual one: parts left out, plain texts, gateways, renewed tokens."""

import json
import shutil
import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from domain.errors import Permanent
from mcp_servers import http_access
from mcp_servers.http_access import Access, HttpAccess
from mcp_servers.loki.api import LokiApi, StreamsAnswer
from mcp_servers.prom.api import NoSuchPath, PromApi
from tests.mcp_servers.test_http_access import serving

START, END = datetime(2026, 1, 5, 8, tzinfo=UTC), datetime(2026, 1, 5, 9, tzinfo=UTC)


def success(data: object) -> web.Response:
    return web.json_response({"status": "success", "data": data})


async def test_a_path_that_a_server_leaves_out_is_told_from_a_wrong_url() -> None:
    async def thanos(request: web.Request) -> web.Response:
        if request.path.endswith("buildinfo"):
            return success({"version": "0.37.2"})
        return web.Response(status=404, text="404 page not found")

    async with serving(thanos) as url:
        api = PromApi(Access(url=url))
        async with api.lifespan():
            assert await api.status("buildinfo") == {"version": "0.37.2"}
            with pytest.raises(NoSuchPath):
                await api.status("runtimeinfo")


async def test_a_token_that_was_renewed_is_read_again_when_the_old_one_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")

    async def gateway(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer new":
            token.write_text("new")
            return web.Response(status=401)
        return success(["up"])

    async with serving(gateway) as url:
        prom, loki = (
            PromApi(Access(url=url, token_file=str(token))),
            LokiApi(Access(url=url, token_file=str(token))),
        )
        async with prom.lifespan(), loki.lifespan():
            assert await prom.label_values("__name__", [], START) == ["up"]
            token.write_text("old")
            assert await loki.labels(START, END) == ["up"]


async def test_another_api_is_not_taken_for_prometheus() -> None:
    async def other(request: web.Request) -> web.Response:
        return success({"resultType": "vector", "result": [{"metric": 5}]})

    async with serving(other) as url:
        api = PromApi(Access(url=url))
        async with api.lifespan():
            with pytest.raises(Permanent, match=r"not Prometheus's \(vector.result.0.metric"):
                await api.query("up")


async def test_null_lists_are_empty() -> None:
    async def mimir(request: web.Request) -> web.Response:
        return success({"resultType": "matrix", "result": None})

    async with serving(mimir) as url:
        api = PromApi(Access(url=url))
        async with api.lifespan():
            answer = await api.query_range("up", START, END, 60.0)
    assert answer.kind == "matrix" and answer.result == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("parse error at line 1, col 5: syntax error", "text/plain"),
        (json.dumps({"error": "parse error at line 1, col 5: syntax error"}), "application/json"),
        (json.dumps({"message": "parse error at line 1, col 5: syntax error"}), "application/json"),
    ],
)
async def test_loki_refuses_in_plain_text_and_gateways_in_json(body: str, kind: str) -> None:
    async def loki(request: web.Request) -> web.Response:
        return web.Response(status=400, text=body, content_type=kind)

    async with serving(loki) as url:
        api = LokiApi(Access(url=url))
        async with api.lifespan():
            with pytest.raises(Permanent, match="refused the request: parse error at line 1, col 5"):
                await api.query_range("{", START, END, limit=10)


async def test_fewer_lines_are_asked_for_when_many_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_access, "MAX_BODY_BYTES", 5_000)
    limits = []

    async def loki(request: web.Request) -> web.Response:
        limits.append(int(request.query["limit"]))
        values = [[str(number), "x" * 100, {"trace": "t"}] for number in range(limits[-1])]
        return success({"resultType": "streams", "result": [{"stream": {"app": "web"}, "values": values}]})

    async with serving(loki) as url:
        api = LokiApi(Access(url=url))
        async with api.lifespan():
            answer = await api.query_range('{app="web"}', START, END, limit=400)
    assert limits == [400, 100, 25]
    assert isinstance(answer, StreamsAnswer)
    assert answer.result[0].values[-1] == (24, "x" * 100)


@pytest.fixture
def key_pair(tmp_path: Path) -> tuple[Path, Path]:
    """A key, and a certificate for 127.0.0.1 that nobody has signed."""
    if not shutil.which("openssl"):
        pytest.skip("not installed: openssl")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test"
    )
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return key, certificate


async def test_an_own_certificate_is_trusted_when_its_file_is_named(
    key_pair: tuple[Path, Path],
) -> None:
    key, certificate = key_pair
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def ready(request: web.Request) -> web.Response:
        return web.json_response({})

    application = web.Application()
    application.router.add_get("/ready", ready)
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=context)
    try:
        url = str(server.make_url(""))
        trusting, other = (HttpAccess(Access(url=url, ca_file=f), "Loki") for f in (str(certificate), ""))
        async with trusting.lifespan(), other.lifespan():
            assert (await trusting.get("/ready")).status == 200
            with pytest.raises(Permanent, match="set ca_file"):
                await other.get("/ready")
    finally:
        await server.close()
