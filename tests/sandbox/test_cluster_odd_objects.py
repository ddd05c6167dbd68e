"""Objects that a server takes although they make little sense must not stop the cluster."""

from itertools import pairwise

import pytest

from sandbox.errors import ApiError
from sandbox.fields import Obj
from sandbox.kinds import KINDS, Kind
from tests.sandbox.worlds import World, deployment, pod, pod_template

STORED = [kind for kind in KINDS if kind.view_of is None]
SKETCHES: tuple[Obj, ...] = ({}, {"spec": {}}, {"spec": {}, "status": {}}, {"spec": None})


def sketch(kind: Kind, number: int, body: Obj) -> Obj:
    meta = {"name": f"odd-{number}", **({"namespace": "default"} if kind.namespaced else {})}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, **body}


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.kind)
def test_bare_objects_do_no_harm(kind: Kind) -> None:
    world = World(1)
    for number, body in enumerate(SKETCHES):
        try:
            world.store.create(kind, sketch(kind, number, body))
        except ApiError:
            continue  # refused: just as good
    world.apply([deployment("web", 1)])
    world.advance(60)
    assert world.get("Deployment", "web")["status"]["availableReplicas"] == 1
    for number, _ in enumerate(SKETCHES):
        if world.find(kind.kind, f"odd-{number}") is not None:
            world.delete(kind.kind, f"odd-{number}")
    world.advance(60)


def service_with(value: str) -> Obj:
    notes = {"sandbox/calls": f"db:{value}, :, x"}
    notes |= {f"sandbox/{name}": value for name in ("requests-per-second", "call-timeout")}
    meta = {"name": "tls", "namespace": "default", "annotations": notes}
    spec = {"ports": [{"port": 80}], "selector": {"app": "tls"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


NOTES = (
    "needs-memory",
    "needs-cpu",
    "leaks-memory",
    "run-seconds",
    "start-seconds",
    "stop-seconds",
    "answer-seconds",
    "listens",
    "shared-cpu",
    "fault",
    "container",
)


@pytest.mark.parametrize("value", ["", "soon", "-5", "1..2", "12 Mb", "NaN"])
def test_notes_that_mean_nothing_are_ignored(value: str) -> None:
    world = World(1)
    box = {"name": "app", "image": "a:1", "resources": {"limits": {"memory": "64Mi", "cpu": "100m"}}}
    box["readinessProbe"] = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}
    for name, other in pairwise((*NOTES, "tls")):
        world.apply([pod(name, pod_template(notes={name: value, other: value}, containers=[box]))])
    world.apply([service_with(value), pod("tls")])
    world.advance(30)
    assert world.get("Pod", "tls")["status"]["phase"] == "Running"
