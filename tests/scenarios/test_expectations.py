"""What scenarios expect is meant seriously: they name objects that exist, and a mere restart is no way out.

That the stated fix works is tested in test_scenarios.py.
"""

from pathlib import Path

import pytest

from sandbox.cluster import Cluster
from sandbox.kinds import kind_of
from sandbox.kubelet.timings import Timings
from sandbox.scenario import (
    ObjectRef,
    PatchStep,
    Scenario,
    Step,
    inject,
    load_scenario,
    play,
    prepare,
)
from sandbox.scoring import checks_hold

pytestmark = pytest.mark.slow

FILES = sorted((Path(__file__).parents[2] / "scenarios").rglob("*.yaml"))
RESTARTABLE = ("Deployment", "StatefulSet", "DaemonSet")
RESTART = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
LOOKS_COUNT, LOOK_S = 10, 30.0  # a restart has five minutes of cluster time to show what it can do


def name_of(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_it_names_objects_that_exist_and_no_restart_mends_it(file: Path) -> None:
    scenario = load_scenario(file)
    cluster = Cluster(3, timings=Timings.brisk())
    prepare(cluster, scenario)
    were_there = [ref for ref in targets_of(scenario) if exists(cluster, ref)]
    inject(cluster, scenario)
    missing = [key for key in scenario.expect.untouched if not exists(cluster, ref_of(key))]
    assert not missing, "what does not exist cannot be touched"
    are_there = [ref for ref in targets_of(scenario) if exists(cluster, ref)]
    assert were_there or are_there or not scenario.expect.target, "nobody can find what never was"
    if scenario.expect.outcome == "resolved" and "restart_workload" not in (scenario.expect.actions or ()):
        assert not mended_by_restart(cluster, scenario), "turning it off and on again is enough"


def targets_of(scenario: Scenario) -> list[ObjectRef]:
    """The objects concerned; some of them may only come into being with the fix."""
    target = scenario.expect.target
    return [ref_of(key) for key in ([target] if isinstance(target, str) else target) if key]


def ref_of(key: str) -> ObjectRef:
    """`Kind/namespace/name`, or `Kind/name` for what is in no namespace."""
    kind, *place = key.split("/")
    return ObjectRef(kind=kind, name=place[-1], namespace=place[0] if len(place) > 1 else "")


def exists(cluster: Cluster, ref: ObjectRef) -> bool:
    return cluster.store.find(kind_of(ref.kind), ref.namespace or None, ref.name) is not None


def mended_by_restart(cluster: Cluster, scenario: Scenario) -> bool:
    """Whether the checks ever hold after all workloads concerned were restarted."""
    for ref in targets_of(scenario):
        if ref.kind in RESTARTABLE and exists(cluster, ref):
            play(cluster, Step(patch=PatchStep(**ref.model_dump(), patch=RESTART)))
    for _ in range(LOOKS_COUNT):
        cluster.advance(LOOK_S)
        if checks_hold(cluster, scenario.expect):
            return True
    return False
