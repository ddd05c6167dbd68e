"""Rules on what is said: with the change that came with it, without it, and about others."""

from dataclasses import replace
from typing import Any

import pytest

from analyze.remedies import remedy
from analyze.rules import diagnose
from analyze.rules.health import contradicted
from analyze.scene import Scene
from domain.alert import Target
from domain.cluster import AutoscalerState, ClaimState, Fact, LogTail, ServiceState, WorkloadState
from domain.decision import Hypothesis
from tests.builders import (
    WEB,
    alert,
    container,
    event,
    incident,
    node,
    pod,
    revision,
    running,
    workload,
)  # fmt: skip

OLD = revision(1, "aaa", "shop/web:1")
REPLICA_SET = Target(kind="ReplicaSet", namespace="shop", name="web-bbb")
POD = Target(kind="Pod", namespace="shop", name="web-bbb-1")


def rolled_out(*changes: str) -> WorkloadState:
    return workload(revision(2, "bbb", "shop/web:1", current=True, changes=changes), OLD, ready=2)


def unwell(**facts: str) -> Fact:
    return pod("web-bbb-1", container(state="waiting", **facts), hash="bbb")


def found(*facts: Fact) -> dict[str, Hypothesis]:
    return {hypothesis.cause: hypothesis for hypothesis in diagnose(Scene.of(incident(facts)))}


WITH_CHANGE = [
    ("bad-command", "web command changed", "exec: relayd: executable file not found in $PATH"),
    ("env-missing", "web env DB_HOST db -> (none)", "panic: required variable DB_HOST is not set"),
    ("env-wrong-value", "web env DB_HOST db -> dbb", "lookup dbb on 10.96.0.10:53: no such host"),
    ("liveness-wrong-target", "web livenessProbe changed", "Liveness probe failed: HTTP probe failed with statuscode: 404"),
    ("readiness-wrong-target", "web readinessProbe changed", "Readiness probe failed: dial tcp 10.0.0.1:81: connect: connection refused"),
    ("node-selector-none", "nodeSelector changed", "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."),
    ("node-affinity-none", "affinity changed", "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."),
    ("cpu-request-too-large", "web requests.cpu 500m -> 64", "0/3 nodes are available: 3 Insufficient cpu."),
    ("pvc-name-wrong", "volumes changed", 'persistentvolumeclaim "datta" not found'),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "change", "words"), WITH_CHANGE, ids=[row[0] for row in WITH_CHANGE])
def test_words_and_a_change_that_fits_blame_the_rollout_which_is_undone(
    cause: str, change: str, words: str
) -> None:
    facts = [rolled_out(change), unwell(), event(POD, "Failed", words)]
    hypotheses = found(*facts)
    assert hypotheses[cause].confidence >= 0.8
    assert set(hypotheses[cause].evidence_for) >= {"E1", "E3"}
    if hypotheses[cause].confidence >= 0.86:
        action = remedy(Scene.of(incident(facts)), hypotheses[cause], "k")
        assert action is not None and action.tool == "rollback_workload"


@pytest.mark.parametrize(("cause", "change", "words"), WITH_CHANGE, ids=[row[0] for row in WITH_CHANGE])
def test_the_same_words_without_the_change_never_lead_to_a_rollback(
    cause: str, change: str, words: str
) -> None:
    facts = [rolled_out("annotation note a -> b"), unwell(), event(POD, "Failed", words)]
    for hypothesis in found(*facts).values():
        action = remedy(Scene.of(incident(facts)), hypothesis, "k")
        assert action is None or hypothesis.cause == "image-bad-version"


def test_a_variable_is_not_to_blame_for_a_host_that_it_does_not_name() -> None:
    words = event(POD, "Failed", "dial tcp: lookup cache on 10.96.0.10:53: no such host")
    assert "env-wrong-value" not in found(rolled_out("web env GOGC 100 -> off"), unwell(), words)
    assert "env-wrong-value" in found(rolled_out("web env CACHE redis:6379 -> cache:6379"), unwell(), words)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("quota-cpu", 'pods "web-1" is forbidden: exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=3, limited: requests.cpu=3'),
        ("quota-pods", 'pods "web-1" is forbidden: exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9'),
        ("quota-requires-limits", 'pods "web-1" is forbidden: failed quota: q: must specify limits.memory'),
        ("serviceaccount-missing", 'error looking up service account shop/web: serviceaccount "web" not found'),
        ("psa-restricted", 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'),
        ("webhook-backend-missing", 'failed calling webhook "v.x.io": service "v" not found'),
    ],
)  # fmt: skip
def test_what_keeps_pods_from_being_made_is_read_from_their_maker(cause: str, words: str) -> None:
    facts: list[Fact] = [
        rolled_out("web image shop/web:0 -> shop/web:1"),
        event(REPLICA_SET, "FailedCreate", words),
    ]
    hypotheses = found(*facts)
    assert hypotheses[cause].confidence > 0.85
    assert remedy(Scene.of(incident(facts)), hypotheses[cause], "k") is None


