"""The same samples in a real Prometheus and in the sandbox's evaluator: every query must give the same.

Run by name, not by the whole suite: it starts a real Prometheus.
"""

import json
import math
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.metrics.monitor import Monitor
from sandbox.metrics.series import StoredSeries
from sandbox.promql.engine import along, instant
from sandbox.promql.errors import BadQuery, CannotEvaluate
from sandbox.promql.values import NAME, Labels, Points, Window, labels_from, value_of
from sandbox.scenario import inject, load_scenario, prepare
from tests.real_prometheus.processes import prometheus
from tests.real_prometheus.queries import ERRORS, QUERIES
from tests.sandbox.fixed_series import FixedSeries, FixedSource
from tests.sandbox.worlds import World

SCENARIOS = ("crash-after-rollout", "memory-limit-too-low")
FOREVER_MS = 10**15
TOLERANCE = 1e-9
EXECUTION = 422
MOMENTS_S = (0, 7, 600, 1195, 1900)  # before the end: with the faults, at their beginning, and before
SILENT = {
    'absent_over_time(up{job="kubelet"}[5m])',
    'kube_pod_status_phase{phase!~"Running|Pending"} == 1',
    "kube_deployment_spec_replicas != kube_deployment_status_replicas_available",
    'kube_pod_status_ready{condition="true"} * on (namespace, pod) group_left (node) kube_pod_info',
    "kube_pod_info * on (namespace, pod) group_right () kube_pod_status_ready",
}  # nothing, or a refusal, is the right answer
SHOP = """
apiVersion: v1
kind: Service
metadata:
  {name: front, namespace: shop, annotations: {sandbox/calls: "api:80", sandbox/requests-per-second: "20"}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop, annotations: {sandbox/requests-per-second: "20"}}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
"""


@dataclass
class Both:
    """A real Prometheus and the evaluator over the same points."""

    url: str
    source: FixedSource
    now_ms: int

    def ask(self, path: str, **parameters: str) -> tuple[int, dict[str, object]]:
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("prometheus")
    source, now_ms = _lived()
    (folder / "samples.om").write_text(_openmetrics(source))
    data = folder / "data"
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.om"), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    keep = "--storage.tsdb.retention.time=100y"
    with prometheus(folder, "global: {evaluation_interval: 1m}\n", keep, data=data) as url:
        yield Both(url, source, now_ms)


def _lived() -> tuple[FixedSource, int]:
    """The points of an hour in which two things break."""
    world = World()
    monitor = Monitor(world.store, world.clock, world.fleet, world.traffic)
    monitor.start()
    scenarios = [load_scenario(next(Path("scenarios").rglob(f"{name}.yaml"))) for name in SCENARIOS]
    for scenario in scenarios:
        prepare(world, scenario)
    world.apply(SHOP)
    world.advance(2000)
    for scenario in scenarios:
        inject(world, scenario)
    world.advance(1200)
    return FixedSource([_fixed(stored) for stored in monitor.series]), round(world.clock.time() * 1000)


def _fixed(stored: StoredSeries) -> FixedSeries:
    times, values = stored.window(0, FOREVER_MS)
    return FixedSeries(stored.labels, list(times), list(values))


def _openmetrics(source: FixedSource) -> str:
    lines = []
    for series in sorted(source.series, key=lambda series: (value_of(series.labels, NAME), series.labels)):
        name = value_of(series.labels, NAME)
        labels = ",".join(f"{key}={json.dumps(value)}" for key, value in series.labels if key != NAME)
        for at_ms, value in zip(series.times, series.values, strict=True):
            lines.append(f"{name}{{{labels}}} {value!r} {at_ms / 1000:.3f}\n")
    return "".join(lines) + "# EOF\n"


Plain = dict[Labels, list[tuple[float, float]]]


def _theirs(answer: dict[str, object]) -> Plain:
    assert answer["status"] == "success", answer
    data = answer["data"]
    assert isinstance(data, dict)
    if data["resultType"] in ("scalar", "string"):
        at, value = data["result"]
        return {(): [(at, float(value) if data["resultType"] == "scalar" else math.nan)]}
    return {
        labels_from(item["metric"]): [
            (float(at), float(value)) for at, value in item.get("values") or [item["value"]]
        ]
        for item in data["result"]
    }


def _ours(value: object, at_ms: int) -> Plain:
    at = at_ms / 1000
    if isinstance(value, float):
        return {(): [(at, value)]}
    if isinstance(value, str):
        return {(): [(at, math.nan)]}
    if isinstance(value, Window):
        return _series(value.series)
    assert isinstance(value, list)
    return {labels: [(at, number)] for labels, number in value}


def _series(points: list[Points]) -> Plain:
    return {
        p.labels: [(at / 1000, value) for at, value in zip(p.times, p.values, strict=True)] for p in points
    }


def _same(ours: Plain, theirs: Plain) -> None:
    assert set(ours) == set(theirs)
    for labels, points in theirs.items():
        assert [at for at, _ in ours[labels]] == [at for at, _ in points], labels
        for (_, mine), (at, wanted) in zip(ours[labels], points, strict=True):
            close = math.isclose(mine, wanted, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            assert close or (math.isnan(mine) and math.isnan(wanted)), (labels, at, mine, wanted)


@pytest.mark.parametrize("query", QUERIES)
def test_an_instant_query_gives_what_a_real_prometheus_gives(both: Both, query: str) -> None:
    for back_s in MOMENTS_S:
        at_ms = both.now_ms - back_s * 1000
        status, answer = both.ask("query", query=query, time=f"{at_ms / 1000:.3f}")
        if status == EXECUTION:
            with pytest.raises(CannotEvaluate):
                instant(query, both.source, at_ms)
        else:
            _same(_ours(instant(query, both.source, at_ms), at_ms), _theirs(answer))


@pytest.mark.parametrize("query", [q for q in QUERIES if not q.endswith("]") and q[0] != '"'])
def test_a_range_query_gives_what_a_real_prometheus_gives(both: Both, query: str) -> None:
    start_ms, end_ms, step_ms = both.now_ms - 2_400_000, both.now_ms, 37_000
    times = {"start": f"{start_ms / 1000:.3f}", "end": f"{end_ms / 1000:.3f}", "step": f"{step_ms / 1000:g}"}
    status, answer = both.ask("query_range", query=query, **times)
    if status == EXECUTION:
        with pytest.raises(CannotEvaluate):
            along(query, both.source, start_ms, end_ms, step_ms)
    else:
        _same(_series(along(query, both.source, start_ms, end_ms, step_ms)), _theirs(answer))


@pytest.mark.parametrize("query", ERRORS)
def test_what_a_real_prometheus_refuses_is_refused_in_the_same_way(both: Both, query: str) -> None:
    status, answer = both.ask("query", query=query, time=f"{both.now_ms / 1000:.3f}")
    with pytest.raises((BadQuery, CannotEvaluate)) as refusal:
        instant(query, both.source, both.now_ms)
    assert status == (400 if isinstance(refusal.value, BadQuery) else EXECUTION), answer


def test_queries_are_asked_about_a_cluster_in_which_something_is_to_be_seen(both: Both) -> None:
    assert {query for query in QUERIES if not _ever_answers(both, query)} <= SILENT


def _ever_answers(both: Both, query: str) -> bool:
    for back_s in MOMENTS_S:
        try:
            if instant(query, both.source, both.now_ms - back_s * 1000) != []:
                return True
        except CannotEvaluate:
            continue
    return False
