"""StatefulSets, DaemonSets, Jobs and CronJobs."""

from datetime import UTC, datetime

import pytest

from sandbox.controllers.cron import Schedule
from sandbox.fields import Obj, labels_of
from tests.sandbox.worlds import World, labelled, pod_template, waiting_reason


def workload(kind: str, name: str, template: Obj | None = None, **spec: object) -> Obj:
    version = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
    body: Obj = {"template": labelled(template or pod_template(), name), **spec}
    if kind != "Job":
        body["selector"] = {"matchLabels": {"app": name}}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": body,
    }


def stateful(replicas: int = 3, image: str = "db:1", **spec: object) -> Obj:
    return workload(
        "StatefulSet", "db", pod_template(image=image), replicas=replicas, serviceName="db", **spec
    )


def job(notes: dict[str, str] | None = None, **spec: object) -> Obj:
    template = pod_template(notes=notes, restartPolicy=str(spec.pop("restartPolicy", "Never")))
    return workload("Job", "import", template, **spec)


def test_a_stateful_set_starts_its_pods_in_order() -> None:
    world = World()
    world.apply([stateful()])
    seen = []
    for _ in range(60):
        world.advance(0.1)
        seen.append([p["metadata"]["name"] for p in world.pods()])
    assert seen[0] == ["db-0"]
    assert seen[-1] == ["db-0", "db-1", "db-2"]
    status = world.get("StatefulSet", "db")["status"]
    assert (status["readyReplicas"], status["currentRevision"] == status["updateRevision"]) == (3, True)
    assert world.messages("db", "SuccessfulCreate")[0] == "create Pod db-0 in StatefulSet db successful"


def test_a_stateful_set_rolls_from_the_highest_number_down_and_stops_at_a_failure() -> None:
    world = World()
    world.apply([stateful()])
    world.settle()
    world.apply([stateful(image="db:bad")])
    world.settle()
    images = {p["metadata"]["name"]: p["spec"]["containers"][0]["image"] for p in world.pods()}
    assert images == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:bad"}
    status = world.get("StatefulSet", "db")["status"]
    assert (status["updatedReplicas"], status["currentReplicas"]) == (1, 2)
    world.apply([stateful(image="db:2")])
    world.advance(5)
    assert (
        waiting_reason(world.get("Pod", "db-2")) == "ImagePullBackOff"
    )  # a broken pod has to be deleted by hand
    world.delete("Pod", "db-2")
    world.settle()
    assert {p["spec"]["containers"][0]["image"] for p in world.pods()} == {"db:2"}


def test_a_container_may_mount_a_volume_that_only_its_claim_template_names() -> None:
    world = World()
    box = {"name": "app", "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    templates = [{"metadata": {"name": "data"}, "spec": claim}]
    world.apply(
        [
            workload(
                "StatefulSet",
                "db",
                pod_template(containers=[box]),
                replicas=1,
                serviceName="db",
                volumeClaimTemplates=templates,
            )
        ]
    )
    world.settle()
    volumes = world.get("Pod", "db-0")["spec"]["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}} in volumes


def test_a_partition_holds_back_the_lower_numbers() -> None:
    world = World()
    world.apply([stateful()])
    world.settle()
    held = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    world.apply([stateful(image="db:2", updateStrategy=held)])
    world.settle()
    world.delete("Pod", "db-0")
    world.settle()
    assert [p["spec"]["containers"][0]["image"] for p in world.pods()] == ["db:1", "db:1", "db:2"]


def test_scaling_down_removes_the_highest_number_and_keeps_its_claim() -> None:
    world = World()
    world.apply(
        [
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": "ssd"},
                "provisioner": "disk.example.com",
            }
        ]
    )
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "ssd",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    templates = [{"metadata": {"name": "data"}, "spec": claim}]
    world.apply([stateful(2, volumeClaimTemplates=templates)])
    world.settle()
    assert [c["status"]["phase"] for c in world.all("PersistentVolumeClaim")] == ["Bound", "Bound"]
    world.change("StatefulSet", "db", "spec.replicas", 1)
    world.settle()
    assert [p["metadata"]["name"] for p in world.pods()] == ["db-0"]
    assert [c["metadata"]["name"] for c in world.all("PersistentVolumeClaim")] == ["data-db-0", "data-db-1"]


def test_a_daemon_set_has_a_pod_on_every_node_that_suits() -> None:
    world = World(3)
    world.change("Node", "node-1", "spec.taints", [{"key": "gpu", "effect": "NoSchedule"}])
    world.apply([workload("DaemonSet", "agent")])
    world.settle()
    assert sorted(p["spec"]["nodeName"] for p in world.pods()) == ["node-0", "node-2"]
    world.fleet.add_node("node-3")
    world.change("Node", "node-0", "spec.unschedulable", True)
    world.settle()
    assert sorted(p["spec"]["nodeName"] for p in world.pods()) == ["node-0", "node-2", "node-3"]
    status = world.get("DaemonSet", "agent")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["numberMisscheduled"]) == (
        3,
        3,
        0,
    )


