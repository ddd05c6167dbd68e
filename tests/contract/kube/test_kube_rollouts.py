"""What every cluster does with Deployments: the same on the sandbox and on a real control plane."""

from typing import Any

from tests.contract.kube.kube_client import Kube, Obj, Refused
from tests.contract.kube.shapes import container, deployment, image_patch, template, waiting

REVISION = "deployment.kubernetes.io/revision"


def started(kube: Kube, replicas: int = 2, **spec: Any) -> None:
    kube.create(deployment(replicas=replicas, **spec))
    kube.until(lambda: available(kube) == replicas, what="available replicas")


def available(kube: Kube, name: str = "web") -> int:
    return int((kube.get("Deployment", name).get("status") or {}).get("availableReplicas", 0))


def revision(kube: Kube) -> str:
    return str((kube.get("Deployment", "web")["metadata"].get("annotations") or {}).get(REVISION, ""))


def images(kube: Kube) -> list[str]:
    alive = [p for p in kube.all("Pod", app="web") if "deletionTimestamp" not in p["metadata"]]
    return sorted(p["spec"]["containers"][0]["image"] for p in alive)


def test_a_rollout_leaves_the_traces_of_a_success(kube: Kube) -> None:
    started(kube)
    kube.until_condition("Deployment", "web", "Progressing", "True NewReplicaSetAvailable")
    kube.until_condition("Deployment", "web", "Available", "True MinimumReplicasAvailable")
    status = kube.get("Deployment", "web")["status"]
    assert {k: v for k, v in status.items() if k != "conditions"} == {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
    }
    replica_set = kube.all("ReplicaSet", app="web")[0]
    name = replica_set["metadata"]["name"]
    notes = replica_set["metadata"]["annotations"]
    assert notes["deployment.kubernetes.io/desired-replicas"] == "2"
    assert notes["deployment.kubernetes.io/max-replicas"] == "3"
    assert replica_set["metadata"]["labels"]["pod-template-hash"] == name.removeprefix("web-")
    assert kube.messages("web", "ScalingReplicaSet") == [f"Scaled up replica set {name} to 2"]
    reasons = {event["reason"] for event in kube.events(kube.all("Pod")[0]["metadata"]["name"])}
    assert {"Scheduled", "Pulled", "Created", "Started"} <= reasons
    assert [c["message"] for c in status["conditions"] if c["type"] == "Progressing"] == [
        f'ReplicaSet "{name}" has successfully progressed.'
    ]


def test_a_bad_image_stops_the_rollout(kube: Kube) -> None:
    started(kube)
    kube.patch("Deployment", "web", image_patch("shop/app:bad"))
    kube.until(lambda: any(waiting(p) == "ImagePullBackOff" for p in kube.all("Pod")), what="back-off")
    new = next(p for p in kube.all("Pod") if waiting(p))["metadata"]["name"]
    kube.until_message(new, "BackOff", 'Back-off pulling image "shop/app:bad"')
    assert "Error: ErrImagePull" in kube.messages(new, "Failed")
    assert "Error: ImagePullBackOff" in kube.messages(new, "Failed")
    status = kube.get("Deployment", "web")["status"]
    assert (status["availableReplicas"], status["updatedReplicas"], status["unavailableReplicas"]) == (
        2,
        1,
        1,
    )
    assert kube.condition("Deployment", "web", "Progressing").startswith("True ")


def test_the_old_template_brings_back_the_old_replica_set(kube: Kube) -> None:
    started(kube)
    first = kube.all("ReplicaSet")[0]["metadata"]["name"]
    kube.patch("Deployment", "web", image_patch("shop/app:bad"))
    kube.until(lambda: len(kube.all("ReplicaSet")) == 2 and revision(kube) == "2", what="a second revision")
    kube.patch("Deployment", "web", image_patch("shop/app:1"))
    kube.until(lambda: revision(kube) == "3" and images(kube) == ["shop/app:1"] * 2, what="the old image")
    notes = kube.get("ReplicaSet", first)["metadata"]["annotations"]
    assert notes[REVISION] == "3"
    assert notes["deployment.kubernetes.io/revision-history"] == "1"


def test_a_crashing_image_backs_off(kube: Kube) -> None:
    kube.create(deployment(replicas=1, body=template("web", container("shop/app:crash"))))
    kube.until(lambda: [waiting(p) for p in kube.all("Pod")] == ["CrashLoopBackOff"], what="a crash loop")
    pod = kube.all("Pod")[0]
    last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (1, "Error")
    name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
    text = f"Back-off restarting failed container app in pod {name}_{kube.namespace}({uid})"
    kube.until_message(name, "BackOff", text)
    assert kube.condition("Pod", name, "Ready") == "False ContainersNotReady"
    assert pod["status"]["phase"] == "Running"
    assert kube.log(name)[-1] == "RuntimeError: could not connect to database db:5432: connection refused"
    kube.until(lambda: restarts(kube) >= 2, what="another restart")
    kube.until(
        lambda: any(e.get("count", 0) > 1 for e in kube.events(name, "Started")), what="counted events"
    )
    assert kube.log(name, previous="true")


def restarts(kube: Kube) -> int:
    return int(kube.all("Pod")[0]["status"]["containerStatuses"][0]["restartCount"])


def test_a_rollout_that_hangs_exceeds_its_deadline(kube: Kube) -> None:
    started(kube, progressDeadlineSeconds=5)
    kube.patch("Deployment", "web", image_patch("shop/app:broken"))
    kube.until_condition("Deployment", "web", "Progressing", "False ProgressDeadlineExceeded")
    assert available(kube) == 2


