"""Expected words are those that kubectl prints for the same pods."""

from collections.abc import Mapping, Sequence

import pytest

from mcp_servers.kube.doc import Doc
from mcp_servers.kube.pod_status import pod_status
from mcp_servers.kube.pods import pod_state

State = Mapping[str, object]

RUNNING = {"ready": True, "state": {"running": {"startedAt": "2026-11-20T12:00:00Z"}}}
DONE = {"ready": False, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
READY = [{"type": "Ready", "status": "True"}]


def pod(
    phase: str = "Running", *, inits: Sequence[State] = (), mains: Sequence[State] = (), **status: object
) -> Doc:
    """A pod with these container states."""
    starts = [{"name": f"init-{i}", **state} for i, state in enumerate(inits)]
    runs = [{"name": f"main-{i}", **state} for i, state in enumerate(mains)]
    return Doc(
        {
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": "2026-11-20T12:00:00Z"},
            "spec": {
                "initContainers": [{"name": start["name"]} for start in starts],
                "containers": [{"name": run["name"], "image": "app:1"} for run in runs],
            },
            "status": {"phase": phase, "initContainerStatuses": starts, "containerStatuses": runs, **status},
        }
    )


def waiting(reason: str) -> dict[str, object]:
    return {"state": {"waiting": {"reason": reason}}}


def ended(**how: object) -> dict[str, object]:
    return {"state": {"terminated": how}}


@pytest.mark.parametrize(
    ("seen", "printed"),
    [
        (pod("Pending"), "Pending"),
        (pod(mains=[RUNNING]), "Running"),
        (pod("Pending", mains=[waiting("ImagePullBackOff")]), "ImagePullBackOff"),
        (pod(mains=[RUNNING, waiting("CrashLoopBackOff")]), "CrashLoopBackOff"),
        (pod(mains=[ended(exitCode=137, reason="OOMKilled")]), "OOMKilled"),
        (pod(mains=[ended(exitCode=3)]), "ExitCode:3"),
        (pod(mains=[ended(exitCode=0, signal=9)]), "Signal:9"),
        (pod("Succeeded", mains=[DONE]), "Completed"),
        (pod(mains=[DONE, RUNNING]), "NotReady"),
        (pod(mains=[DONE, RUNNING], conditions=READY), "Running"),
        (pod("Failed", reason="Evicted"), "Evicted"),
        (pod("Pending", inits=[DONE, RUNNING], mains=[waiting("PodInitializing")]), "Init:1/2"),
        (pod("Pending", inits=[waiting("CrashLoopBackOff")]), "Init:CrashLoopBackOff"),
        (pod("Pending", inits=[waiting("PodInitializing")]), "Init:0/1"),
        (pod("Pending", inits=[ended(exitCode=2, reason="Error")]), "Init:Error"),
        (pod("Pending", inits=[ended(exitCode=2)]), "Init:ExitCode:2"),
        (pod("Pending", inits=[ended(exitCode=1, signal=15)]), "Init:Signal:15"),
        (
            pod(
                "Pending",
                conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            ),
            "SchedulingGated",
        ),
    ],
)
def test_status_is_what_kubectl_prints(seen: Doc, printed: str) -> None:
    assert pod_status(seen) == printed


@pytest.mark.parametrize(
    ("seen", "printed"),
    [
        (pod(mains=[RUNNING]), "Terminating"),
        (pod(mains=[RUNNING], reason="NodeLost"), "Unknown"),
        (pod("Succeeded", mains=[DONE]), "Completed"),
    ],
)
def test_a_pod_on_its_way_out_says_so(seen: Doc, printed: str) -> None:
    leaving = Doc({**seen.raw, "metadata": {"deletionTimestamp": "2026-11-20T12:30:00Z"}})
    assert pod_status(leaving) == printed


def test_a_running_sidecar_does_not_count_as_initialising() -> None:
    seen = pod(inits=[{**RUNNING, "started": True}], mains=[RUNNING])
    spec = {"initContainers": [{"name": "init-0", "restartPolicy": "Always"}]}
    assert pod_status(Doc({**seen.raw, "spec": spec})) == "Running"


def test_containers_tell_their_last_end_and_their_limits() -> None:
    last = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-20T12:05:00Z"}
    seen = pod(mains=[{**waiting("CrashLoopBackOff"), "restartCount": 4, "lastState": {"terminated": last}}])
    resources = {"limits": {"memory": "128Mi", "cpu": "250m"}}
    spec = {"containers": [{"name": "main-0", "image": "app:1", "resources": resources}]}
    (container,) = pod_state(Doc({**seen.raw, "spec": spec}), None).containers
    assert (container.state, container.reason, container.restart_count) == ("waiting", "CrashLoopBackOff", 4)
    assert (container.last_reason, container.last_exit_code) == ("OOMKilled", 137)
    assert (container.memory_limit_bytes, container.cpu_limit_cores) == (128 * 2**20, 0.25)
    assert container.exit_code is None and container.memory_request_bytes is None
