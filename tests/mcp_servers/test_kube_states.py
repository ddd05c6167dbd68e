"""Facts from objects as the API sends them, where a sandbox does not bring them about."""

import pytest

from domain.errors import BadInput, Permanent
from mcp_servers.kube.allowed import check_paths, check_unmasked
from mcp_servers.kube.api_errors import NotServed
from mcp_servers.kube.bounds import autoscaler_state
from mcp_servers.kube.claims import claim_state
from mcp_servers.kube.cluster_api import MAX_ITEMS, ClusterApi, Listing
from mcp_servers.kube.connection import Access
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.drain import why_it_stays
from mcp_servers.kube.loads import load_of
from mcp_servers.kube.look_nodes import NodeLooks
from mcp_servers.kube.manifests import holds_secrets, manifest_of, shown_object
from mcp_servers.kube.policies import policy_state
from mcp_servers.kube.quotas import quota_state
from mcp_servers.kube.telling_more import tell_usage


class Lists(ClusterApi):
    """An API that answers lists from a table; kinds that are not in it are not served."""

    def __init__(self, **objects: list[dict[str, object]]) -> None:
        super().__init__(Access())
        self.objects = objects

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", limit: int = MAX_ITEMS
    ) -> Listing:
        if kind not in self.objects:
            raise NotServed(f"This cluster does not serve {kind}.")
        return Listing(tuple(Doc(found, kind) for found in self.objects[kind]), False)


def measured(name: str, cpu: str, memory: str) -> dict[str, object]:
    usage = {"cpu": cpu, "memory": memory}
    meta = {"name": name, "namespace": "shop"}
    return {"metadata": meta, "containers": [{"name": "app", "usage": usage}], "usage": usage}


async def test_usage_stands_beside_the_limit_largest_first() -> None:
    spec = {"containers": [{"name": "app", "resources": {"limits": {"memory": "128Mi", "cpu": "500m"}}}]}
    pods = [{"metadata": {"name": "b", "namespace": "shop"}, "spec": spec}]
    api = Lists(PodMetrics=[measured("a", "5m", "16Mi"), measured("b", "250m", "64Mi")], Pod=pods)
    found = await NodeLooks(api).get_usage("shop")
    assert [row.name for row in found.items] == ["shop/b", "shop/a"]
    assert found.items[0].memory_limit_bytes == 128 * 2**20
    assert "shop/b app: cpu 0.25 (50%), memory 64Mi (50%)" in tell_usage(found)


async def test_usage_of_nodes_stands_beside_what_they_can_give() -> None:
    node: dict[str, object] = {
        "metadata": {"name": "n"},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}},
    }
    api = Lists(NodeMetrics=[measured("n", "1", "2Gi")], Node=[node])
    (row,) = (await NodeLooks(api).get_usage(nodes=True)).items
    assert (row.cpu_cores, row.cpu_limit_cores, row.memory_limit_bytes) == (1.0, 4.0, 8 * 2**30)
    with pytest.raises(Permanent, match="metrics-server is not installed"):
        await NodeLooks(Lists()).get_usage()


def test_an_autoscaler_tells_its_metrics_and_what_keeps_it() -> None:
    target = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    now = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 95}}}
    other = {"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"averageValue": "10"}}}
    conditions = [
        {
            "type": "ScalingActive",
            "status": "False",
            "reason": "FailedGetResourceMetric",
            "message": "no cpu",
        },
        {"type": "AbleToScale", "status": "True", "reason": "Ready"},
        {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "at the most"},
    ]
    scaler = Doc(
        {
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"maxReplicas": 5, "metrics": [target, other]},
            "status": {"currentMetrics": [now], "conditions": conditions, "currentReplicas": 5},
        }
    )
    state = autoscaler_state(scaler)
    assert state.metrics == ("cpu: 80% of requests, now 95%", "queue: 10, now unknown")
    assert state.trouble == "FailedGetResourceMetric: no cpu; TooManyReplicas: at the most"
    assert (state.min_count, state.max_count) == (1, 5)


def test_a_pod_asks_for_its_containers_together_or_its_largest_init_container() -> None:
    def asking(cpu: str, memory: str) -> dict[str, object]:
        return {"resources": {"requests": {"cpu": cpu, "memory": memory}}}

    spec = {
        "containers": [asking("100m", "1Mi"), asking("100m", "1Mi")],
        "initContainers": [asking("1m", "9Mi")],
    }
    load = load_of(Doc({"spec": spec}))
    assert load.cpu_cores == pytest.approx(0.2)
    assert load.memory_bytes == 9 * 2**20