def test_a_restart_annotation_replaces_every_pod(kube: Kube) -> None:
    started(kube)
    before = {p["metadata"]["uid"] for p in kube.all("Pod")}
    note = {"kubectl.kubernetes.io/restartedAt": "2026-01-05T08:00:00Z"}
    kube.patch("Deployment", "web", {"spec": {"template": {"metadata": {"annotations": note}}}})

    def replaced() -> bool:
        now = {p["metadata"]["uid"] for p in kube.all("Pod")}
        return len(now) == 2 and not now & before

    kube.until(replaced, what="new pods")
    assert revision(kube) == "2"


def test_the_scale_subresource_sizes_the_workload(kube: Kube) -> None:
    started(kube)
    kube.patch("Deployment", "web", {"spec": {"replicas": 4}}, "scale")
    kube.until(lambda: available(kube) == 4, what="four replicas")
    kube.patch("Deployment", "web", {"spec": {"replicas": 1}}, "scale")
    kube.until(lambda: len(kube.all("Pod")) == 1, what="one pod")
    name = kube.all("ReplicaSet")[0]["metadata"]["name"]
    assert sorted(kube.messages("web", "ScalingReplicaSet")) == [
        f"Scaled down replica set {name} to 1",
        f"Scaled up replica set {name} to 2",
        f"Scaled up replica set {name} to 4",
    ]


def test_a_paused_deployment_does_not_roll(kube: Kube) -> None:
    started(kube)
    kube.patch("Deployment", "web", {"spec": {"paused": True}})
    kube.patch("Deployment", "web", image_patch("shop/app:2"))
    kube.patch("Deployment", "web", {"spec": {"replicas": 3}}, "scale")
    kube.until(lambda: available(kube) == 3, what="three replicas")
    assert images(kube) == ["shop/app:1"] * 3
    kube.patch("Deployment", "web", {"spec": {"paused": False}})
    kube.until(lambda: images(kube) == ["shop/app:2"] * 3, what="the new image")


def test_recreate_leaves_no_two_versions_side_by_side(kube: Kube) -> None:
    started(kube, strategy={"type": "Recreate"})
    kube.patch("Deployment", "web", image_patch("shop/app:2"))
    kube.until(lambda: set(images(kube)) != {"shop/app:1", "shop/app:2"} and "shop/app:2" in images(kube))
    kube.until(lambda: available(kube) == 2, what="both replicas")


def test_revisions_beyond_the_limit_are_forgotten(kube: Kube) -> None:
    started(kube, revisionHistoryLimit=1)
    for number in (2, 3, 4):
        kube.patch("Deployment", "web", image_patch(f"shop/app:{number}"))
        kube.until(lambda n=number: images(kube) == [f"shop/app:{n}"] * 2, what=f"version {number}")  # type: ignore[misc]
    kube.until(lambda: len(kube.all("ReplicaSet")) == 2, what="two revisions")


def test_a_quota_keeps_pods_away_and_says_so(kube: Kube) -> None:
    quota = {"kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    kube.create(quota)
    kube.until(lambda: kube.get("ResourceQuota", "few").get("status", {}).get("hard"), what="the quota")
    kube.create(deployment())
    kube.until_condition("Deployment", "web", "ReplicaFailure", "True FailedCreate")
    kube.until(lambda: available(kube) == 1, what="one replica")
    said = kube.messages("web", "FailedCreate")[0]
    assert said.endswith(
        "is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"
    )
    assert said.startswith('Error creating: pods "web-')
    kube.until(lambda: kube.get("ResourceQuota", "few")["status"]["used"] == {"pods": "1"}, what="usage")
    assert kube.condition("Deployment", "web", "Available") == "False MinimumReplicasUnavailable"


def test_an_account_that_is_missing_keeps_pods_from_being_made(kube: Kube) -> None:
    kube.create(deployment(replicas=1, body=template("web", serviceAccountName="ghost")))
    kube.until(lambda: kube.messages("web", "FailedCreate"), what="a refusal")
    name = kube.all("ReplicaSet")[0]["metadata"]["name"]
    said = kube.messages("web", "FailedCreate")[0]
    why = f'error looking up service account {kube.namespace}/ghost: serviceaccount "ghost" not found'
    assert said == f'Error creating: pods "{name}-" is forbidden: {why}'


def test_a_deleted_pod_is_replaced(kube: Kube) -> None:
    started(kube)
    victim = kube.all("Pod")[0]["metadata"]["name"]
    kube.delete("Pod", victim)
    kube.until(lambda: not kube.exists("Pod", victim) and available(kube) == 2, what="a replacement")
    assert "Stopping container app" in kube.messages(victim, "Killing")


def test_orphans_stay_and_owned_objects_go(kube: Kube) -> None:
    started(kube)
    kube.delete("Deployment", "web", "Orphan")
    kube.until(lambda: not kube.exists("Deployment", "web"), what="the deletion")
    replica_set: Obj = kube.all("ReplicaSet")[0]
    assert not replica_set["metadata"].get("ownerReferences")
    kube.delete("ReplicaSet", replica_set["metadata"]["name"], "Foreground")
    kube.until(lambda: not kube.all("Pod") and not kube.all("ReplicaSet"), what="everything gone")


def test_a_name_that_is_not_there_is_not_found(kube: Kube) -> None:
    try:
        kube.get("Deployment", "ghost")
    except Refused as refusal:
        assert (refusal.code, refusal.reason) == (404, "NotFound")
        assert refusal.message == 'deployments.apps "ghost" not found'
    else:
        raise AssertionError("a ghost was found")
