"""Deployments and ReplicaSets: rollouts, their limits and their traces."""

from typing import Any

from sandbox.controllers.rollout import bounds, share
from sandbox.fields import Obj, annotations_of
from tests.sandbox.worlds import World, deployment, pod_template, waiting_reason


def web(image: str = "shop/app:1", replicas: int = 2, **spec: Any) -> Obj:
    return deployment("web", replicas, pod_template(image=image), **spec)


def started(replicas: int = 2, **spec: Any) -> World:
    world = World()
    world.apply([web(replicas=replicas, **spec)])
    assert world.settle()
    return world


def test_a_new_deployment_becomes_available() -> None:
    world = started()
    status = world.get("Deployment", "web")["status"]
    assert (status["readyReplicas"], status["availableReplicas"], status["updatedReplicas"]) == (2, 2, 2)
    assert world.reason_of("Deployment", "web", "Available") == "True MinimumReplicasAvailable"
    assert world.reason_of("Deployment", "web", "Progressing") == "True NewReplicaSetAvailable"
    name = world.all("ReplicaSet")[0]["metadata"]["name"]
    assert world.messages("web", "ScalingReplicaSet") == [f"Scaled up replica set {name} to 2"]


def test_a_bad_image_stops_the_rollout_and_leaves_the_old_pods() -> None:
    world = started()
    world.apply([web("shop/app:bad")])
    world.settle()
    reasons = sorted(waiting_reason(pod) for pod in world.pods(app="web"))
    assert reasons == ["", "", "ImagePullBackOff"]
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 2
    assert 'Back-off pulling image "shop/app:bad"' in world.messages("web", "BackOff")
    assert "Error: ErrImagePull" in world.messages("web", "Failed")


def test_an_image_of_an_old_revision_brings_back_its_replica_set() -> None:
    world = started()
    first = world.all("ReplicaSet")[0]["metadata"]["name"]
    world.apply([web("shop/app:2")])
    world.settle()
    world.apply([web("shop/app:1")])
    world.settle()
    notes = annotations_of(world.get("ReplicaSet", first))
    assert notes["deployment.kubernetes.io/revision"] == "3"
    assert notes["deployment.kubernetes.io/revision-history"] == "1"
    assert annotations_of(world.get("Deployment", "web"))["deployment.kubernetes.io/revision"] == "3"
    assert [pod["spec"]["containers"][0]["image"] for pod in world.pods()] == ["shop/app:1"] * 2


def test_a_rollout_never_goes_below_nor_above_its_bounds() -> None:
    world = started(replicas=10)
    counts = []
    world.apply([web("shop/app:2", 10)])
    for _ in range(100):
        world.advance(0.1)
        status = world.get("Deployment", "web")["status"]
        counts.append((status["availableReplicas"], status["replicas"]))
    assert min(available for available, _ in counts) >= 8
    assert max(replicas for _, replicas in counts) <= 13
    assert world.get("Deployment", "web")["status"]["updatedReplicas"] == 10


def test_a_rollout_that_hangs_exceeds_its_deadline() -> None:
    world = started(progressDeadlineSeconds=20)
    world.apply([web("shop/app:broken", progressDeadlineSeconds=20)])
    world.advance(15)
    assert world.reason_of("Deployment", "web", "Progressing") == "True ReplicaSetUpdated"
    world.advance(10)
    assert world.reason_of("Deployment", "web", "Progressing") == "False ProgressDeadlineExceeded"


def test_a_restart_annotation_replaces_every_pod() -> None:
    world = started()
    before = {pod["metadata"]["uid"] for pod in world.pods()}
    path = "spec.template.metadata.annotations"
    world.change("Deployment", "web", path, {"kubectl.kubernetes.io/restartedAt": "2026-01-05T08:00:00Z"})
    world.settle()
    after = {pod["metadata"]["uid"] for pod in world.pods()}
    assert len(after) == 2
    assert not before & after


def test_recreate_starts_new_pods_only_after_the_old_are_gone() -> None:
    world = started(strategy={"type": "Recreate"})
    world.apply([web("shop/app:2", strategy={"type": "Recreate"})])
    for _ in range(60):
        world.advance(0.1)
        assert len({pod["spec"]["containers"][0]["image"] for pod in world.pods()}) <= 1
    assert world.get("Deployment", "web")["status"]["updatedReplicas"] == 2


def test_scaling_during_a_stuck_rollout_keeps_what_works() -> None:
    world = started(replicas=4)
    world.apply([web("shop/app:bad", 4)])
    world.settle()
    world.apply([web("shop/app:bad", 8)])
    world.settle()
    working = [pod for pod in world.pods() if not waiting_reason(pod)]
    assert len(working) >= 6
    assert len(world.pods()) == 10


def test_old_revisions_beyond_the_limit_are_forgotten() -> None:
    world = started(revisionHistoryLimit=2)
    for number in range(2, 7):
        world.apply([web(f"shop/app:{number}", revisionHistoryLimit=2)])
        world.settle()
    revisions = [annotations_of(rs)["deployment.kubernetes.io/revision"] for rs in world.all("ReplicaSet")]
    assert sorted(revisions) == ["4", "5", "6"]


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    world = started(paused=True, replicas=0)
    world.change("Deployment", "web", "spec.paused", False)
    world.settle()
    world.change("Deployment", "web", "spec.paused", True)
    world.apply([web("shop/app:2", 3, paused=True)])
    world.settle()
    assert [pod["spec"]["containers"][0]["image"] for pod in world.pods()] == ["shop/app:1"] * 3


def test_a_deleted_pod_is_replaced_and_an_orphan_is_adopted() -> None:
    world = started()
    victim = world.pods()[0]["metadata"]["name"]
    world.delete("Pod", victim)
    world.settle()
    assert len(world.pods()) == 2
    assert victim not in [pod["metadata"]["name"] for pod in world.pods()]
    kept = world.pods()[0]
    world.change("Pod", kept["metadata"]["name"], "metadata.labels", {"app": "quarantine"})
    world.settle()
    assert len(world.pods(app="web")) == 2
    assert "ownerReferences" not in [k for k, v in world.pods(app="quarantine")[0]["metadata"].items() if v]


def test_shares_round_in_favour_of_availability() -> None:
    assert share("25%", 10, round_up=True) == 3
    assert share("25%", 10, round_up=False) == 2
    both_zero = deployment("web", 1, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}})
    assert bounds(both_zero).unavailable == 1
