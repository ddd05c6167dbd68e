"""What becomes of a pod on its node: states, restarts, events and logs."""

from typing import Any

import pytest

from sandbox.kubelet.timings import Timings, backoff_s
from sandbox.logs import LogOptions
from tests.sandbox.worlds import World, container_state, deployment, pod, pod_template, waiting_reason


def running(notes: dict[str, str] | None = None, timings: Timings | None = None, **spec: Any) -> World:
    world = World(1, timings=timings)
    world.apply([pod("one", pod_template(notes=notes, **spec))])
    world.settle()
    return world


def test_a_pod_is_scheduled_pulled_created_and_started() -> None:
    world = running()
    assert [event["reason"] for event in world.events("one")] == [
        "Scheduled",
        "Pulling",
        "Pulled",
        "Created",
        "Started",
    ]
    one = world.get("Pod", "one")
    assert one["status"]["phase"] == "Running"
    assert [c["type"] for c in one["status"]["conditions"] if c["status"] == "True"] == [
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    assert world.log(one) == ["app starting, image shop/app:1", "listening on :8080"]


def test_a_crashing_container_backs_off_longer_each_time() -> None:
    world = running({"fault": "crashloop"}, timings=Timings())
    world.advance(600)
    one = world.get("Pod", "one")
    assert waiting_reason(one) == "CrashLoopBackOff"
    state = container_state(one)
    assert 5 <= state["restartCount"] <= 7
    assert state["lastState"]["terminated"]["exitCode"] == 1
    assert "restarting failed container=app pod=one_default(" in state["state"]["waiting"]["message"]
    assert "RuntimeError: could not connect to database db:5432: connection refused" in world.log(one)
    assert world.reason_of("Pod", "one", "Ready") == "False ContainersNotReady"


def test_the_backoff_doubles_from_its_first_value_to_its_longest() -> None:
    assert [backoff_s(10, 300, failures) for failures in range(1, 9)] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_removing_the_fault_from_a_live_pod_heals_it() -> None:
    world = running({"fault": "crashloop"})
    world.advance(30)
    world.annotate("Pod", "one", "sandbox/fault", None)
    world.settle()
    one = world.get("Pod", "one")
    assert container_state(one)["ready"]
    assert world.log(one, previous=True)[-1].startswith("RuntimeError")


def test_too_little_memory_kills_with_137_and_more_memory_heals() -> None:
    world = World()
    limits = {"resources": {"limits": {"memory": "128Mi"}}}
    box = {"name": "app", "image": "shop/app:1", **limits}
    world.apply([deployment("web", 1, pod_template(notes={"needs-memory": "300Mi"}, containers=[box]))])
    world.advance(20)
    last = container_state(world.pods()[0])["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (137, "OOMKilled")
    roomy = {**box, "resources": {"limits": {"memory": "512Mi"}}}
    world.apply([deployment("web", 1, pod_template(notes={"needs-memory": "300Mi"}, containers=[roomy]))])
    world.settle()
    assert [container_state(p)["restartCount"] for p in world.pods()] == [0]
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 1


def test_a_leak_ends_in_an_oom_kill_after_a_while() -> None:
    limits = {"limits": {"memory": "150Mi"}}
    box = {"name": "app", "image": "shop/app:1", "resources": limits}
    world = running({"needs-memory": "100Mi", "leaks-memory": "10Mi"}, containers=[box])
    assert container_state(world.get("Pod", "one"))["restartCount"] == 0
    world.advance(310)
    state = container_state(world.get("Pod", "one"))
    assert state["restartCount"] == 1
    assert state["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_a_needed_variable_that_is_missing_crashes_the_program() -> None:
    world = running({"needs-env": "DB_URL"})
    assert "panic: required environment variable DB_URL is not set" in world.log(world.get("Pod", "one"))


@pytest.mark.parametrize("tag", ["bad", "v1-broken", "doesnotexist", "notfound"])
def test_tags_that_no_registry_knows(tag: str) -> None:
    world = running(image=f"shop/app:{tag}")
    one = world.get("Pod", "one")
    assert waiting_reason(one) in ("ErrImagePull", "ImagePullBackOff")
    assert any("failed to resolve reference" in text for text in world.messages("one", "Failed"))
    assert one["status"]["phase"] == "Pending"


def test_an_unready_program_is_running_but_gets_no_traffic() -> None:
    world = running({"fault": "unready"})
    assert world.reason_of("Pod", "one", "Ready") == "False ContainersNotReady"
    assert world.messages("one", "Unhealthy") == [
        "Readiness probe failed: HTTP probe failed with statuscode: 503"
    ]
    world.annotate("Pod", "one", "sandbox/fault", None)
    world.advance(15)
    assert world.reason_of("Pod", "one", "Ready") == "True"


def test_a_flaky_start_takes_twenty_seconds() -> None:
    world = running({"fault": "flaky-start"})
    assert world.reason_of("Pod", "one", "Ready").startswith("False")
    world.advance(20)
    assert world.reason_of("Pod", "one", "Ready") == "True"


def test_a_pod_stuck_in_creating_says_which_volume() -> None:
    world = running({"fault": "stuck-creating"})
    assert waiting_reason(world.get("Pod", "one")) == "ContainerCreating"
    assert (
        'MountVolume.SetUp failed for volume "config" : configmap "app-config" not found'
        in world.messages("one", "FailedMount")
    )


def test_a_program_that_ends_is_restarted_or_not_as_the_policy_says() -> None:
    again = running({"run-seconds": "1"})
    assert container_state(again.get("Pod", "one"))["restartCount"] >= 1
    once = running({"run-seconds": "1"}, restartPolicy="Never")
    one = once.get("Pod", "one")
    assert one["status"]["phase"] == "Succeeded"
    assert once.reason_of("Pod", "one", "Ready") == "False PodCompleted"
    failed = running({"fault": "error-exit"}, restartPolicy="Never")
    assert failed.get("Pod", "one")["status"]["phase"] == "Failed"


def test_deleting_a_pod_stops_its_containers_first() -> None:
    world = running()
    world.delete("Pod", "one")
    world.clock.run_due()
    assert world.get("Pod", "one")["metadata"]["deletionGracePeriodSeconds"] == 30
    world.advance(2)
    assert world.find("Pod", "one") is None
    assert world.messages("one", "Killing") == ["Stopping container app"]


def test_logs_are_cut_as_asked() -> None:
    world = running({"logs": "one\ntwo\nthree"})
    read = world.fleet.read
    assert read("default", "one", "app", LogOptions(tail_lines=1)) == "three\n"
    assert read("default", "one", "app", LogOptions(tail_lines=0)) == ""
    assert read("default", "one", "app", LogOptions(limit_bytes=5)) == "one\nt"
    assert read("default", "one", "app", LogOptions(timestamps=True)).startswith("2026-01-05T08:00:0")
    world.advance(60)
    assert read("default", "one", "app", LogOptions(since=world.clock.now())) == ""


def test_a_new_image_restarts_the_container_in_place() -> None:
    world = running()
    containers = [{"name": "app", "image": "shop/app:2"}]
    world.change("Pod", "one", "spec.containers", containers)
    world.settle()
    state = container_state(world.get("Pod", "one"))
    assert (state["restartCount"], state["image"]) == (1, "shop/app:2")


def test_a_node_that_is_lost_says_nothing_until_it_returns() -> None:
    world = running()
    world.annotate("Node", "node-0", "sandbox/fault", "lost")
    world.advance(1)
    lease = world.get("Lease", "node-0", "kube-node-lease")["spec"]["renewTime"]
    world.advance(30)
    assert world.get("Lease", "node-0", "kube-node-lease")["spec"]["renewTime"] == lease
    world.annotate("Node", "node-0", "sandbox/fault", None)
    world.advance(5)
    assert world.get("Lease", "node-0", "kube-node-lease")["spec"]["renewTime"] > lease
