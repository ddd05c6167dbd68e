"""What handlers of the HTTP edge share: JSON answers, refusals, tokens, and bodies read within bounds.

It serves nothing by itself; `http_server.py` turns a `Rejected` into its response.
"""

import asyncio
import hmac
import json

from aiohttp import web

RETRY_AFTER_S = 5  # asks senders to come back; Alertmanager keeps its own rhythm
DEFAULT_MAX_BODY_BYTES = 4 * 1024 * 1024
READ_S = 10.0  # Alertmanager's own patience with a webhook


class Rejected(Exception):
    """A request that goes no further, with the answer to give."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.text)
        self.response = response


def json_answer(body: object, *, status: int = 200) -> web.Response:
    """A JSON response; times and other foreign values are written as text."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    return web.Response(text=text, status=status, content_type="application/json")


def error_answer(
    status: int, message: str, *, field: str = "", hint: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    """`{"error": {"message", "field", "hint"}}`; a 503 says when to come back."""
    response = json_answer({"error": {"message": message, "field": field, "hint": hint}}, status=status)
    response.headers.update(headers or {})
    if status == web.HTTPServiceUnavailable.status_code:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return response


def reject(
    status: int, message: str, *, field: str = "", hint: str = "", headers: dict[str, str] | None = None
) -> Rejected:
    """The exception to raise for an `error_answer`."""
    return Rejected(error_answer(status, message, field=field, hint=hint, headers=headers))


def require_token(request: web.Request, token: str) -> None:
    """Raises Rejected (401) unless the caller sent this bearer token; an empty token asks for nothing."""
    said = request.headers.get("Authorization", "")
    if not token or hmac.compare_digest(said.encode(errors="replace"), f"Bearer {token}".encode()):
        return
    raise reject(
        401,
        "a bearer token is needed",
        field="Authorization",
        hint="send the header 'Authorization: Bearer <token>' with the token that the service was given",
        headers={"WWW-Authenticate": 'Bearer realm="alert-agent"'},
    )


def require_json(request: web.Request, *, said: bool = False) -> None:
    """Raises Rejected (415) for a body of another type; with `said` also for one that names no type."""
    named = "Content-Type" in request.headers
    if (named or said) and not (named and request.content_type == "application/json"):
        raise reject(
            415,
            f"expected application/json, got {request.content_type if named else 'no type'}",
            field="Content-Type",
            hint="send 'Content-Type: application/json'",
        )


async def read_body(request: web.Request, *, max_bytes: int, hint: str = "") -> bytes:
    """The whole body, unpacked. Raises Rejected: 413 beyond `max_bytes`, 408 when slow, 400 when broken."""
    too_large = reject(413, f"the body is larger than {max_bytes} bytes", field="body", hint=hint)
    if (request.content_length or 0) > max_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    raise too_large
    except TimeoutError:
        raise reject(408, f"the body took more than {READ_S:g} s", field="body") from None
    except web.RequestPayloadError as error:
        raise reject(400, f"the body cannot be read: {error}", field="body") from error
    return bytes(body)