def test_a_claim_says_what_keeps_each_volume_from_it() -> None:
    asked = {"requests": {"storage": "2Gi"}}
    spec = {"storageClassName": "fast", "accessModes": ["ReadWriteMany"], "resources": asked}
    claim = Doc({"metadata": {"name": "data", "namespace": "shop"}, "spec": spec}, "PersistentVolumeClaim")
    volume = Doc(
        {
            "metadata": {"name": "small"},
            "spec": {
                "storageClassName": "fast",
                "accessModes": ["ReadWriteOnce"],
                "capacity": {"storage": "1Gi"},
                "claimRef": {"namespace": "other", "name": "theirs"},
            },
        }
    )
    state = claim_state(claim, None, Doc({"volumeBindingMode": "WaitForFirstConsumer"}), [volume], [])
    assert state.mismatches == (
        "its class binds with the first pod that uses it, and no pod does",
        "volume small: is too small (1Gi), does not allow ReadWriteMany, is bound to other/theirs",
    )


def test_policies_tell_addresses_and_port_ranges() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    rule = {"to": [block], "ports": [{"port": 80, "endPort": 90}, {"protocol": "UDP", "port": 53}]}
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule, {}]}
    state = policy_state(Doc({"metadata": {"name": "out", "namespace": "shop"}, "spec": spec}))
    assert state.ingress is None
    assert state.egress == (
        "addresses 10.0.0.0/8 except 10.1.0.0/16 on 80-90/TCP, 53/UDP",
        "anybody on all ports",
    )


def test_a_quota_that_is_not_counted_yet_shows_its_spec() -> None:
    state = quota_state(Doc({"spec": {"hard": {"requests.cpu": "500m", "pods": "0"}}}))
    assert (dict(state.used), state.exhausted) == ({}, ("pods",))


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        ({"metadata": {"ownerReferences": [{"kind": "DaemonSet", "controller": True}]}}, "daemon"),
        ({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}, "daemon"),
        ({"metadata": {}}, "no controller would make it anew"),
        (
            {
                "metadata": {"ownerReferences": [{"kind": "ReplicaSet", "controller": True}]},
                "spec": {"volumes": [{"name": "v", "emptyDir": {}}]},
            },
            "its emptyDir data would be lost; give empty_dirs to evict it all the same",
        ),
        ({"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "controller": True}]}}, ""),
    ],
)
def test_a_drain_leaves_what_would_be_lost(pod: dict[str, object], said: str) -> None:
    assert why_it_stays(Doc(pod), empty_dirs=False) == said


def test_objects_are_shown_without_credentials_and_bookkeeping() -> None:
    env = [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "LEVEL", "value": "info"}]
    reference = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "db-token", "key": "token"}}}
    notes = {"kubectl.kubernetes.io/last-applied-configuration": "{hunter2}", "team": "shop"}
    found = Doc(
        {
            "kind": "Pod",
            "metadata": {"name": "web", "managedFields": [{}], "annotations": notes, "uid": "u"},
            "spec": {"containers": [{"env": [*env, reference], "args": ["--password=hunter2", "-v"]}]},
            "status": {"phase": "Running"},
        }
    )
    text = shown_object(found)
    assert "hunter2" not in text and "managedFields" not in text
    assert all(kept in text for kept in ('"info"', '"db-token"', '"token"', '"-v"', "Running"))
    manifest = manifest_of(found)
    assert manifest["metadata"] == {"name": "web", "annotations": {"team": "shop"}}
    assert "status" not in manifest and holds_secrets(manifest)


def test_what_may_not_be_patched_is_refused_with_what_may() -> None:
    check_paths("Deployment", ["/spec/template/spec/containers/0/readinessProbe/httpGet/port"])
    for path in (
        "/spec/template/spec/containers/0/securityContext",
        "/spec/template/spec/volumes/0/hostPath",
        "/spec/template/spec/containers/0",
        "/spec",
        "/metadata/ownerReferences",
    ):
        with pytest.raises(BadInput, match="may not be patched; may be: "):
            check_paths("Deployment", [path])
    with pytest.raises(BadInput, match="masked value"):
        check_unmasked({"data": ["a", {"b": "x [redacted]"}]}, "manifest")
