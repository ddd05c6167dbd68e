"""Loki's HTTP API over the containers' logs: queries, labels, series. Nothing can be pushed or tailed."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.http_forms import (
    BadParameter,
    CannotAnswer,
    Form,
    count,
    distinct,
    form_of,
    length_s,
    moment_s,
    seconds,
)
from sandbox.logql.evaluate import NANO, Streams, latest, numbers, streams
from sandbox.logql.logs import LogStore, Stream
from sandbox.logql.parse import parse
from sandbox.logql.query import BadLogQuery, LogQuery, MetricQuery
from sandbox.promql.engine import MAX_POINTS
from sandbox.promql.values import Labels, number_text

HOUR_S = 3600.0
DEFAULT_LIMIT, MAX_LIMIT = 100, 5000
STEPS = 250  # a range has about so many when no step is given
NANOSECONDS_FROM = 1e15  # larger numbers are nanoseconds, smaller ones seconds

Result = list[dict[str, object]]
Answer = Callable[[Form], object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LokiApi:
    """Queries over a store of logs; `now` gives the present in unix seconds."""

    def __init__(self, logs: LogStore, now: Callable[[], float]) -> None:
        self._logs = logs
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        asked: dict[str, Answer] = {
            "query": self._query,
            "query_range": self._query_range,
            "labels": self._labels,
            "label": self._labels,
            "series": self._series,
        }
        both = [
            web.route(method, f"/loki/api/v1/{path}", _answering(answer))
            for path, answer in asked.items()
            for method in ("GET", "POST")
        ]
        values = web.get("/loki/api/v1/label/{name}/values", self._label_values)
        return [*both, values, web.get("/ready", _ready), web.get("/loki/api/v1/status/buildinfo", _build)]

    # --- queries

    def _query(self, form: Form) -> object:
        at_ns = _moment_ns(form, "time", self._now())
        query = parse(form.get("query", ""))
        if isinstance(query, LogQuery):
            return self._lines(query, form, at_ns - round(HOUR_S * NANO), at_ns + 1)
        vector = numbers(self._logs, query, at_ns)
        at = seconds(at_ns // 1_000_000)
        result: Result = [
            {"metric": dict(labels), "value": [at, number_text(value)]} for labels, value in vector
        ]
        return _told("vector", result)

    def _query_range(self, form: Form) -> object:
        start, end = self._times(form)
        query = parse(form.get("query", ""))
        if isinstance(query, LogQuery):
            return self._lines(query, form, start, end)
        return _told("matrix", self._matrix(query, form, start, end))

    def _lines(self, query: LogQuery, form: Form, start_ns: int, end_ns: int) -> object:
        limit = count(form, "limit", DEFAULT_LIMIT)
        if limit > MAX_LIMIT:
            limits = f"limit > max_entries_limit_per_query ({limit} > {MAX_LIMIT})"
            raise CannotAnswer(f"max entries limit per query exceeded, {limits}")
        backward = form.get("direction", "backward").lower() != "forward"
        kept = latest(streams(self._logs, query, start_ns, end_ns), limit, backward=backward)
        return _told("streams", _rendered(kept))

    def _matrix(self, query: MetricQuery, form: Form, start_ns: int, end_ns: int) -> Result:
        default = max(1, (end_ns - start_ns) // NANO // STEPS)
        step = round(length_s(form, "step") * NANO) if form.get("step") else default * NANO
        if step <= 0 or (end_ns - start_ns) // step > MAX_POINTS:
            raise BadParameter("step", "the query would have no points, or too many of them")
        collected: dict[Labels, list[tuple[float, str]]] = {}
        for at_ns in range(start_ns, end_ns + 1, step):
            for labels, value in numbers(self._logs, query, at_ns):
                collected.setdefault(labels, []).append((seconds(at_ns // 1_000_000), number_text(value)))
        return [{"metric": dict(labels), "values": collected[labels]} for labels in sorted(collected)]

    # --- labels

    def _labels(self, form: Form) -> object:
        return distinct({name for labels in self._matching(form) for name, _ in labels})

    async def _label_values(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return await _answering(lambda form: self._values(form, name))(request)

    def _values(self, form: Form, name: str) -> list[str]:
        return distinct({value for labels in self._matching(form) for key, value in labels if key == name})

    def _series(self, form: Form) -> object:
        return [dict(labels) for labels in sorted(self._matching(form))]

    def _matching(self, form: Form) -> set[Labels]:
        """Labels of streams with a line in the time asked for."""
        start, end = self._times(form)
        texts = form.getall("match[]", []) or form.getall("match", []) or form.getall("query", [])
        chosen = self._logs.select(()) if not texts else [s for text in texts for s in self._chosen(text)]
        return {s.labels for s in chosen if any(start <= line.at * NANO < end for line in s.lines)}

    def _chosen(self, text: str) -> list[Stream]:
        query = parse(text)
        if not isinstance(query, LogQuery) or query.stages:
            raise BadLogQuery("only label matchers are supported")
        return self._logs.select(query.matchers)

    def _times(self, form: Form) -> tuple[int, int]:
        """Start and end in nanoseconds, by default the last hour."""
        end = _moment_ns(form, "end", self._now())
        since_s = length_s(form, "since") if form.get("since") else HOUR_S
        start = _moment_ns(form, "start", end / NANO - since_s)
        if end < start:
            raise CannotAnswer("end timestamp must not be before or equal to start time")
        return start, end


def _answering(answer: Answer) -> Handler:
    """Wraps an answer as Loki does, whose refusals are plain text."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response({"status": "success", "data": answer(await form_of(request))})
        except (BadLogQuery, CannotAnswer) as error:
            return web.Response(status=400, text=f"{error}\n")

    return handle


def _moment_ns(form: Form, name: str, default_s: float) -> int:
    """A moment in nanoseconds: given so, in seconds, or as RFC 3339."""
    text = form.get(name, "")
    if text.isdigit() and int(text) >= NANOSECONDS_FROM:
        return int(text)
    return round(moment_s(form, name, default_s) * 1e6) * 1000


def _rendered(found: Streams) -> Result:
    return [
        {"stream": dict(labels), "values": [[str(entry.at_ns), entry.text] for entry in entries]}
        for labels, entries in found.items()
    ]


def _told(kind: str, result: Result) -> dict[str, object]:
    return {"resultType": kind, "result": result, "stats": {}}


async def _ready(request: web.Request) -> web.Response:
    return web.Response(text="ready\n")


async def _build(request: web.Request) -> web.Response:
    return web.json_response({"version": "2.9.0", "revision": "sandbox", "branch": "sandbox"})