def test_a_daemon_set_is_rolled_node_by_node() -> None:
    world = World(3)
    world.apply([workload("DaemonSet", "agent")])
    world.settle()
    world.apply([workload("DaemonSet", "agent", pod_template(image="agent:2"))])
    fewest = 3
    for _ in range(120):
        world.advance(0.1)
        fewest = min(fewest, world.get("DaemonSet", "agent")["status"]["numberReady"])
    assert fewest == 2
    assert {p["spec"]["containers"][0]["image"] for p in world.pods()} == {"agent:2"}
    assert len(world.all("ControllerRevision")) == 2


def test_a_job_runs_until_enough_pods_have_succeeded() -> None:
    world = World()
    world.apply([job(completions=3, parallelism=2)])
    world.advance(2)
    assert world.get("Job", "import")["status"]["active"] == 2
    world.advance(10)
    status = world.get("Job", "import")["status"]
    assert (status["succeeded"], status["conditions"][0]["type"]) == (3, "Complete")
    assert world.messages("import", "Completed") == ["Job completed"]
    assert {labels_of(p)["job-name"] for p in world.pods()} == {"import"}


def test_a_job_that_fails_too_often_is_given_up() -> None:
    world = World()
    world.apply([job({"fault": "error-exit"}, backoffLimit=2)])
    world.advance(120)
    status = world.get("Job", "import")["status"]
    assert (status["failed"], status["conditions"][0]["reason"]) == (3, "BackoffLimitExceeded")
    assert world.messages("import", "BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]
    created = [p["metadata"]["creationTimestamp"] for p in world.pods()]
    gaps = sorted(datetime.fromisoformat(c) for c in created)
    assert (gaps[2] - gaps[1]).total_seconds() > (gaps[1] - gaps[0]).total_seconds() > 9


def test_a_job_on_failure_restarts_in_place_until_its_limit() -> None:
    world = World()
    world.apply([job({"fault": "error-exit"}, backoffLimit=2, restartPolicy="OnFailure")])
    world.advance(60)
    assert world.reason_of("Job", "import", "Failed") == "True BackoffLimitExceeded"
    assert world.pods() == []


def test_an_exit_code_may_end_a_job_at_once_or_not_count() -> None:
    world = World()
    codes = {"operator": "In", "values": [2]}
    fatal = {"rules": [{"action": "FailJob", "onExitCodes": codes}]}
    world.apply([job({"fault": "error-exit"}, backoffLimit=5, podFailurePolicy=fatal)])
    world.advance(20)
    assert world.reason_of("Job", "import", "Failed") == "True PodFailurePolicy"
    assert world.get("Job", "import")["status"]["failed"] == 1
    said = world.messages("import", "PodFailurePolicy")[0]
    assert said.endswith("failed with exit code 2 matching FailJob rule at index 0")
    lenient = World()
    ignored = {"rules": [{"action": "Ignore", "onExitCodes": codes}]}
    lenient.apply([job({"fault": "error-exit"}, backoffLimit=0, podFailurePolicy=ignored)])
    lenient.advance(60)
    assert lenient.reason_of("Job", "import", "Failed") == ""
    assert len(lenient.pods()) > 1


def test_a_job_has_to_be_done_before_its_deadline() -> None:
    world = World()
    world.apply([job({"run-seconds": "100"}, activeDeadlineSeconds=5)])
    world.advance(8)
    assert world.reason_of("Job", "import", "Failed") == "True DeadlineExceeded"
    assert world.pods() == []


def test_a_finished_job_disappears_after_its_time() -> None:
    world = World()
    world.apply([job(ttlSecondsAfterFinished=30)])
    world.advance(60)
    assert world.find("Job", "import") is None
    assert world.pods() == []


def cron(schedule: str = "*/5 * * * *", notes: dict[str, str] | None = None, **spec: object) -> Obj:
    template = pod_template(notes=notes, restartPolicy="Never")
    body = {"schedule": schedule, "jobTemplate": {"spec": {"template": template, "backoffLimit": 0}}, **spec}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "default"},
        "spec": body,
    }


