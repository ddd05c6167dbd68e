"""Every shipped scenario is well before, broken after, and mended by the fix that is stated for it.

No analyst takes part: this is about the scenarios and the cluster alone.
"""

from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from domain.faults import FAMILY_OF
from sandbox.cluster import Cluster
from sandbox.kubelet.timings import Timings
from sandbox.scenario import Scenario, Step, inject, load_scenario, play, prepare
from sandbox.scoring import checks_hold

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FIXES = Path(__file__).parent / "fixes"
FILES = sorted((ROOT / "scenarios").rglob("*.yaml"))
STEPS = TypeAdapter(list[Step])
MEND_S, LATER_S = 300.0, 600.0  # cluster time for a fix to work, and for which it has to hold
OUTCOMES = ("resolved", "escalated", "no_action")


def name_of(file: Path) -> str:
    return file.stem


def mendable(scenario: Scenario) -> bool:
    """Whether an action is expected: then there is a fault that shows in the checks."""
    return scenario.expect.outcome == "resolved"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_it_is_well_before_broken_after_and_mended_by_its_fix(file: Path) -> None:
    scenario = load_scenario(file)
    cluster = Cluster(3, timings=Timings.brisk())
    prepare(cluster, scenario)
    inject(cluster, scenario)
    if not mendable(scenario):
        assert checks_hold(cluster, scenario.expect), "nothing is to be done, so the checks hold already"
        return
    assert scenario.expect.checks, "a scenario that is to be resolved says how that is seen"
    assert not checks_hold(cluster, scenario.expect), "the fault does not show in the checks"
    cluster.advance(LATER_S)
    assert not checks_hold(cluster, scenario.expect), "it heals by itself"
    for step in STEPS.validate_python(yaml.safe_load((FIXES / file.name).read_text())):
        play(cluster, step)
    cluster.advance(MEND_S)
    assert checks_hold(cluster, scenario.expect), "the stated fix does not mend it"
    cluster.advance(LATER_S)
    assert checks_hold(cluster, scenario.expect), "the stated fix does not last"


def test_scenarios_are_named_by_their_files_and_say_what_is_expected() -> None:
    for file in FILES:
        scenario = load_scenario(file)
        assert scenario.name == file.stem
        assert scenario.fault in FAMILY_OF or scenario.fault == "none", file
        assert scenario.expect.outcome in OUTCOMES, file
        assert all(cause in FAMILY_OF for cause in scenario.expect.cause), file
        assert not mendable(scenario) or scenario.fault in scenario.expect.cause, file


def test_every_fix_belongs_to_a_scenario() -> None:
    assert {file.stem for file in FIXES.glob("*.yaml")} <= {file.stem for file in FILES}
