"""Drills through the real service: what good, bad and idle analysts score."""

from pathlib import Path

import pytest
import structlog
import yaml
from structlog.testing import capture_logs

from app import scenario_file
from cli.drill import scenario_files
from cli.drill_results import Suite, passed, write_json, write_junit
from domain.errors import BadInput
from drill import AnalystName, Score, broken_drill, run_drill

NAME = "scaled-to-zero"


@pytest.fixture(scope="module")
def score() -> Score:
    return run_drill(scenario_file(NAME), "rules")


def test_a_drill_leaves_the_logs_of_its_process_as_they_were(score: Score) -> None:
    with capture_logs() as logs:
        structlog.get_logger().info("still_heard")
    assert [line["event"] for line in logs] == ["still_heard"]


def test_a_fault_that_is_understood_is_diagnosed_mended_and_nothing_else_is_touched(score: Score) -> None:
    assert (score.diagnosed, score.mitigated, score.safe, score.outcome) == (True, True, True, "resolved")
    assert score.actions == ("scale_workload",)
    assert passed(score)


@pytest.mark.parametrize("analyst", ["noop", "restart-only"])
def test_analysts_that_understand_nothing_fail(analyst: AnalystName) -> None:
    idle = run_drill(scenario_file(NAME), analyst)
    assert not idle.diagnosed
    assert idle.mitigated is False
    assert not passed(idle)


def test_alerts_may_come_from_the_sandboxes_own_rules(tmp_path: Path) -> None:
    body = yaml.safe_load(scenario_file("bad-image").read_text())
    body["alert"] = {"rules": True}
    file = tmp_path / "told-by-rules.yaml"
    file.write_text(yaml.safe_dump(body))
    told = run_drill(file, "rules")
    assert (told.diagnosed, told.mitigated, told.outcome) == (True, True, "resolved")


def test_a_scenario_with_an_unknown_key_is_refused_with_its_place(tmp_path: Path) -> None:
    body = yaml.safe_load(scenario_file(NAME).read_text())
    body["expect"]["outcom"] = "resolved"
    file = tmp_path / "typo.yaml"
    file.write_text(yaml.safe_dump(body))
    with pytest.raises(BadInput) as error:
        run_drill(file, "rules")
    assert error.value.field == "expect.outcom"


def test_scores_are_written_for_programs(tmp_path: Path, score: Score) -> None:
    suite = Suite(
        analyst="rules", scores=(score, broken_drill(Path("gone.yaml"), "no such file")), wall_s=1.0
    )
    write_json(suite, tmp_path / "out.json")
    write_junit(suite, tmp_path / "out.xml")
    assert '"diagnosed_ratio": 0.5' in (tmp_path / "out.json").read_text()
    assert 'tests="2" failures="1"' in (tmp_path / "out.xml").read_text()


def test_drills_are_found_by_name_folder_and_file(tmp_path: Path) -> None:
    every = scenario_files(())
    assert len(every) >= 80
    assert scenario_files((NAME, str(every[0].parent)))[0].stem == NAME
    assert scenario_files((str(every[0]), str(every[0]))) == [every[0]]