def test_a_cron_job_makes_a_job_at_each_of_its_moments_and_forgets_old_ones() -> None:
    world = World()
    world.apply([cron()])
    world.advance(3630)
    assert len(world.messages("tick", "SuccessfulCreate")) >= 9
    assert len(world.all("Job")) == 3
    assert world.get("CronJob", "tick")["status"]["lastScheduleTime"] == "2026-01-05T09:00:00Z"


def test_a_cron_job_that_forbids_concurrency_waits_for_the_last_run() -> None:
    world = World()
    world.apply([cron("* * * * *", {"run-seconds": "200"}, concurrencyPolicy="Forbid")])
    world.advance(200)
    assert len(world.all("Job")) == 1
    assert world.events("tick", "JobAlreadyActive")


def test_a_suspended_or_wrong_cron_job_does_nothing() -> None:
    world = World()
    world.apply([cron(suspend=True)])
    world.advance(900)
    assert world.all("Job") == []
    world.apply([cron("61 * * * *", suspend=False)])
    world.advance(10)
    assert world.events("tick", "UnparseableSchedule")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 * * * *", "2026-01-05T08:15"),
        ("0 0 * * *", "2026-01-06T00:00"),
        ("30 9-17/4 * * mon-fri", "2026-01-05T09:30"),
        ("0 0 1 feb *", "2026-02-01T00:00"),
        ("0 12 29 2 *", "2028-02-29T12:00"),
        ("@weekly", "2026-01-11T00:00"),
        ("0 0 13 * 5", "2026-01-09T00:00"),
    ],
)
def test_cron_moments(text: str, expected: str) -> None:
    found = Schedule.parse(text).after(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.parametrize("text", ["* * * *", "60 * * * *", "*/0 * * * *", "a * * * *", "5-1 * * * *"])
def test_wrong_schedules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"field|within|parse"):
        Schedule.parse(text)


def test_a_parallel_set_that_grows_and_changes_at_once_replaces_pods_after_the_new_ones_are_up() -> None:
    world = World()
    world.apply([stateful(2, podManagementPolicy="Parallel")])
    world.settle()
    changed = stateful(4, image="db:2", podManagementPolicy="Parallel")
    world.apply([changed])
    world.advance(0.2)
    assert sorted(p["metadata"]["name"] for p in world.pods()) == ["db-0", "db-1", "db-2", "db-3"]
    world.settle()
    status = world.get("StatefulSet", "db")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"]) == (4, 4)
    assert not world.messages("db", "FailedCreate")
