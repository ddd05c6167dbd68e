"""What a kubelet reads from the spec: configuration, probes, init containers, commands, images, memory."""

import base64
import json
from typing import Any

from sandbox.fields import Obj
from sandbox.kinds import kind_of
from sandbox.kubelet.node_report import Machine
from tests.sandbox.worlds import World, container_state, deployment, pod, pod_template, waiting_reason


def box(**more: object) -> Obj:
    return {"name": "app", "image": "shop/app:1", **more}


def one(notes: dict[str, str] | None = None, container: Obj | None = None, **spec: Any) -> World:
    world = World(1)
    world.apply([pod("one", pod_template(notes=notes, containers=[container or box()], **spec))])
    world.settle()
    return world


def config(kind: str, name: str, **data: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }


def state(world: World) -> Obj:
    return container_state(world.get("Pod", "one"))


# --- configuration


def test_missing_references_are_named_until_they_are_there() -> None:
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "login", "key": "user"}}}]
    world = one(container=box(env=env, envFrom=[{"configMapRef": {"name": "settings"}}]))
    assert waiting_reason(world.get("Pod", "one")) == "CreateContainerConfigError"
    assert world.messages("one", "Failed") == ['Error: configmap "settings" not found']
    world.apply([config("ConfigMap", "settings", a="1"), config("Secret", "login", pass_word="eA==")])
    world.settle()
    assert world.messages("one", "Failed")[-1] == "Error: couldn't find key user in Secret default/login"
    world.apply([config("Secret", "login", user="eA==")])
    world.settle()
    assert state(world)["ready"]


def test_optional_references_may_be_missing() -> None:
    reference = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k", "optional": True}}}
    assert state(one(container=box(env=[reference])))["ready"]


def test_volumes_without_their_source_are_not_mounted() -> None:
    volumes = [{"name": "tls", "secret": {"secretName": "certificate"}}]
    world = one(volumes=volumes)
    world.advance(200)
    assert 'MountVolume.SetUp failed for volume "tls" : secret "certificate" not found' in world.messages(
        "one", "FailedMount"
    )
    assert any("timed out waiting for the condition" in text for text in world.messages("one", "FailedMount"))
    world.apply([config("Secret", "certificate")])
    world.advance(130)
    assert state(world)["ready"]


# --- images


def test_a_private_image_needs_credentials_for_its_registry() -> None:
    image = "registry.example.com/shop/app:1"
    world = one({"private-image": "true"}, box(image=image), imagePullSecrets=[{"name": "login"}])
    assert waiting_reason(world.get("Pod", "one")) in ("ErrImagePull", "ImagePullBackOff")
    assert any("pull access denied" in text for text in world.messages("one", "Failed"))
    login = {"auths": {"registry.example.com": {"auth": "eA=="}}}
    secret = config("Secret", "login")
    secret["type"] = "kubernetes.io/dockerconfigjson"
    secret["data"] = {".dockerconfigjson": base64.b64encode(json.dumps(login).encode()).decode()}
    world.apply([secret])
    world.advance(60)
    assert state(world)["ready"]


def test_an_image_for_another_architecture_cannot_be_executed() -> None:
    world = one({"image-arch": "arm64"})
    world.advance(20)
    assert state(world)["lastState"]["terminated"]["exitCode"] == 255
    assert world.log(world.get("Pod", "one"))[-1] == "exec /app/server: exec format error"


def test_never_pulling_an_absent_image() -> None:
    world = one(container=box(imagePullPolicy="Never"))
    assert waiting_reason(world.get("Pod", "one")) == "ErrImageNeverPull"


# --- commands


