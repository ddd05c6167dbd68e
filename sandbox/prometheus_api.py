"""Prometheus' HTTP API over the sandbox's series: queries, labels, and what others may scrape.

Formats, errors and value strings are those of Prometheus 2; refusals of the parser come without a position.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from aiohttp import web

from sandbox.http_forms import (
    BadParameter,
    CannotAnswer,
    Form,
    distinct,
    form_of,
    length_s,
    moment_s,
    seconds,
)
from sandbox.metrics.exposition import CONTENT_TYPE, exposition
from sandbox.metrics.family import Down, Group
from sandbox.metrics.monitor import Monitor, Scraped
from sandbox.promql.engine import MAX_POINTS, Value, along, instant, selection
from sandbox.promql.errors import BadQuery, CannotEvaluate
from sandbox.promql.values import Labels, Points, Series, Window, number_text

FOREVER_MS = 2**62
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[[Form], object]


def success(data: object) -> web.Response:
    return web.json_response({"status": "success", "data": data})


def failure(kind: str, text: str, status: int) -> web.Response:
    return web.json_response({"status": "error", "errorType": kind, "error": text}, status=status)


def answering(answer: Answer) -> Handler:
    """A handler that wraps the answer to a form, or says why there is none."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return success(answer(await form_of(request)))
        except BadQuery as error:
            return failure("bad_data", f'invalid parameter "query": 1:1: parse error: {error}', 400)
        except CannotAnswer as error:
            return failure("bad_data", str(error), 400)
        except CannotEvaluate as error:
            return failure("execution", str(error), 422)

    return handle


class PrometheusApi:
    """Queries over what a monitor has scraped."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def routes(self) -> list[web.RouteDef]:
        asked = {
            "/api/v1/query": self._query,
            "/api/v1/query_range": self._query_range,
            "/api/v1/labels": self._labels,
            "/api/v1/series": self._series,
        }
        both = [
            web.route(method, path, answering(answer))
            for path, answer in asked.items()
            for method in ("GET", "POST")
        ]
        return [
            *both,
            web.get("/api/v1/label/{name}/values", self._label_values),
            web.get("/metrics", self._all_metrics),
            web.get("/metrics/{path:.+}", self._metrics),
            web.get("/targets.json", self._discovery),
        ]

    # --- queries

    def _query(self, form: Form) -> object:
        at_ms = round(moment_s(form, "time", self._now) * 1000)
        return rendered(instant(form.get("query", ""), self._monitor.series, at_ms), at_ms)

    def _query_range(self, form: Form) -> object:
        start, end = (round(moment_s(form, name, self._now) * 1000) for name in ("start", "end"))
        if end < start:
            raise BadParameter("end", "end timestamp must not be before start time")
        step = round(length_s(form, "step") * 1000)
        if step <= 0:
            text = "zero or negative query resolution step widths are not accepted. Try a positive integer"
            raise BadParameter("step", text)
        if (end - start) // step > MAX_POINTS:
            raise BadParameter(
                "step",
                f"exceeded maximum resolution of {MAX_POINTS:,} points per timeseries. "
                "Try decreasing the query resolution (?step=XX)",
            )
        points = along(form.get("query", ""), self._monitor.series, start, end, step)
        return {"resultType": "matrix", "result": [_series(item) for item in points]}

    # --- labels and series

    def _labels(self, form: Form) -> object:
        return distinct({name for labels in self._matching(form) for name, _ in labels})

    async def _label_values(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if LABEL_NAME.fullmatch(name) is None:
            return failure("bad_data", f'invalid label name: "{name}"', 400)
        return await answering(lambda form: self._values(form, name))(request)

    def _values(self, form: Form, name: str) -> list[str]:
        return distinct({value for labels in self._matching(form) for key, value in labels if key == name})

    def _series(self, form: Form) -> object:
        if "match[]" not in form:
            raise CannotAnswer("no match[] parameter provided")
        return [dict(labels) for labels in sorted(self._matching(form))]

    def _matching(self, form: Form) -> set[Labels]:
        """Label sets of series with a point in the time asked for."""
        start = round(moment_s(form, "start", 0.0) * 1000)
        end = round(moment_s(form, "end", FOREVER_MS / 1000) * 1000)
        found: Iterable[Series] = self._monitor.series
        if "match[]" in form:
            store = self._monitor.series
            found = [series for text in form.getall("match[]") for series in store.select(selection(text))]
        return {series.labels for series in found if len(series.window(start, end)[0])}

    # --- scraping by others

    async def _all_metrics(self, request: web.Request) -> web.Response:
        """Everything at once, with the labels of every target: to be scraped with `honor_labels`."""
        text = exposition(_answering(self._monitor.scraped()))
        return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE})

    async def _metrics(self, request: web.Request) -> web.Response:
        """One target; 503 while it does not answer."""
        scraped = self._monitor.find(request.match_info["path"])
        if scraped is None:
            return web.Response(status=404, text="404 page not found\n")
        try:
            text = exposition([(list(scraped.target.groups()), {})])
        except Down:
            return web.Response(status=503, text="the node does not answer\n")
        return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE})

    async def _discovery(self, request: web.Request) -> web.Response:
        """All targets in the format of Prometheus' HTTP service discovery."""
        return web.json_response(
            [
                {
                    "targets": [request.host],
                    "labels": {**target.labels, "__metrics_path__": f"/metrics/{target.path}"},
                }
                for target in (scraped.target for scraped in self._monitor.scraped())
            ]
        )

    @property
    def _now(self) -> float:
        return self._monitor.clock.time()


def rendered(value: Value, at_ms: int) -> dict[str, object]:
    """The `data` of an instant query."""
    at = seconds(at_ms)
    if isinstance(value, float):
        return {"resultType": "scalar", "result": [at, number_text(value)]}
    if isinstance(value, str):
        return {"resultType": "string", "result": [at, value]}
    if isinstance(value, Window):
        return {"resultType": "matrix", "result": [_series(points) for points in value.series]}
    vector = [{"metric": dict(labels), "value": [at, number_text(number)]} for labels, number in value]
    return {"resultType": "vector", "result": vector}


def _series(points: Points) -> dict[str, object]:
    values = zip(points.times, points.values, strict=True)
    return {
        "metric": dict(points.labels),
        "values": [[seconds(at_ms), number_text(value)] for at_ms, value in values],
    }


def _answering(targets: Iterable[Scraped]) -> Iterator[tuple[list[Group], Mapping[str, str]]]:
    """Groups and labels of the targets that answer."""
    for scraped in targets:
        try:
            yield list(scraped.target.groups()), scraped.target.labels
        except Down:
            continue
