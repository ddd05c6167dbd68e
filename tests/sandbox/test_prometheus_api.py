"""The Prometheus API: formats and refusals as a client meets them."""

import json

import pytest

from tests.sandbox.observed import asked
from tests.sandbox.worlds import deployment, pod_template

WEB = deployment("web", replicas=2)
CRASHING = deployment("bad", replicas=1, template=pod_template(notes={"fault": "crashloop"}))


async def test_an_instant_query_answers_with_a_vector_of_strings() -> None:
    async with asked(WEB) as api:
        data = await api.data("/api/v1/query", query='kube_deployment_spec_replicas{deployment="web"}')
        assert data["resultType"] == "vector"
        (found,) = data["result"]
        assert found["metric"]["__name__"] == "kube_deployment_spec_replicas"
        assert found["value"] == [api.now, "2"]
        posted = await api.posted("/api/v1/query", query="1 + 1", time="2026-01-05T08:00:00Z")
        assert posted["data"] == {"resultType": "scalar", "result": [1767600000, "2"]}
        assert (await api.data("/api/v1/query", query="1 / 0"))["result"][1] == "+Inf"
        assert (await api.data("/api/v1/query", query='"x"'))["resultType"] == "string"
        assert (await api.data("/api/v1/query", query="up[1m]"))["resultType"] == "matrix"


async def test_a_range_query_answers_with_a_matrix() -> None:
    async with asked(WEB) as api:
        times = {"start": str(api.now - 120), "end": str(api.now), "step": "60s"}
        data = await api.data("/api/v1/query_range", query="sum(up)", **times)
        assert data["resultType"] == "matrix"
        assert [value for _, value in data["result"][0]["values"]] == ["8", "8", "8"]
        assert data["result"][0]["metric"] == {}


EMPTY_RANGE = {"query": "up", "start": "9", "end": "8", "step": "1"}
NO_STEP = {"query": "up", "start": "0", "end": "8", "step": "0"}
TOO_FINE = {"query": "up", "start": "0", "end": "1e9", "step": "1"}
OF_A_RANGE = {"query": "up[1m]", "start": "0", "end": "8", "step": "1"}


@pytest.mark.parametrize(
    ("path", "parameters", "text"),
    [
        ("query", {"query": "sum("}, 'invalid parameter "query": 1:1: parse error: unclosed left'),
        ("query", {"query": "up", "time": "soon"}, 'invalid parameter "time": cannot parse "soon" to'),
        ("query_range", EMPTY_RANGE, 'invalid parameter "end": end timestamp must not be before start'),
        ("query_range", NO_STEP, 'invalid parameter "step": zero or negative query resolution'),
        ("query_range", TOO_FINE, 'invalid parameter "step": exceeded maximum resolution of 11,000 points'),
        ("query_range", OF_A_RANGE, 'invalid parameter "query": '),
        ("series", {}, "no match[] parameter provided"),
        ("label/1/values", {}, 'invalid label name: "1"'),
        ("rules", {"type": "other"}, 'invalid parameter "type"'),
    ],
)
async def test_bad_data_is_refused_in_the_words_of_prometheus(
    path: str, parameters: dict[str, str], text: str
) -> None:
    async with asked() as api:
        status, kind, told = await api.error(f"/api/v1/{path}", **parameters)
        assert (status, kind) == (400, "bad_data")
        assert told.startswith(text)


async def test_what_cannot_be_evaluated_is_an_execution_error() -> None:
    async with asked() as api:
        status, kind, told = await api.error("/api/v1/query", query="up * on () up")
        assert (status, kind) == (422, "execution")
        assert told.startswith("found duplicate series for the match group {} on the right hand-side")


async def test_labels_and_series_can_be_explored() -> None:
    async with asked(WEB) as api:
        assert {"__name__", "job", "namespace", "pod"} <= set(await api.data("/api/v1/labels"))
        assert await api.data("/api/v1/labels", match='kube_node_role{node="x"}') == []
        jobs = await api.data("/api/v1/label/job/values")
        assert jobs == ["kube-state-metrics", "kubelet", "node-exporter", "services"]
        series = await api.data("/api/v1/series", match='up{job="kube-state-metrics"}')
        assert series == [
            {"__name__": "up", "instance": "kube-state-metrics:8080", "job": "kube-state-metrics"}
        ]
        assert await api.data("/api/v1/series", match="up", end="1000") == []
        known = await api.data("/api/v1/metadata", metric="kube_pod_info")
        assert known == {"kube_pod_info": [{"type": "gauge", "help": "Information about pod.", "unit": ""}]}


async def test_targets_and_rules_and_alerts_are_told() -> None:
    async with asked(CRASHING) as api:
        targets = (await api.data("/api/v1/targets"))["activeTargets"]
        assert {target["health"] for target in targets} == {"up"}
        assert len(targets) == 2 + 3 * 2
        groups = (await api.data("/api/v1/rules", type="alert"))["groups"]
        rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
        looping = rules["KubePodCrashLooping"]
        assert (looping["state"], looping["health"], looping["duration"]) == ("firing", "ok", 90)
        alerts = (await api.data("/api/v1/alerts"))["alerts"]
        assert looping["alerts"][0] in alerts
        assert looping["alerts"][0]["value"] == "1e+00"


async def test_what_clients_look_at_first_is_there() -> None:
    async with asked() as api:
        assert (await api.data("/api/v1/status/buildinfo"))["version"] == "2.42.0"
        assert (await api.data("/api/v1/status/tsdb"))["headStats"]["numSeries"] > 100
        for part in ("runtimeinfo", "config", "flags"):
            assert await api.data(f"/api/v1/status/{part}")
        assert (await api.text("/-/ready"))[0] == 200


async def test_another_prometheus_finds_all_targets_and_can_scrape_them() -> None:
    async with asked(WEB) as api:
        found = json.loads((await api.text("/targets.json"))[1])
        paths = [target["labels"]["__metrics_path__"] for target in found]
        texts = [await api.text(path) for path in paths]
        assert {status for status, _ in texts} == {200}
        assert sum("# TYPE node_load1 gauge\nnode_load1 " in text for _, text in texts) == 2
        status, everything = await api.text("/metrics")
        assert status == 200
        assert everything.count("# TYPE node_load1 gauge") == 1
        api.world.annotate("Node", "node-0", "sandbox/fault", "lost")
        api.world.advance(5)
        assert (await api.text("/metrics/node-exporter/node-0"))[0] == 503
        assert (await api.text("/metrics/nothing"))[0] == 404
