"""StatefulSets, DaemonSets, Jobs, CronJobs, autoscalers and namespaces, on every cluster."""

from typing import Any

from tests.contract.kube.kube_client import Kube, Obj
from tests.contract.kube.shapes import container, image_patch, template, waiting, workload


def stateful(replicas: int = 2, **spec: Any) -> Obj:
    return workload("StatefulSet", "db", replicas=replicas, serviceName="db", **spec)


def names(kube: Kube) -> list[str]:
    return sorted(p["metadata"]["name"] for p in kube.all("Pod"))


def status(kube: Kube, kind: str, name: str) -> Obj:
    return dict(kube.get(kind, name).get("status") or {})


def test_a_stateful_set_has_numbered_pods_that_are_rolled_in_order(kube: Kube) -> None:
    kube.create(stateful())
    kube.until(lambda: status(kube, "StatefulSet", "db").get("readyReplicas") == 2, what="two pods")
    assert names(kube) == ["db-0", "db-1"]
    assert kube.messages("db", "SuccessfulCreate") == [
        "create Pod db-0 in StatefulSet db successful",
        "create Pod db-1 in StatefulSet db successful",
    ]
    kube.until(lambda: status(kube, "StatefulSet", "db").get("currentReplicas") == 2, what="the counts")
    before = status(kube, "StatefulSet", "db")
    assert before["currentRevision"] == before["updateRevision"]
    kube.patch("StatefulSet", "db", image_patch("db:bad"))
    kube.until(
        lambda: waiting(kube.get("Pod", "db-1")) == "ImagePullBackOff" if "db-1" in names(kube) else False
    )
    now = status(kube, "StatefulSet", "db")
    assert (now["updatedReplicas"], now["currentReplicas"]) == (1, 1)
    assert kube.get("Pod", "db-0")["spec"]["containers"][0]["image"] == "shop/app:1"
    kube.patch("StatefulSet", "db", image_patch("db:2"))
    kube.delete("Pod", "db-1")
    kube.until(lambda: status(kube, "StatefulSet", "db").get("updatedReplicas") == 2, what="the rollout")


def test_a_stateful_set_shrinks_from_the_top(kube: Kube) -> None:
    kube.create(stateful(3))
    kube.until(lambda: status(kube, "StatefulSet", "db").get("readyReplicas") == 3, what="three pods")
    kube.patch("StatefulSet", "db", {"spec": {"replicas": 1}}, "scale")
    kube.until(lambda: names(kube) == ["db-0"], what="one pod")
    said = kube.messages("db", "SuccessfulDelete")
    assert "delete Pod db-2 in StatefulSet db successful" in said


def test_a_daemon_set_is_on_every_node(kube: Kube) -> None:
    kube.create(workload("DaemonSet", "agent"))
    kube.until(lambda: status(kube, "DaemonSet", "agent").get("numberReady") == 3, what="three pods")
    assert {p["spec"]["nodeName"] for p in kube.all("Pod")} == {"node-0", "node-1", "node-2"}
    kube.until(lambda: status(kube, "DaemonSet", "agent").get("numberAvailable") == 3, what="availability")
    now = status(kube, "DaemonSet", "agent")
    assert (now["desiredNumberScheduled"], now["numberMisscheduled"], now["updatedNumberScheduled"]) == (
        3,
        0,
        3,
    )
    kube.patch("DaemonSet", "agent", image_patch("agent:2"))
    kube.until(
        lambda: {p["spec"]["containers"][0]["image"] for p in kube.all("Pod")} == {"agent:2"},
        what="the rollout",
    )


def job(name: str, notes: dict[str, str] | None = None, **spec: object) -> Obj:
    return workload("Job", name, template(name, notes=notes, restartPolicy="Never"), **spec)


def test_a_job_succeeds(kube: Kube) -> None:
    kube.create(job("good", completions=2))
    kube.until(lambda: kube.condition("Job", "good", "Complete") == "True", what="completion")
    now = status(kube, "Job", "good")
    assert now["succeeded"] == 2
    assert now["completionTime"]
    assert kube.messages("good", "Completed") == ["Job completed"]
    assert all(p["metadata"]["labels"]["job-name"] == "good" for p in kube.all("Pod"))


def test_a_job_that_fails_too_often_is_given_up(kube: Kube) -> None:
    kube.create(job("bad", {"fault": "error-exit"}, backoffLimit=1))
    kube.until_condition("Job", "bad", "Failed", "True BackoffLimitExceeded")
    assert status(kube, "Job", "bad")["failed"] == 2
    assert kube.messages("bad", "BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_a_job_that_takes_too_long_is_stopped(kube: Kube) -> None:
    kube.create(job("slow", {"run-seconds": "300"}, activeDeadlineSeconds=3))
    kube.until_condition("Job", "slow", "Failed", "True DeadlineExceeded")
    kube.until(lambda: kube.all("Pod") == [], what="no pods")
    assert kube.messages("slow", "DeadlineExceeded") == ["Job was active longer than specified deadline"]


def test_a_cron_job_makes_jobs(kube: Kube) -> None:
    inner = {"spec": {"template": template("tick", restartPolicy="Never")}}
    kube.create(
        {
            "kind": "CronJob",
            "metadata": {"name": "tick"},
            "spec": {"schedule": "* * * * *", "jobTemplate": inner},
        }
    )
    kube.until(lambda: jobs_made(kube), what="a job", patience=2)
    kube.until(lambda: status(kube, "CronJob", "tick").get("lastScheduleTime"), what="the time")
    kube.patch("CronJob", "tick", {"spec": {"suspend": True}})


def jobs_made(kube: Kube) -> list[str]:
    said = kube.messages("tick", "SuccessfulCreate")
    return [text for text in said if text.startswith("Created job tick-")]


def test_an_autoscaler_of_nothing_says_so(kube: Kube) -> None:
    spec = {
        "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "ghost"},
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
            }
        ],
    }
    kube.create({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": spec})
    kube.until_message("h", "FailedGetScale", 'deployments/scale.apps "ghost" not found')
    kube.until(
        lambda: kube.condition("HorizontalPodAutoscaler", "h", "AbleToScale") == "False FailedGetScale"
    )


def test_a_deleted_namespace_takes_its_contents_along(kube: Kube) -> None:
    other = Kube(kube.server, f"{kube.namespace}-x", is_real=kube.is_real, patience_s=kube.patience_s)
    other.create({"kind": "Namespace", "metadata": {"name": other.namespace}})
    other.until(lambda: other.exists("ServiceAccount", "default"), what="the account")
    other.create(workload("Deployment", "web", template("web", container()), replicas=1))
    other.until(lambda: other.all("Pod"), what="a pod")
    other.delete("Namespace", other.namespace)
    other.until(lambda: not other.exists("Namespace", other.namespace), what="the deletion", patience=2)