def test_a_command_the_image_does_not_have() -> None:
    world = one({"binaries": "sh,/app/server"}, box(command=["serve"]))
    last = state(world)["lastState"]["terminated"] or state(world)["state"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (128, "StartError")
    assert 'exec: "serve": executable file not found in $PATH' in last["message"]


def test_a_shell_that_misses_a_command_exits_with_127() -> None:
    world = one({"binaries": "sh,/app/server"}, box(command=["sh", "-c", "migrate --all"]))
    assert state(world)["lastState"]["terminated"]["exitCode"] == 127
    assert "sh: 1: migrate: not found" in world.log(world.get("Pod", "one"))


# --- probes


def probe(port: int | str = 8080, **more: object) -> Obj:
    return {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 2, "failureThreshold": 2, **more}


def served(**more: object) -> Obj:
    return box(ports=[{"name": "http", "containerPort": 8080}], **more)


def test_a_readiness_probe_on_the_right_port_passes_and_on_a_wrong_one_does_not() -> None:
    assert state(one(container=served(readinessProbe=probe("http"))))["ready"]
    world = one(container=served(readinessProbe=probe(9090)))
    assert not state(world)["ready"]
    ip = world.get("Pod", "one")["status"]["podIP"]
    assert world.messages("one", "Unhealthy") == [
        f'Readiness probe failed: Get "http://{ip}:9090/healthz": dial tcp {ip}:9090: '
        "connect: connection refused"
    ]


def test_a_failing_liveness_probe_restarts_with_the_real_events() -> None:
    world = one(container=served(livenessProbe=probe(9090)))
    world.advance(10)
    assert state(world)["restartCount"] >= 1
    assert "Container app failed liveness probe, will be restarted" in world.messages("one", "Killing")
    assert state(world)["lastState"]["terminated"]["exitCode"] == 137


def test_a_startup_probe_gives_a_slow_program_time() -> None:
    slow = {"start-seconds": "15"}
    patient = served(startupProbe=probe(failureThreshold=20), livenessProbe=probe())
    world = one(slow, patient)
    world.advance(30)
    assert (state(world)["restartCount"], state(world)["started"]) == (0, True)
    hasty = one(slow, served(livenessProbe=probe()))
    hasty.advance(30)
    assert state(hasty)["restartCount"] >= 1


def test_what_is_wrong_with_an_answer_is_said() -> None:
    wrong_path = one({"http-paths": "/,/ready"}, served(readinessProbe=probe()))
    assert "statuscode: 404" in wrong_path.messages("one", "Unhealthy")[-1]
    slow = one({"answer-seconds": "3"}, served(readinessProbe=probe()))
    assert "context deadline exceeded" in slow.messages("one", "Unhealthy")[-1]
    https = probe()
    https["httpGet"] = {**https["httpGet"], "scheme": "HTTPS"}
    plain = one(None, served(readinessProbe=https))
    assert "server gave HTTP response to HTTPS client" in plain.messages("one", "Unhealthy")[-1]


def test_a_readiness_gate_waits_for_its_condition() -> None:
    world = one(readinessGates=[{"conditionType": "example.com/online"}])
    assert world.reason_of("Pod", "one", "Ready") == "False ReadinessGatesNotReady"
    assert world.reason_of("Pod", "one", "ContainersReady") == "True"

    def online(pod_: Obj) -> Obj:
        entry = {"type": "example.com/online", "status": "True"}
        status = pod_["status"]
        return {**pod_, "status": {**status, "conditions": [*status["conditions"], entry]}}

    world.store.modify(kind_of("Pod"), "default", "one", online, subresource="status")
    world.settle()
    assert world.reason_of("Pod", "one", "Ready") == "True"


# --- init containers


def init(name: str, image: str = "shop/init:1", **more: object) -> Obj:
    return {"name": name, "image": image, **more}


def test_init_containers_run_one_after_the_other() -> None:
    world = World(1)
    world.apply([pod("one", pod_template(initContainers=[init("a"), init("b")]))])
    world.advance(1.2)
    assert world.reason_of("Pod", "one", "Initialized") == "False ContainersNotInitialized"
    assert waiting_reason(world.get("Pod", "one")) == "PodInitializing"
    world.settle()
    assert world.reason_of("Pod", "one", "Initialized") == "True"
    ends = world.get("Pod", "one")["status"]["initContainerStatuses"]
    assert [e["state"]["terminated"]["reason"] for e in ends] == ["Completed", "Completed"]
    assert state(world)["ready"]


def test_a_crashing_init_container_loops_and_holds_the_pod_back() -> None:
    world = one(initContainers=[init("a", "shop/init:crash")])
    world.advance(30)
    one_pod = world.get("Pod", "one")
    loop = container_state(one_pod, "a", "initContainerStatuses")
    assert loop["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert one_pod["status"]["phase"] == "Pending"


def test_a_failed_init_container_fails_a_pod_that_is_never_restarted() -> None:
    world = one(initContainers=[init("a", "shop/init:crash")], restartPolicy="Never")
    assert world.get("Pod", "one")["status"]["phase"] == "Failed"


def test_a_sidecar_starts_first_and_runs_beside_the_others() -> None:
    world = one(initContainers=[init("proxy", restartPolicy="Always"), init("a")])
    one_pod = world.get("Pod", "one")
    sidecar = container_state(one_pod, "proxy", "initContainerStatuses")
    assert "running" in sidecar["state"]
    assert sidecar["ready"]
    assert state(world)["ready"]


# --- memory of the node


def test_a_node_without_memory_evicts_the_greediest_pod() -> None:
    world = World(1, machine=Machine(memory="1Gi"))
    modest = {"resources": {"requests": {"memory": "64Mi"}}}
    world.apply([pod("modest", pod_template(containers=[box(**modest)]))])
    world.apply(
        [deployment("greedy", 1, pod_template(notes={"needs-memory": "200Mi", "leaks-memory": "400Mi"}))]
    )
    world.settle()
    greedy = world.pods(app="greedy")[0]["metadata"]["name"]
    world.advance(130)
    evicted = world.get("Pod", greedy)["status"]
    assert (evicted["phase"], evicted["reason"]) == ("Failed", "Evicted")
    assert evicted["message"].startswith("The node was low on resource: memory. Container app was using ")
    assert world.messages("node-0", "EvictionThresholdMet") == ["Attempting to reclaim memory"]
    assert world.messages("node-0", "NodeHasInsufficientMemory")
    assert world.get("Pod", "modest")["status"]["phase"] == "Running"
    assert len(world.pods(app="greedy")) > 1


def test_root_is_refused_where_it_is_forbidden() -> None:
    world = one({"image-user": "root"}, securityContext={"runAsNonRoot": True})
    assert world.messages("one", "Failed") == ["Error: container has runAsNonRoot and image will run as root"]
    assert waiting_reason(world.get("Pod", "one")) == "CreateContainerConfigError"
