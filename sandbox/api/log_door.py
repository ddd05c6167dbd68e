"""Logs over HTTP: read once, or followed until the container ends."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aiohttp import web

from sandbox.api.call import Call
from sandbox.errors import ApiError, BadRequest
from sandbox.fields import Obj, get_in
from sandbox.kinds import kind_of
from sandbox.logs import LogOptions, LogSource, check_readable, chosen_container
from sandbox.store import Store

POLL_S = 0.25  # how often a followed log is looked at again, in real seconds


class LogDoor:
    """The `log` subresource of pods."""

    def __init__(self, store: Store, source: LogSource) -> None:
        self._store = store
        self._source = source

    async def serve(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Raises NotFound for the pod, BadRequest while the container has no log."""
        options = self._options(call)
        text = self._read(call, options)
        if not call.flag("follow"):
            return web.Response(text=text, content_type="text/plain")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            await self._follow(response, call, text, replace(options, tail_lines=None, limit_bytes=None))
            await response.write_eof()
        except ConnectionResetError:
            return response  # the reader has gone
        return response

    def _options(self, call: Call) -> LogOptions:
        seconds = call.number("sinceSeconds")
        since = self._store.clock.now() - timedelta(seconds=seconds) if seconds is not None else _moment(call)
        return LogOptions(
            previous=call.flag("previous"),
            since=since,
            tail_lines=call.number("tailLines"),
            timestamps=call.flag("timestamps"),
            limit_bytes=call.number("limitBytes"),
        )

    def _read(self, call: Call, options: LogOptions) -> str:
        pod = self._pod(call)
        container = chosen_container(pod, call.query.get("container", ""))
        if not get_in(pod, ("spec", "nodeName")):
            return ""
        check_readable(pod, container, previous=options.previous)
        return self._source.read(call.namespace or "", call.name or "", container, options)

    def _pod(self, call: Call) -> Obj:
        return self._store.get(kind_of("Pod"), call.namespace, call.name or "")

    async def _follow(
        self, response: web.StreamResponse, call: Call, first: str, options: LogOptions
    ) -> None:
        """Sends what is added, until the container is restarted, ended or gone."""
        seen = self._read(call, options)
        await response.write(first.encode())
        while self._running(call):
            await asyncio.sleep(POLL_S)
            try:
                text = self._read(call, options)
            except ApiError:
                return  # the pod has gone, or its container waits to be started again
            if not text.startswith(seen):
                return  # another run of the container
            if len(text) > len(seen):
                await response.write(text[len(seen) :].encode())
                seen = text

    def _running(self, call: Call) -> bool:
        """Whether more may come: the container runs in the state last reported."""
        pod = self._store.find(kind_of("Pod"), call.namespace, call.name or "")
        if pod is None:
            return False
        container = chosen_container(pod, call.query.get("container", ""))
        found = get_in(pod, ("status", "containerStatuses"), []) + get_in(
            pod, ("status", "initContainerStatuses"), []
        )
        return any(item["name"] == container and "running" in item.get("state", {}) for item in found)


def _moment(call: Call) -> datetime | None:
    text = call.query.get("sinceTime", "")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise BadRequest(f'parsing time "{text}": cannot be read as RFC 3339') from error
