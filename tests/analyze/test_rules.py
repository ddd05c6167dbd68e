"""The five fault rules: what they recognise, and what they leave alone."""

from dataclasses import replace
from typing import Any

from analyze.rules import diagnose
from analyze.scene import Scene
from domain.cluster import Fact, PodState
from domain.decision import Hypothesis
from tests.builders import container, event, incident, node, pod, revision, running, workload

OLD = revision(1, "aaa", "shop/web:1")
NEW = revision(2, "bbb", "shop/web:2", current=True, changes=("web image shop/web:1 -> shop/web:2",))
ONLY = replace(OLD, current=True)
NOT_FOUND = 'failed to resolve reference "shop/web:2": shop/web:2: not found'


def found(*facts: Fact) -> dict[str, Hypothesis]:
    return {hypothesis.cause: hypothesis for hypothesis in diagnose(Scene.of(incident(facts)))}


def waiting_pod(message: str = "") -> PodState:
    return pod(
        "web-bbb-1",
        container(image="shop/web:2", state="waiting", reason="ImagePullBackOff", message=message),
        hash="bbb",
    )


def crashing(name: str, hash: str, **facts: Any) -> PodState:
    given: dict[str, Any] = {
        "state": "waiting",
        "reason": "CrashLoopBackOff",
        "restart_count": 4,
        "last_exit_code": 1,
        **facts,
    }
    return pod(name, container(image="shop/web:2", **given), hash=hash)


def test_an_image_that_the_registry_does_not_have_is_named_with_its_evidence() -> None:
    hypothesis = found(workload(NEW, OLD, ready=2), waiting_pod(NOT_FOUND))["image-nonexistent"]
    assert hypothesis.confidence >= 0.9
    assert set(hypothesis.evidence_for) == {"E1", "E2"}
    assert any("came with the newest rollout" in reason for reason in hypothesis.reasons)


def test_a_registry_that_refuses_is_not_a_missing_image() -> None:
    assert "image-nonexistent" not in found(workload(NEW, OLD), waiting_pod("401 Unauthorized"))
    assert "image-nonexistent" not in found(
        workload(NEW, OLD), waiting_pod("dial tcp: lookup r: no such host")
    )


def test_an_image_that_runs_elsewhere_speaks_against_a_missing_image() -> None:
    facts: list[Fact] = [
        workload(NEW, OLD),
        waiting_pod(NOT_FOUND),
        pod("web-bbb-2", running("shop/web:2"), hash="bbb"),
    ]
    hypothesis = found(*facts)["image-nonexistent"]
    assert hypothesis.evidence_against == ("E3",)
    assert hypothesis.confidence < 0.7


def test_a_crash_loop_that_began_with_a_rollout_is_a_bad_version() -> None:
    facts: list[Fact] = [
        workload(NEW, OLD, ready=2),
        crashing("web-bbb-1", "bbb"),
        pod("web-aaa-1", running(), hash="aaa"),
    ]
    hypothesis = found(*facts)["image-bad-version"]
    assert hypothesis.confidence > 0.9
    assert "E3" in hypothesis.evidence_for


def test_a_crash_loop_of_old_pods_too_is_not_blamed_on_the_rollout() -> None:
    facts: list[Fact] = [workload(NEW, OLD), crashing("web-bbb-1", "bbb"), crashing("web-aaa-1", "aaa")]
    hypothesis = found(*facts)["image-bad-version"]
    assert hypothesis.confidence < 0.7
    assert hypothesis.evidence_against == ("E3",)


def test_a_crash_loop_without_any_earlier_revision_is_unknown() -> None:
    assert found(workload(ONLY), crashing("web-aaa-1", "aaa")) == {}


def test_a_container_that_recovered_after_one_restart_is_left_alone() -> None:
    healthy = pod(
        "web-bbb-1", running("shop/web:2", restart_count=1, last_exit_code=1, last_reason="Error"), hash="bbb"
    )
    assert found(workload(NEW, OLD, ready=3), healthy) == {}


def test_a_memory_kill_is_a_low_limit_and_not_a_bad_version() -> None:
    killed = crashing(
        "web-bbb-1", "bbb", last_reason="OOMKilled", last_exit_code=137, memory_limit_bytes=2**28
    )
    causes = found(workload(NEW, OLD), killed)
    assert set(causes) == {"oom-limit-low"}
    assert "256 MiB" in causes["oom-limit-low"].reasons[1]


def test_memory_pressure_on_a_node_speaks_against_a_low_limit() -> None:
    killed = crashing("web-bbb-1", "bbb", last_reason="OOMKilled", memory_limit_bytes=2**28)
    facts: list[Fact] = [workload(NEW, OLD), killed, node("node-1", pressures=("MemoryPressure",))]
    assert found(*facts)["oom-limit-low"].evidence_against == ("E3",)


def test_scaled_to_zero_takes_the_count_from_the_applied_manifest() -> None:
    assert found(workload(ONLY, desired=0, declared_count=3))["scaled-to-zero"].confidence > 0.8


def test_scaled_to_zero_takes_the_count_from_events_of_new_and_old_kubernetes() -> None:
    for message in ("Scaled down replica set web-aaa to 0 from 4", "Scaled up replica set web-aaa to 4"):
        state = workload(ONLY, desired=0)
        hypothesis = found(state, event(state.target, "ScalingReplicaSet", message, type="Normal"))[
            "scaled-to-zero"
        ]
        assert "4 replicas meant to run" in hypothesis.reasons


def test_scaled_to_zero_without_a_known_count_is_too_unsure_to_act_on() -> None:
    assert found(workload(ONLY, desired=0))["scaled-to-zero"].confidence < 0.7


def test_pods_waiting_for_cordoned_nodes_are_explained_by_them() -> None:
    waiting = replace(
        pod("web-1", container()), unschedulable="0/2 nodes are available: 2 node(s) were unschedulable."
    )
    facts: list[Fact] = [
        workload(ONLY),
        waiting,
        node("node-1", cordoned=True),
        node("node-2", cordoned=True),
    ]
    hypothesis = found(*facts)["nodes-cordoned"]
    assert hypothesis.target.name == "node-1"
    assert hypothesis.evidence_for == ("E2", "E3", "E4")


def test_a_lack_of_cpu_besides_speaks_against_the_cordon_alone() -> None:
    message = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable."
    facts: list[Fact] = [
        workload(ONLY),
        replace(pod("web-1", container()), unschedulable=message),
        node("node-1", cordoned=True),
    ]
    assert found(*facts)["nodes-cordoned"].evidence_against == ("E2",)


def test_a_cordon_that_nobody_waits_for_explains_nothing() -> None:
    assert found(workload(ONLY, ready=3), pod("web-1", running()), node("node-1", cordoned=True)) == {}


def test_a_healthy_workload_has_no_cause() -> None:
    assert found(workload(NEW, OLD, ready=3), pod("web-bbb-1", running("shop/web:2"), hash="bbb")) == {}
