"""The embedded cluster is handed over with a past that metrics, logs and alerts can tell of."""

import json
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from sandbox.alerting.alert import fingerprint
from sandbox.embedded import Embedded, alert_body, open_embedded
from sandbox.scenario import Scenario, load_scenario

TIMEOUT = aiohttp.ClientTimeout(total=10)


@pytest.fixture
def crash() -> Scenario:
    return load_scenario(next(Path("scenarios").rglob("crash-after-rollout.yaml")))


async def _ask(url: str, **parameters: str) -> list[dict[str, list[list[object]]]]:
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as session,
        session.get(url, params=parameters) as answer,
    ):
        found: list[dict[str, list[list[object]]]] = (await answer.json())["data"]["result"]
        return found


async def _last_hour(embedded: Embedded, query: str) -> list[object]:
    now = embedded.cluster.clock.time()
    times = {"start": str(now - 3600), "end": str(now), "step": "60"}
    (series,) = await _ask(f"{embedded.prometheus_url}/api/v1/query_range", query=query, **times)
    return [value for _, value in series["values"]]


async def test_an_hour_lies_behind_a_fresh_cluster(tmp_path: Path, crash: Scenario) -> None:
    async with open_embedded(tmp_path / "kubeconfig", nodes_count=3, speed=0, scenario=crash) as embedded:
        assert await _last_hour(embedded, "sum(up) / count(up)") == ["1"] * 61
        waiting = await _last_hour(embedded, "count(kube_pod_container_status_waiting_reason) or vector(0)")
        assert set(waiting[:40]) == {"0"}
        assert waiting[-1] == "1"
        lines = await _ask(f"{embedded.loki_url}/loki/api/v1/query", query='{app="api"} |= "RuntimeError"')
        assert lines
        firing = await _ask(f"{embedded.prometheus_url}/api/v1/query", query='ALERTS{alertstate="firing"}')
        assert "KubePodCrashLooping" in str(firing)


async def test_who_does_not_want_to_be_observed_is_not(tmp_path: Path) -> None:
    async with open_embedded(tmp_path / "kubeconfig", nodes_count=1, speed=0, observed=False) as embedded:
        assert (embedded.observer, embedded.prometheus_url, embedded.loki_url) == (None, "", "")


def test_a_scenarios_alert_is_told_like_any_other(crash: Scenario) -> None:
    body = json.loads(alert_body(crash, at=datetime(2026, 1, 5, tzinfo=UTC)))
    (alert,) = body["alerts"]
    assert alert["fingerprint"] == fingerprint(crash.alert.labels or {})
    assert body["groupKey"] == '{}:{alertname="KubePodCrashLooping", namespace="shop"}'
    assert body["commonLabels"] == crash.alert.labels