def test_what_is_said_about_another_workload_is_not_held_against_this_one() -> None:
    other = Target(kind="ReplicaSet", namespace="shop", name="db-ccc")
    assert found(rolled_out(), event(other, "FailedCreate", "exceeded quota: q, limited: pods=9")) == {}


def test_a_key_that_a_configmap_lost_is_named() -> None:
    words = "couldn't find key RATE in ConfigMap shop/fx"
    assert "configmap-key-dropped" in found(
        rolled_out(), unwell(reason="CreateContainerConfigError", message=words), event(POD, "Failed", words)
    )


def service(**facts: Any) -> ServiceState:
    web = Target(kind="Service", namespace="shop", name="web")
    return ServiceState(target=web, type="ClusterIP", **facts)


def test_a_service_that_does_not_fit_its_pods_is_the_cause() -> None:
    said = ("port 80 leads to targetPort 8081/TCP, which no container declares",)
    assert found(service(mismatches=said))["svc-target-port"].target.kind == "Service"
    assert "svc-selector-none" in found(service(mismatches=("selects no pod: app=webb",)))
    assert found(service(ready_endpoints=("10.0.0.1 (web-1)",))) == {}


def test_a_claim_without_a_volume_says_what_it_lacks() -> None:
    claim = ClaimState(
        target=Target(kind="PersistentVolumeClaim", namespace="shop", name="data"),
        phase="Pending",
        mismatches=('storage class "fst" does not exist',),
    )
    assert "pvc-storageclass-wrong" in found(claim)
    assert found(replace(claim, phase="Bound")) == {}


def test_a_name_that_is_gone_is_a_removed_service_unless_the_rollout_changed_whom_it_calls() -> None:
    log = LogTail(
        pod=POD,
        container="web",
        previous=False,
        lines=("dial tcp: lookup orders.sales on 10.96.0.10:53: no such host",),
    )
    hypothesis = found(rolled_out(), unwell(), log)["svc-deleted"]
    assert hypothesis.target == Target(kind="Service", namespace="sales", name="orders")
    assert "svc-deleted" not in found(rolled_out("web env ORDERS orders -> orders.sales"), unwell(), log)


def test_an_autoscaler_that_cannot_measure_says_why() -> None:
    scaler = AutoscalerState(
        target=WEB,
        min_count=1,
        max_count=5,
        current_count=1,
        desired_count=1,
        trouble="failed to get cpu utilization: missing request for cpu",
    )
    assert "hpa-no-cpu-request" in found(replace(rolled_out(), autoscaler=scaler))


def test_a_silent_node_explains_its_pods_and_a_silent_runtime_is_told_apart() -> None:
    on_it = replace(pod("web-bbb-1", container()), node="node-1")
    assert found(
        rolled_out(), on_it, node("node-1", ready=False, ready_message="Kubelet stopped posting node status.")
    )["kubelet-down"]
    assert found(
        rolled_out(),
        on_it,
        node("node-1", ready=False, ready_message="container runtime is down, PLEG is not healthy"),
    )["containerd-down"]
    assert found(rolled_out(), on_it, node("node-2", ready=False)) == {}


def test_a_workload_that_was_declared_or_scaled_to_zero_is_left_alone() -> None:
    assert "scaled-to-zero" not in found(workload(OLD, desired=0, declared_count=0))


def well() -> list[Fact]:
    return [workload(replace(OLD, current=True), desired=1, ready=1), pod("web-aaa-1", running())]


def quiet(facts: list[Fact], name: str) -> str:
    about = incident(facts, alerts=[alert(alertname=name)])
    return contradicted(Scene.of(about), about)


def test_an_alert_that_the_objects_contradict_needs_nobody() -> None:
    assert "is well" in quiet(well(), "KubeDeploymentReplicasMismatch")
    assert "fires always" in quiet([], "Watchdog")


def test_what_cannot_be_looked_up_is_never_called_noise() -> None:
    assert quiet(well(), "CheckoutErrorsHigh") == ""
    assert (
        quiet(
            [*well(), LogTail(pod=POD, container="web", previous=False, lines=("level=error no route",))],
            "KubePodNotReady",
        )
        == ""
    )
    assert quiet([workload(OLD, desired=2, ready=1), pod("web-aaa-1", running())], "KubePodNotReady") == ""
