"""What becomes of pods, their probes, memory, configuration and logs, on every cluster."""

import pytest

from tests.contract.kube.conftest import played_only_here
from tests.contract.kube.kube_client import Kube, Obj, Refused
from tests.contract.kube.shapes import container, deployment, pod, service, status_of, template, waiting


def running(kube: Kube, name: str = "one") -> bool:
    return bool((kube.get("Pod", name).get("status") or {}).get("phase") == "Running")


def test_a_running_pod_is_scheduled_initialized_and_ready(kube: Kube) -> None:
    kube.create(pod("one"))
    kube.until(lambda: kube.condition("Pod", "one", "Ready") == "True", what="readiness")
    status = kube.get("Pod", "one")["status"]
    assert {c["type"] for c in status["conditions"] if c["status"] == "True"} == {
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    }
    assert status["qosClass"] == "BestEffort"
    assert status["podIP"] == status["podIPs"][0]["ip"]
    assert status_of({"status": status})["restartCount"] == 0


def test_too_little_memory_is_an_oom_kill_and_more_heals(kube: Kube) -> None:
    def body(limit: str) -> Obj:
        box = container(resources={"limits": {"memory": limit}})
        return template("web", box, {"needs-memory": "300Mi"})

    kube.create(deployment(replicas=1, body=body("128Mi")))
    kube.until(lambda: last_end(kube).get("reason") == "OOMKilled", what="an OOM kill")
    assert last_end(kube)["exitCode"] == 137
    kube.patch("Deployment", "web", {"spec": {"template": body("512Mi")}})
    kube.until(lambda: kube.get("Deployment", "web")["status"].get("availableReplicas") == 1, what="recovery")


def last_end(kube: Kube) -> Obj:
    pods = kube.all("Pod", app="web")
    return dict((status_of(pods[0]).get("lastState") or {}).get("terminated") or {}) if pods else {}


def test_a_variable_that_is_missing_crashes_and_heals(kube: Kube) -> None:
    kube.create(deployment(replicas=1, body=template("web", notes={"needs-env": "DB_URL"})))
    kube.until(lambda: any(waiting(p) == "CrashLoopBackOff" for p in kube.all("Pod")), what="a crash loop")
    assert "panic: required environment variable DB_URL is not set" in kube.log(
        kube.all("Pod")[0]["metadata"]["name"]
    )
    box = container(env=[{"name": "DB_URL", "value": "postgres://db"}])
    kube.patch("Deployment", "web", {"spec": {"template": {"spec": {"containers": [box]}}}})
    kube.until(lambda: kube.get("Deployment", "web")["status"].get("availableReplicas") == 1, what="recovery")


