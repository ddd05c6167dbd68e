"""Loki's HTTP API: lines, numbers and labels. Answers are checked only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from domain.errors import Permanent
from mcp_servers.http_access import Access, HttpAccess, Parameters, TooLarge, json_object, refusal
from mcp_servers.prom.wire import MatrixAnswer, Wire

NAME = "Loki"
FEWEST_LINES = 10  # when even these are too large, the query has to change

T = TypeVar("T")


def _two(entry: object) -> object:
    """Newer servers put structured metadata behind time and line."""
    return entry[:2] if isinstance(entry, list) else entry


Entry = Annotated[tuple[int, str], BeforeValidator(_two)]  # unix nanoseconds, as text; the line


class Stream(Wire):
    """Lines with the same labels."""

    labels: dict[str, str] = Field(alias="stream")
    values: list[Entry] = Field(default_factory=list)


class StreamsAnswer(Wire):
    """What a log query answers."""

    kind: Literal["streams"] = Field(alias="resultType")
    result: list[Stream] = Field(default_factory=list)


LogAnswer = Annotated[StreamsAnswer | MatrixAnswer, Field(discriminator="kind")]
ANSWER = TypeAdapter(LogAnswer)
STRINGS = TypeAdapter(list[str])


class LokiApi:
    """One method a path. Raises Transient, or Permanent with Loki's own message."""

    def __init__(self, access: Access) -> None:
        self._http = HttpAccess(access, NAME)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Hold the connections open."""
        async with self._http.lifespan():
            yield

    async def query_range(
        self, query: str, start: datetime, end: datetime, *, limit: int, forward: bool = False
    ) -> StreamsAnswer | MatrixAnswer:
        """Lines, the newest unless `forward`, or the numbers of a metric query.

        Fewer lines than `limit` come when so many would be too large.
        """
        direction = "forward" if forward else "backward"
        times = [("start", _nanoseconds(start)), ("end", _nanoseconds(end)), ("direction", direction)]
        asked = [("query", query), *times, ("limit", str(limit))]
        try:
            return _checked(ANSWER, await self._data("/loki/api/v1/query_range", asked))
        except TooLarge:
            if limit <= FEWEST_LINES:
                raise
            return await self.query_range(query, start, end, limit=limit // 4, forward=forward)

    async def labels(self, start: datetime, end: datetime) -> list[str]:
        """Names of labels."""
        times = [("start", _nanoseconds(start)), ("end", _nanoseconds(end))]
        return _checked(STRINGS, await self._data("/loki/api/v1/labels", times) or [])

    async def label_values(self, label: str, selector: str, start: datetime, end: datetime) -> list[str]:
        """Values of a label among the streams of a selector, or of all where it is empty."""
        times = [("start", _nanoseconds(start)), ("end", _nanoseconds(end))]
        asked = [*times, *([("query", selector)] if selector else [])]
        return _checked(STRINGS, await self._data(f"/loki/api/v1/label/{label}/values", asked) or [])

    async def _data(self, path: str, query: Parameters) -> object:
        reply = await self._http.get(path, query)
        if reply.status == 401:  # tokens are renewed while we run: read the files anew, once
            await self._http.forget_secrets()
            reply = await self._http.get(path, query)
        if reply.status >= 400:
            raise refusal(reply.status, _said(reply.body), NAME, path)
        body = json_object(reply, NAME)
        return body.get("data")


def _said(body: bytes) -> str:
    """Loki's message: plain text, or JSON behind a gateway."""
    text = body[:2000].decode(errors="replace")
    if not text.startswith("{"):
        return text
    found = TypeAdapter(dict[str, object])
    try:
        said = found.validate_json(body)
    except ValidationError:
        return text
    return str(said.get("error") or said.get("message") or text)


def _checked(shape: TypeAdapter[T], data: object) -> T:
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "data"
        raise Permanent(f"The answer is not {NAME}'s ({place}: {first['msg']}); check the url.") from error


def _nanoseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1e6) * 1000)
