"""The example that people copy their first drill from: it is broken as it says, and runs through."""

from pathlib import Path

from drill import run_drill
from sandbox.cluster import Cluster
from sandbox.kubelet.timings import Timings
from sandbox.scenario import inject, load_scenario, prepare
from sandbox.scoring import checks_hold
from tests.docs.pages import blocks


def test_the_example_of_a_drill_is_broken_before_anybody_acts_and_can_be_run(tmp_path: Path) -> None:
    (example,) = [block.text for block in blocks("yaml") if block.page == "docs/drills.md"]
    file = tmp_path / "example.yaml"
    file.write_text(example)
    scenario = load_scenario(file)
    cluster = Cluster(3, timings=Timings.brisk())
    prepare(cluster, scenario)
    assert checks_hold(cluster, scenario.expect)
    inject(cluster, scenario)
    assert not checks_hold(cluster, scenario.expect)
    score = run_drill(file, "rules")
    assert score.safe
    assert score.outcome in ("resolved", "escalated")