def test_an_unready_pod_gets_no_traffic_until_it_is_healed(kube: Kube) -> None:
    kube.create(service("web", "one"), pod("one", notes={"fault": "unready"}))
    kube.until_message("one", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    assert kube.condition("Pod", "one", "Ready") == "False ContainersNotReady"
    kube.until(lambda: subsets(kube, "notReadyAddresses") == ["one"], what="an address that is not ready")
    kube.annotate("Pod", "one", "sandbox/fault", None)
    kube.until(lambda: subsets(kube, "addresses") == ["one"], what="a ready address")


def subsets(kube: Kube, field: str) -> list[str]:
    found = kube.get("Endpoints", "web").get("subsets") or []
    return [address["targetRef"]["name"] for subset in found for address in subset.get(field) or ()]


def test_selectors_and_ports_decide_about_endpoints(kube: Kube) -> None:
    box = container(ports=[{"name": "http", "containerPort": 9090}])
    kube.create(service("good", "one", "http"), service("typo", "oen"), service("unnamed", "one", "htpp"))
    kube.create(pod("one", box))
    kube.until(lambda: kube.get("Endpoints", "good").get("subsets"), what="endpoints")
    port = kube.get("Endpoints", "good")["subsets"][0]["ports"][0]
    assert (port["port"], port["protocol"]) == (9090, "TCP")
    assert not kube.get("Endpoints", "typo").get("subsets")
    assert not kube.get("Endpoints", "unnamed").get("subsets")


def test_pods_that_end_are_done(kube: Kube) -> None:
    kube.create(
        pod("good", notes={"run-seconds": "1"}, restartPolicy="Never"),
        pod("bad", notes={"fault": "error-exit"}, restartPolicy="Never"),
    )
    kube.until(lambda: kube.get("Pod", "good")["status"]["phase"] == "Succeeded", what="success")
    kube.until(lambda: kube.get("Pod", "bad")["status"]["phase"] == "Failed", what="failure")
    assert kube.condition("Pod", "good", "Ready") == "False PodCompleted"
    end = status_of(kube.get("Pod", "bad"))["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (2, "Error")


def test_a_volume_that_is_missing_keeps_the_pod_in_creation(kube: Kube) -> None:
    kube.create(pod("one", notes={"fault": "stuck-creating"}))
    text = 'MountVolume.SetUp failed for volume "config" : configmap "app-config" not found'
    kube.until_message("one", "FailedMount", text)
    assert waiting(kube.get("Pod", "one")) == "ContainerCreating"


def test_logs_are_read_and_refused_as_on_every_cluster(kube: Kube) -> None:
    kube.create(pod("one", notes={"logs": "one\ntwo\nthree"}), pod("two", container("shop/app:bad")))
    kube.until(lambda: running(kube), what="a running pod")
    assert kube.log("one", tailLines="2") == ["two", "three"]
    assert kube.log("one", limitBytes="3") == ["one"]
    kube.until(lambda: waiting(kube.get("Pod", "two")) == "ImagePullBackOff", what="a back-off")
    with pytest.raises(Refused) as refused:
        kube.log("two")
    assert refused.value.code == 400
    assert refused.value.message.startswith('container "app" in pod "two" is waiting to start')
    with pytest.raises(Refused) as refused:
        kube.log("one", container="ghost")
    assert refused.value.message == "container ghost is not valid for pod one"


# --- what only kubelets that read the spec can play


@played_only_here
def test_references_to_missing_configuration_are_named(kube: Kube) -> None:
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]
    volumes = [{"name": "tls", "secret": {"secretName": "certificate"}}]
    kube.create(pod("one", container(env=env)), pod("two", volumes=volumes))
    kube.until(lambda: waiting(kube.get("Pod", "one")) == "CreateContainerConfigError", what="the error")
    kube.until_message("one", "Failed", 'Error: configmap "settings" not found')
    kube.until_message(
        "two", "FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "certificate" not found'
    )
    kube.create({"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"b": "1"}})
    text = f"Error: couldn't find key a in ConfigMap {kube.namespace}/settings"
    kube.until_message("one", "Failed", text)
    kube.patch("ConfigMap", "settings", {"data": {"a": "1"}})
    kube.create({"kind": "Secret", "metadata": {"name": "certificate"}})
    kube.until(lambda: running(kube) and running(kube, "two"), what="both pods")


@played_only_here
def test_a_liveness_probe_on_a_wrong_port_restarts_the_container(kube: Kube) -> None:
    probe = {"httpGet": {"path": "/", "port": 9999}, "periodSeconds": 1, "failureThreshold": 2}
    box = container(ports=[{"containerPort": 8080}], livenessProbe=probe)
    kube.create(pod("one", box))
    kube.until_message("one", "Killing", "Container app failed liveness probe, will be restarted")
    assert any("connect: connection refused" in text for text in kube.messages("one", "Unhealthy"))
    kube.until(lambda: status_of(kube.get("Pod", "one"))["restartCount"] >= 1, what="a restart")


@played_only_here
def test_an_init_container_that_fails_holds_the_pod_back(kube: Kube) -> None:
    init = {"name": "migrate", "image": "shop/migrate:crash"}
    kube.create(pod("one", initContainers=[init]))

    def loops() -> bool:
        statuses = (kube.get("Pod", "one").get("status") or {}).get("initContainerStatuses") or [{}]
        return bool((statuses[0].get("state", {}).get("waiting") or {}).get("reason") == "CrashLoopBackOff")

    kube.until(loops, what="a crash loop")
    assert waiting(kube.get("Pod", "one")) == "PodInitializing"
    assert kube.condition("Pod", "one", "Initialized") == "False ContainersNotInitialized"
