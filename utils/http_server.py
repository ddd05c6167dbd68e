"""The HTTP edge: one aiohttp application with JSON errors, security headers and a stop that ends in time.

What the routes do is handed in; this module knows none of them.
"""

import errno
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self

import structlog
from aiohttp import web

from domain.errors import BadInput, LoopError, Permanent, Refused, Transient
from utils.http_answers import DEFAULT_MAX_BODY_BYTES, Rejected, error_answer

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


def build_application(
    routes: Iterable[web.AbstractRouteDef], *, max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
) -> web.Application:
    """An application with these routes; bodies beyond `max_body_bytes` are answered with 413."""
    app = web.Application(middlewares=[_errors_as_json], client_max_size=max_body_bytes)
    app.add_routes(routes)
    app.on_response_prepare.append(_add_security_headers)
    return app


class HttpServer:
    """`async with HttpServer(app, host=…, port=…, stop_s=…) as server:`; port 0 takes any free one."""

    def __init__(self, app: web.Application, *, host: str, port: int, stop_s: float) -> None:
        self._host = host
        self._port = port
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=stop_s, handle_signals=False)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._runner.addresses[0][1]) if self._runner.addresses else self._port

    async def __aenter__(self) -> Self:
        """Listen. Raises Permanent when the address cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Permanent(_why_not_listening(error, self._host, self._port)) from error
        log.info("http_listening", host=self._host, port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, let running requests end for `stop_s` seconds, then cut them off."""
        await self._runner.cleanup()


def _why_not_listening(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop the other program or set server.port to a free one"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not allowed to this user: set server.port to one above 1023"
    return f"cannot listen on {host}:{port} ({error}): check server.host"


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Rejected as rejected:
        return rejected.response
    except web.HTTPException as error:
        return _from_aiohttp(error)
    except LoopError as error:
        return _from_ours(error)
    except TimeoutError:
        return error_answer(503, "the answer took too long", hint="try again")
    except Exception:  # the HTTP edge: a defect costs one request, and its trace goes to the log alone
        log.exception("request_failed", method=request.method, path=request.path)
        return error_answer(500, "the service failed on this request", hint="see the service's log")


def _from_aiohttp(error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    hints = {404: "see the list of paths in the README", 413: "send fewer alerts at a time"}
    kept = {name: error.headers[name] for name in ("Allow", "WWW-Authenticate") if name in error.headers}
    return error_answer(error.status, error.reason, hint=hints.get(error.status, ""), headers=kept)


def _from_ours(error: LoopError) -> web.Response:
    if isinstance(error, BadInput):
        return error_answer(400, str(error), field=error.field)
    if isinstance(error, Refused):
        return error_answer(403, str(error), field=error.rule)
    if isinstance(error, Transient):
        return error_answer(503, str(error), hint="try again")
    log.error("request_failed", reason=str(error))
    return error_answer(500, str(error), hint="see the service's log")


async def _add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "alert-agent"
