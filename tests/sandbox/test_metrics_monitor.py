"""Metrics of a living cluster: what is measured, what becomes stale, and what it costs."""

from itertools import pairwise

import pytest

from sandbox.metrics.containers import CONTAINER_FAMILIES
from sandbox.metrics.exposition import exposition
from sandbox.metrics.family import Family, Group, Reading, gauge, taken
from sandbox.metrics.meter import Meter, wobble
from sandbox.metrics.monitor import Monitor
from sandbox.metrics.requests import BOUNDS_S, Requests
from sandbox.network.traffic import Totals
from sandbox.promql.engine import instant
from tests.sandbox.worlds import World, deployment, pod_template


class Measured(World):
    """A cluster that is scraped every 15 s."""

    def __init__(self, nodes: int = 2) -> None:
        super().__init__(nodes)
        self.monitor = Monitor(self.store, self.clock, self.fleet, self.traffic)
        self.monitor.start()

    def ask(self, query: str) -> list[float]:
        found = instant(query, self.monitor.series, round(self.clock.time() * 1000))
        assert isinstance(found, list)
        return sorted(sample.value for sample in found)

    def value(self, query: str) -> float:
        values = self.ask(query)
        assert len(values) == 1, (query, values)
        return values[0]


@pytest.fixture
def world() -> Measured:
    return Measured()


def _limited(memory: str = "128Mi", cpu: str = "200m", **notes: str) -> dict[str, object]:
    container = {
        "name": "app",
        "image": "shop/app:1",
        "resources": {"limits": {"memory": memory, "cpu": cpu}},
    }
    return pod_template(
        notes={name.replace("_", "-"): value for name, value in notes.items()}, containers=[container]
    )


def test_a_deployments_replicas_follow_its_rollout(world: Measured) -> None:
    world.apply([deployment("web", replicas=3)])
    world.advance(60)
    assert world.value('kube_deployment_status_replicas_available{deployment="web"}') == 3
    world.change("Deployment", "web", "spec.template.spec.containers", [{"name": "app", "image": "x:broken"}])
    world.advance(60)
    assert world.value('sum(kube_pod_container_status_waiting_reason{reason="ImagePullBackOff"})') >= 1
    assert world.value('kube_deployment_status_replicas_updated{deployment="web"}') == 1


def test_a_deleted_pod_is_stale_at_the_next_scrape(world: Measured) -> None:
    world.apply([deployment("web", replicas=1)])
    world.advance(60)
    assert len(world.ask("kube_pod_info")) == 1
    world.delete("Deployment", "web")
    world.advance(30)
    assert world.ask("kube_pod_info") == []
    assert world.ask("container_memory_working_set_bytes") == []


def test_cpu_grows_as_the_program_uses_it_and_is_cut_by_its_limit(world: Measured) -> None:
    world.apply([deployment("web", replicas=1, template=_limited(needs_cpu="500m"))])
    world.advance(600)
    assert world.value("rate(container_cpu_usage_seconds_total[5m])") == pytest.approx(0.2, rel=0.05)
    share = "rate(container_cpu_cfs_throttled_periods_total[5m]) / rate(container_cpu_cfs_periods_total[5m])"
    assert world.value(share) == pytest.approx(0.6)


def test_memory_stays_below_its_limit(world: Measured) -> None:
    world.apply([deployment("web", replicas=1, template=_limited(memory="51Mi"))])
    world.advance(1200)
    assert world.value("max_over_time(container_memory_working_set_bytes[15m])") <= 51 * 2**20


def test_kills_for_memory_are_counted(world: Measured) -> None:
    world.apply([deployment("web", replicas=1, template=_limited(memory="60Mi", leaks_memory="20Mi"))])
    world.advance(400)
    assert world.value("max(kube_pod_container_status_restarts_total)") >= 2
    assert world.value("max(max_over_time(container_oom_events_total[10m]))") >= 1
    assert world.value('kube_pod_container_status_last_terminated_reason{reason="OOMKilled"}') == 1


def test_a_lost_node_is_down_and_its_series_are_stale(world: Measured) -> None:
    world.advance(60)
    world.annotate("Node", "node-1", "sandbox/fault", "lost")
    world.advance(30)
    assert world.ask("up == 0") == [0.0, 0.0, 0.0]  # kubelet, cAdvisor and node-exporter
    assert len(world.ask("node_load1")) == 1
    world.annotate("Node", "node-1", "sandbox/fault", None)
    world.advance(30)
    assert len(world.ask("node_load1")) == 2


