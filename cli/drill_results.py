"""The scores of a suite for people (tables) and for programs (JSON, JUnit XML)."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

from rich.console import Console
from rich.table import Table

from drill import Score
from utils.words import counted

UNKNOWN_WIDTH = 170
JSON_FIELDS = (
    "name", "family", "fault", "diagnosed", "mitigated", "safe", "outcome", "cause", "target", "actions",
    "steps", "cpu_s", "tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """All drills of one analyst."""

    analyst: str
    scores: tuple[Score, ...]
    wall_s: float

    def summary(self) -> dict[str, float | None]:
        """Shares 0..1; None where there was nothing to count."""
        mendable = [score for score in self.scores if score.mitigated is not None]
        wrong = [score for score in mendable if not score.diagnosed]
        return {
            "diagnosed_ratio": ratio(self.scores, lambda score: score.diagnosed),
            "mitigated_ratio": ratio(mendable, lambda score: bool(score.mitigated)),
            "safe_ratio": ratio(self.scores, lambda score: score.safe),
            "mitigated_given_wrong_ratio": ratio(wrong, lambda score: bool(score.mitigated)),
            "wall_s": round(self.wall_s, 2),
        }


def passed(score: Score) -> bool:
    """Everything right: cause, fix, safety and outcome."""
    return score.diagnosed and score.mitigated is not False and score.safe and score.outcome_right


def ratio(scores: Sequence[Score], good: Callable[[Score], bool]) -> float | None:
    """The share of scores that are good."""
    return round(sum(map(good, scores)) / len(scores), 4) if scores else None


def print_table(suite: Suite) -> None:
    """One line a drill, then the families, then the whole."""
    table = Table(
        "drill", "cause found", "fixed", "safe", "outcome", "said", "did", "steps", "cpu s", box=None
    )
    for score in suite.scores:
        outcome = score.outcome if score.outcome_right else f"[red]{score.outcome}[/]"
        did = ", ".join(score.actions) or "–"
        cells = [
            _mark(score.diagnosed),
            _mark(score.mitigated),
            _mark(score.safe),
            outcome,
            score.cause or "–",
            did,
        ]
        table.add_row(score.name, *cells, str(score.steps), f"{score.cpu_s:.2f}")
        for remark in score.remarks:
            table.add_row("", f"[red]{remark}[/]")
    console = _console()
    console.print(table)
    console.print(_families(suite))
    console.print(f"{counted(len(suite.scores), 'drill')}, analyst {suite.analyst}: {_in_words(suite)}")


def print_baselines(suites: Sequence[Suite]) -> None:
    """The analysts beside each other."""
    table = Table(
        "analyst", "cause found", "fixed", "safe", "fixed though the cause was wrong", "wall s", box=None
    )
    for suite in suites:
        numbers = suite.summary()
        shares = [_share(numbers[name]) for name in list(numbers)[:4]]
        table.add_row(suite.analyst, *shares, f"{suite.wall_s:.1f}")
    _console().print(table)


def write_json(suite: Suite, file: Path) -> None:
    """The format that other tools read: drills and summary."""
    drills = [{name: asdict(score)[name] for name in JSON_FIELDS} for score in suite.scores]
    text = json.dumps({"drills": drills, "summary": suite.summary()}, indent=2)
    file.write_text(text + "\n", encoding="utf-8")


def write_junit(suite: Suite, file: Path) -> None:
    """A test case a drill; what was not right is its failure."""
    failed = [score for score in suite.scores if not passed(score)]
    root = Element(
        "testsuite", name=f"drills-{suite.analyst}", tests=str(len(suite.scores)), failures=str(len(failed))
    )
    for score in suite.scores:
        case = SubElement(root, "testcase", classname=score.family, name=score.name, time=str(score.cpu_s))
        if not passed(score):
            SubElement(case, "failure", message="; ".join(_faults(score))).text = "\n".join(score.remarks)
    ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _faults(score: Score) -> Iterable[str]:
    if not score.diagnosed:
        yield f"said {score.cause or 'nothing'} about {score.target or 'nothing'}"
    if score.mitigated is False:
        yield "not fixed, or not for good"
    if not score.safe:
        yield "not safe"
    if not score.outcome_right:
        yield f"ended as {score.outcome}"


def _families(suite: Suite) -> Table:
    table = Table("family", "drills", "cause found", "fixed", "safe", box=None)
    for family in sorted({score.family for score in suite.scores}):
        part = Suite(analyst="", scores=tuple(s for s in suite.scores if s.family == family), wall_s=0)
        numbers = part.summary()
        shares = [_share(numbers[name]) for name in list(numbers)[:3]]
        table.add_row(family, str(len(part.scores)), *shares)
    return table


def _in_words(suite: Suite) -> str:
    numbers = suite.summary()
    return (
        f"cause found {_share(numbers['diagnosed_ratio'])}, fixed {_share(numbers['mitigated_ratio'])}, "
        f"safe {_share(numbers['safe_ratio'])}, fixed though the cause was wrong "
        f"{_share(numbers['mitigated_given_wrong_ratio'])}, {suite.wall_s:.1f} s"
    )


def _console() -> Console:
    """Wide enough for a file or a pipe, too, where nobody says how wide a line may be."""
    console = Console()
    return console if console.is_terminal else Console(width=UNKNOWN_WIDTH)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _mark(value: bool | None) -> str:
    return {True: "[green]yes[/]", False: "[red]no[/]", None: "–"}[value]
