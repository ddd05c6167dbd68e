"""A small OpenAI-compatible server on loopback that answers by script, well or badly.

By hand: `python -m tests.stubs.openai_stub --port 11434 --script html`, where the script is the name
of one of `NAMED`, or a JSON file: a list of such names and of answer objects, served in that order.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

MODEL = "stub-1"
TOKENS_COUNT = 120  # what `usage` claims for every answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One request as the server received it."""

    model: str
    messages: Sequence[Mapping[str, str]]
    schema: Mapping[str, object]
    max_tokens: Mapping[str, int]
    authorization: str
    request: web.Request
    stopping: asyncio.Event

    @property
    def prompt(self) -> str:
        """All turns as one text."""
        return "\n".join(turn["content"] for turn in self.messages)


Reply = Callable[[Chat], Awaitable[web.StreamResponse]]


def say(
    text: str | None, *, finish_reason: str = "stop", refusal: str | None = None, usage: bool = True
) -> Reply:
    """A well-formed completion whose one choice is `text`."""
    turn = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": turn, "finish_reason": finish_reason}
    counted = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": TOKENS_COUNT}
    return body({**_ENVELOPE, "choices": [choice], **({"usage": counted} if usage else {})})


def answer(value: Mapping[str, object], *, usage: bool = True) -> Reply:
    """A well-formed completion whose one choice is `value` as JSON."""
    return say(json.dumps(value), usage=usage)


def body(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Any JSON body."""

    async def reply(chat: Chat) -> web.StreamResponse:
        return web.json_response(value, status=status, headers=headers)

    return reply


def text(said: str, *, content_type: str, status: int = 200) -> Reply:
    """Any text body."""

    async def reply(chat: Chat) -> web.StreamResponse:
        return web.Response(text=said, content_type=content_type, status=status)

    return reply


def refuse(status: int, message: str, *, code: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    """An error in OpenAI's shape."""
    return body({"error": {"message": message, "type": code, "code": code}}, status=status, headers=headers)


def by_request(choose: Callable[[Chat], Reply]) -> Reply:
    """The reply that `choose` picks for each request."""

    async def reply(chat: Chat) -> web.StreamResponse:
        return await choose(chat)(chat)

    return reply


async def slow(chat: Chat) -> web.StreamResponse:
    """Not one byte until the server stops."""
    await chat.stopping.wait()
    return web.Response(status=503)


async def trickle(chat: Chat) -> web.StreamResponse:
    """A byte now and then, for ever: no single read times out."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(chat.request)
    while not chat.stopping.is_set():
        await response.write(b" ")
        await asyncio.sleep(0.02)
    return response


async def cut_off(chat: Chat) -> web.StreamResponse:
    """The connection ends in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
    await response.prepare(chat.request)
    await response.write(b'{"id": "chatcmpl-1", "choi')
    await _drop(chat)
    return response


async def hang_up(chat: Chat) -> web.StreamResponse:
    """The connection ends before the first byte."""
    await _drop(chat)
    return web.Response()


async def _drop(chat: Chat) -> None:
    if chat.request.transport is not None:
        chat.request.transport.close()


_LIMITS = ("max_tokens", "max_completion_tokens")
_ENVELOPE = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL}
_HTML = "<!doctype html><html><body>Welcome to the proxy</body></html>"

