"""Watches over HTTP: a stream of JSON lines, with bookmarks, selectors and a time limit.

One loop a client; the JSON of a change is made once for all of them.
"""

import asyncio
import json
from collections.abc import Iterable

from aiohttp import web

from sandbox.api.call import Call, invalid_options
from sandbox.api.columns import table_of
from sandbox.api.read import version_number
from sandbox.api.views import show
from sandbox.errors import ApiError, Cause
from sandbox.fields import Obj, labels_of, namespace_of
from sandbox.kinds import Kind
from sandbox.selectors import FieldSelector, Selector
from sandbox.store import Store
from sandbox.tables import Change, Record
from sandbox.watching import Watch

DEFAULT_TIMEOUT_S = 1800  # a real server ends silent watches after 30 to 60 minutes
BOOKMARK_S = 60.0  # a real server sends about one bookmark a minute


class WatchStream:
    """One client's watch; `run` returns when its time is over or the client has gone."""

    def __init__(self, call: Call, store: Store, stored: Kind) -> None:
        self._call = call
        self._store = store
        self._stored = stored
        self._labels: Selector | None = call.labels
        self._fields: FieldSelector | None = call.fields
        self._table = call.accepts("Table")
        self._plain = call.kind is stored and not self._table
        self._revision = store.revision

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Raises ApiError only before the first byte; later refusals are ERROR events of the stream."""
        _check_options(self._call)
        since = version_number(self._call.query.get("resourceVersion") or "0")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            await self._stream(response, since)
        except ApiError as error:
            await response.write(_event("ERROR", error.status()))
        except ConnectionResetError:
            return response  # the client has closed its side: that is how watches usually end
        await response.write_eof()
        return response

    async def _stream(self, response: web.StreamResponse, since: int) -> None:
        timeout_s = self._call.number("timeoutSeconds") or DEFAULT_TIMEOUT_S
        watch, first = self._opened(since)
        with watch:
            if first:
                await response.write(first)
            try:
                async with asyncio.timeout(timeout_s):
                    await self._follow(response, watch)
            except TimeoutError:
                await self._bookmark(response)

    def _opened(self, since: int) -> tuple[Watch, bytes]:
        """The cursor, and what the client must hear first: all present objects, when it has none yet."""
        if since:
            self._revision = since
            return self._store.watch(self._stored, since), b""
        records = self._store.records(
            self._stored, self._call.namespace, labels=self._labels, fields=self._fields
        )
        lines = b"".join(self._line("ADDED", record) for record in records)
        return self._store.watch(self._stored, self._store.revision), lines

    async def _follow(self, response: web.StreamResponse, watch: Watch) -> None:
        while True:
            try:
                async with asyncio.timeout(BOOKMARK_S):
                    changes = await watch.batch()
            except TimeoutError:
                self._revision = self._store.revision  # nothing of this kind happened up to now
                await self._bookmark(response)
                continue
            if lines := b"".join(self._lines(changes)):
                await response.write(lines)
            self._revision = changes[-1].revision

    def _lines(self, changes: Iterable[Change]) -> Iterable[bytes]:
        for change in changes:
            type_ = self._seen_as(change)
            if type_ == change.type and self._plain:
                yield change.line
            elif type_ is not None:
                yield self._line(type_, change.record)

    def _seen_as(self, change: Change) -> str | None:
        """What a change is for this selection, which objects enter and leave by being changed."""
        namespace = self._call.namespace
        if namespace and namespace_of(change.object) != namespace:
            return None
        if self._labels is None and self._fields is None:
            return change.type
        before = change.old is not None and self._selected(change.old)
        after = change.type != "DELETED" and self._selected(change.object)
        if before and after:
            return "MODIFIED"
        if after:
            return "ADDED"
        return "DELETED" if before else None

    def _selected(self, obj: Obj) -> bool:
        if self._labels is not None and not self._labels.matches(labels_of(obj)):
            return False
        return self._fields is None or self._fields.matches(obj)

    def _line(self, type_: str, record: Record) -> bytes:
        if self._plain:
            return b'{"type":"%s","object":%s}\n' % (type_.encode(), record.json)
        obj = show(self._call.kind, record.obj)
        if not self._table:
            return _event(type_, obj)
        include = self._call.query.get("includeObject") or "Metadata"
        table = table_of(self._call.kind, [obj], now=self._store.clock.time(), include=include)
        return _event(type_, {**table, "metadata": {"resourceVersion": str(record.revision)}})

    async def _bookmark(self, response: web.StreamResponse) -> None:
        """Tells the client up to which revision it has seen everything."""
        if not self._call.flag("allowWatchBookmarks"):
            return
        data = {"resourceVersion": str(self._revision), "creationTimestamp": None}
        kind = self._call.kind
        await response.write(
            _event("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": data})
        )


def _check_options(call: Call) -> None:
    """Clients that ask for initial events in the stream fall back to a list when these are forbidden."""
    if "sendInitialEvents" in call.query:
        why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        raise invalid_options(
            "ListOptions", Cause("sendInitialEvents", f"Forbidden: {why}", "FieldValueForbidden")
        )


def _event(type_: str, obj: Obj) -> bytes:
    return (
        json.dumps({"type": type_, "object": obj}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )
