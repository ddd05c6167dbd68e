"""The words and numbers that `kubectl get` shows."""

from typing import Any

import pytest

from sandbox.api.cells import duration
from sandbox.api.columns import BY_KIND, table_of
from sandbox.api.columns_pods import pod_status
from sandbox.fields import Obj
from sandbox.kinds import KINDS, kind_of

NOW = 1_767_600_000.0


@pytest.mark.parametrize(
    ("span_s", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (125, "2m5s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (47 * 3600, "47h"),
        (50 * 3600, "2d2h"),
        (10 * 86400, "10d"),
        (800 * 86400, "2y70d"),
        (-5, "<invalid>"),
    ],
)
def test_durations_are_short(span_s: float, text: str) -> None:
    assert duration(span_s) == text


def state(**what: Any) -> Obj:
    return {"name": "c", "restartCount": 0, **what}


@pytest.mark.parametrize(
    ("status", "more", "word"),
    [
        ({"phase": "Pending"}, {}, "Pending"),
        (
            {"phase": "Running", "containerStatuses": [state(ready=True, state={"running": {}})]},
            {},
            "Running",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [state(state={"waiting": {"reason": "CrashLoopBackOff"}})],
            },
            {},
            "CrashLoopBackOff",
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [state(state={"waiting": {"reason": "ImagePullBackOff"}})],
            },
            {},
            "ImagePullBackOff",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [state(state={"terminated": {"reason": "OOMKilled", "exitCode": 137}})],
            },
            {},
            "OOMKilled",
        ),
        (
            {"phase": "Failed", "containerStatuses": [state(state={"terminated": {"exitCode": 3}})]},
            {},
            "ExitCode:3",
        ),
        ({"phase": "Failed", "reason": "Evicted"}, {}, "Evicted"),
        ({"phase": "Pending", "initContainerStatuses": [state(state={"running": {}})]}, {}, "Init:0/1"),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [state(state={"waiting": {"reason": "CrashLoopBackOff"}})],
            },
            {},
            "Init:CrashLoopBackOff",
        ),
        ({"phase": "Running"}, {"deletionTimestamp": "2026-01-05T08:00:00Z"}, "Terminating"),
    ],
)
def test_the_status_of_a_pod(status: Obj, more: Obj, word: str) -> None:
    spec = {"containers": [{"name": "c"}], "initContainers": [{"name": "c"}]}
    pod = {"metadata": {"name": "p", **more}, "spec": spec, "status": status}
    assert pod_status(pod, NOW) == word


def cells(kind: str, obj: Obj) -> dict[str, Any]:
    table = table_of(kind_of(kind), [obj], now=NOW, include="None")
    titles = [column["name"] for column in table["columnDefinitions"]]
    return dict(zip(titles, table["rows"][0]["cells"], strict=True))


def test_restarts_say_when() -> None:
    ended = {"terminated": {"finishedAt": "2026-01-05T07:58:20Z"}}
    status = {
        "containerStatuses": [state(restartCount=3, lastState=ended, state={"running": {}}, ready=True)]
    }
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}, "status": status}
    row = cells("Pod", pod)
    assert (row["Ready"], row["Restarts"]) == ("1/1", "3 (100s ago)")


def test_a_cordoned_node_says_so() -> None:
    conditions = [{"type": "Ready", "status": "True"}]
    node = {"metadata": {"name": "n"}, "spec": {"unschedulable": True}, "status": {"conditions": conditions}}
    assert cells("Node", node)["Status"] == "Ready,SchedulingDisabled"


def test_autoscaler_targets() -> None:
    target = {"name": "cpu", "target": {"averageUtilization": 80}}
    spec = {"maxReplicas": 3, "metrics": [{"type": "Resource", "resource": target}]}
    assert (
        cells("HorizontalPodAutoscaler", {"metadata": {"name": "h"}, "spec": spec})["Targets"]
        == "cpu: <unknown>/80%"
    )


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS if kind.kind in BY_KIND])
def test_every_kind_can_show_an_almost_empty_object(kind: str) -> None:
    row = cells(kind, {"metadata": {"name": "x", "creationTimestamp": "2026-01-05T07:59:30Z"}, "spec": {}})
    assert "x" in row.values() or kind == "Event"