# Every way to fail that was seen at real servers; the service must survive each of them.
NAMED: Mapping[str, Reply] = {
    "html": text(_HTML, content_type="text/html"),
    "html_as_json": text(_HTML, content_type="application/json"),
    "html_error": text(_HTML, content_type="text/html", status=502),
    "broken_body": text('{"id": "chatcmpl-1", "choices": [{', content_type="application/json"),
    "empty_body": text("", content_type="application/json"),
    "list_body": body([1, 2, 3]),
    "error_in_200": body({"error": {"message": "provider fell over"}}),
    "choices_empty": body({**_ENVELOPE, "choices": []}),
    "choices_null": body({**_ENVELOPE, "choices": None}),
    "message_null": body({**_ENVELOPE, "choices": [{"index": 0, "message": None}]}),
    "broken_answer": say('{"kind": "execute_tool", "cause": '),
    "chatter": say("Sure! I would restart the deployment and see."),
    "wrong_schema": answer({"verdict": "restart it"}),
    "length": say('{"kind": "exec', finish_reason="length"),
    "content_filter": say("", finish_reason="content_filter"),
    "refusal": say(None, refusal="I cannot help with that."),
    "empty_content": say(""),
    "null_content": say(None),
    "unauthorized": refuse(
        401, "Incorrect API key provided: sk-1234567890abcdef12345", code="invalid_api_key"
    ),
    "forbidden": refuse(403, "Country not supported", code="unsupported_country"),
    "unknown_model": refuse(404, f"The model {MODEL} does not exist", code="model_not_found"),
    "bad_request": refuse(400, "response_format is not supported", code="invalid_request"),
    "busy": refuse(429, "Slow down", code="rate_limit_exceeded", headers={"Retry-After": "2"}),
    "no_quota": refuse(429, "You exceeded your current quota", code="insufficient_quota"),
    "server_error": refuse(500, "Internal error"),
    "overloaded": refuse(529, "Overloaded"),
    "slow": slow,
    "trickle": trickle,
    "cut_off": cut_off,
    "hang_up": hang_up,
}


class OpenAiStub:
    """Serves `replies` in order, the last one for ever; `chats` keeps every request.

    As the real service does, it answers 400 to a schema that is not strict.
    """

    def __init__(self, *replies: Reply) -> None:
        self.chats: list[Chat] = []
        self._replies = list(replies)
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, *, port: int = 0) -> Self:
        """Listen on loopback; `port` 0 takes a free one."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def stop(self) -> None:
        """Let go of waiting clients and close the port."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        sent = await request.json()
        schema = sent.get("response_format", {}).get("json_schema", {}).get("schema", {})
        chat = Chat(
            model=sent["model"],
            messages=sent["messages"],
            schema=schema,
            max_tokens={name: value for name, value in sent.items() if name in _LIMITS},
            authorization=request.headers.get("Authorization", ""),
            request=request,
            stopping=self._stopping,
        )
        self.chats.append(chat)
        if faults := strict_faults(schema):
            return await refuse(400, f"Invalid schema: {faults[0]}")(chat)
        return await self._replies[min(len(self.chats), len(self._replies)) - 1](chat)


def strict_faults(schema: object, place: str = "schema") -> list[str]:
    """Where `schema` breaks the rules of strict mode: every field required, none besides."""
    if isinstance(schema, list):
        return [fault for part in schema for fault in strict_faults(part, place)]
    if not isinstance(schema, dict):
        return []
    faults = [fault for key, part in schema.items() for fault in strict_faults(part, f"{place}.{key}")]
    if schema.get("type") == "object":
        if set(schema.get("required", [])) != set(schema.get("properties", {})):
            faults.append(f"{place} does not require every field")
        if schema.get("additionalProperties") is not False:
            faults.append(f"{place} allows additional fields")
    return faults


def read_script(name_or_file: str) -> list[Reply]:
    """One of `NAMED`, or a file with a list of names and answer objects."""
    if name_or_file in NAMED:
        return [NAMED[name_or_file]]
    steps = json.loads(Path(name_or_file).read_text(encoding="utf-8"))
    return [NAMED[step] if isinstance(step, str) else answer(step) for step in steps]


async def _serve(port: int, replies: Sequence[Reply]) -> None:
    stub = await OpenAiStub(*replies).start(port=port)
    sys.stdout.write(f"listening on {stub.url}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await stub.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="openai_stub", description="An OpenAI-compatible server by script.")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--script", default="html", help=f"a JSON file, or one of: {', '.join(NAMED)}")
    chosen = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(chosen.port, read_script(chosen.script)))
    except KeyboardInterrupt:
        sys.stdout.write("stopped\n")


if __name__ == "__main__":
    main()