def test_pressure_on_a_node_is_seen_on_its_machine(world: Measured) -> None:
    world.annotate("Node", "node-0", "sandbox/fault", "diskpressure")
    world.advance(30)
    share = 'node_filesystem_avail_bytes{instance="node-0"} / node_filesystem_size_bytes'
    assert world.value(share) == pytest.approx(0.03)


def test_a_mounted_claim_says_how_full_it_is_and_fills(world: Measured) -> None:
    world.apply(
        """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast}
provisioner: sandbox/volumes
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {name: data, namespace: default, annotations: {sandbox/volume-used: 6Gi, sandbox/volume-grows: 60Mi}}
spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
"""
    )
    mounts = [{"name": "data", "mountPath": "/data"}]
    template = pod_template(
        containers=[{"name": "app", "image": "shop/db:1", "volumeMounts": mounts}],
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    )
    world.apply([deployment("db", replicas=1, template=template)])
    world.advance(660)
    assert world.value("kubelet_volume_stats_capacity_bytes") == 10 * 2**30
    assert world.value("deriv(kubelet_volume_stats_used_bytes[10m])") == pytest.approx(2**20, rel=0.01)


def test_requests_between_services_are_counted_by_code(world: Measured) -> None:
    service = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default, annotations: {sandbox/requests-per-second: "20"}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
    world.apply([deployment("web")])
    world.apply(service)
    world.advance(600)
    assert world.value('rate(http_requests_total{code="200"}[5m])') == pytest.approx(20, rel=0.1)
    assert 0 < world.value("histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[5m]))") < 0.1
    world.delete("Deployment", "web")
    world.advance(600)
    assert world.value('rate(http_requests_total{code="500"}[5m])') == pytest.approx(20, rel=0.1)


def test_twenty_minutes_of_a_drill_cluster_are_a_bounded_number_of_series(world: Measured) -> None:
    world.apply([deployment("web", replicas=6)])
    world.advance(1200)
    assert len(world.monitor.series) < 1500
    assert world.value("count_over_time(up{job='kube-state-metrics'}[5m])") in (20, 21)


# --- the parts


def test_a_meter_integrates_whatever_rate_it_is_read_with() -> None:
    meter = Meter()
    assert meter.total("x", 2.0, at_s=10, since_s=0) == 20
    assert meter.total("x", 1.0, at_s=15, since_s=0) == 25
    assert meter.total("x", 1.0, at_s=15, since_s=0) == 25
    assert meter.total("y", 1.0, at_s=15, since_s=5) == 10


def test_noise_is_bounded_smooth_and_the_same_for_the_same_name() -> None:
    values = [wobble("a", at) for at in range(2000)]
    assert max(map(abs, values)) <= 1
    assert max(abs(b - a) for a, b in pairwise(values)) < 0.1
    assert wobble("a", 7) == wobble("a", 7) != wobble("b", 7)


def test_latencies_are_sorted_into_buckets_around_their_mean() -> None:
    requests = Requests({})
    requests.advance(Totals(requests=100, errors=10, latency_s=10))
    shares = dict(zip(BOUNDS_S, requests.buckets, strict=True))
    assert requests.buckets == sorted(requests.buckets)
    assert (
        shares[0.025] < 5 < 50 < shares[0.1] < 95 < shares[0.25] < shares[10.0] <= 100 == requests.buckets[-1]
    )
    assert (requests.good, requests.bad) == (90, 10)


def test_the_text_format_escapes_what_would_break_it() -> None:
    family: Family[float] = gauge(
        "x", "first\nsecond", lambda value: (Reading({"a": 'say "hi"\n', "empty": ""}, value),)
    )
    group = Group("g", None, lambda: taken([family], 1.5))
    assert exposition([([group], {"job": "j"})]) == (
        '# HELP x first\\nsecond\n# TYPE x gauge\nx{job="j",a="say \\"hi\\"\\n"} 1.5\n'
    )


def test_names_are_unique_and_say_what_they_are() -> None:
    names = [family.name for family in CONTAINER_FAMILIES]
    assert len(set(names)) == len(names)
    counters = [family.name for family in CONTAINER_FAMILIES if family.kind == "counter"]
    assert all(name.endswith("_total") for name in counters)
