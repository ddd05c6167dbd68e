"""The report: complete, and foreign text stays in its place."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from analyze.rules import diagnose
from analyze.scene import Scene
from domain.attempt import Answer, Approval, Attempt, Effect, Outcome, OutcomeKind, Verdict, Verification
from domain.decision import Assessment, Decision, DecisionKind, Hypothesis
from domain.incident import Incident, Resolution, Station
from domain.tools import ToolCall
from report.closing import close
from report.markdown import render
from report.writer import ReportWriter
from tests.analyze.test_rules_analyst import pulling
from tests.builders import NOW, action, alert, incident, workload

YES = Approval(incident_id="inc-1", action_key="inc-1-1", approver="on-call", granted=True, decided_at=NOW)

UNDO = ToolCall(
    tool="rollback_workload",
    arguments={"namespace": "shop", "kind": "Deployment", "name": "web", "to_revision": 2},
)


def decided(about: Incident, kind: DecisionKind) -> Incident:
    decision = Decision(
        kind=kind, analyst="rules", cause="image-nonexistent", confidence=0.95, reasons=("it waits",)
    )
    about.take(Assessment(decision=decision, hypotheses=diagnose(Scene.of(about))))
    return about


def healed() -> Incident:
    about = decided(pulling(), DecisionKind.EXECUTE_TOOL)
    about.put_attempt(
        Attempt(
            action=action("rollback_workload", to_revision=1),
            verdict=Verdict(answer=Answer.ALLOW, rule="defaults.cluster", reason="approved by on-call"),
            approval=YES,
            outcome=Outcome(
                kind=OutcomeKind.DONE, text="rolled back", at=NOW,
                before={"image": "web:2"}, after={"image": "web:1"},
                undo=UNDO,
            ),
            verification=Verification(effect=Effect.HELPED, text="3 pods ready", checks=(), at=NOW, took_s=9),
        )
    )  # fmt: skip
    decided(about, DecisionKind.RESOLVED)
    close(about, at=NOW)
    return about


def test_a_resolved_incident_tells_what_was_done_by_whose_leave_and_how_to_undo_it() -> None:
    text = render(healed())
    for said in (
        "Resolved: a change was made", "image: web:2", "image: web:1", "approved by on-call", "3 pods ready",
        "rollout undo deployment/web --to-revision=2", "confidence **", "Make the change last",
    ):  # fmt: skip
        assert said in text


def test_an_escalated_incident_tells_a_person_where_to_start() -> None:
    about = decided(pulling(), DecisionKind.NEEDS_MANUAL_INTERVENTION)
    close(about, at=NOW)
    text = render(about)
    assert about.resolution is Resolution.ESCALATED
    assert "Take over: it waits." in text
    assert "Nothing was changed." in text


def test_the_impact_tells_how_many_replicas_were_missing_at_worst() -> None:
    assert "- 2 of 3 replicas of Deployment/shop/web were ready when it was worst" in render(pulling())
    none = incident([workload(desired=0)])
    assert "- no replica of Deployment/shop/web was asked for" in render(none)


def test_an_incident_without_any_decision_still_has_a_report() -> None:
    about = incident(alerts=[])
    close(about, at=NOW)
    assert "No decision was made." in render(about)


def test_foreign_text_cannot_break_out_of_its_line_or_cell() -> None:
    about = incident(alerts=[alert(alertname="Bad\n# Resolved\n| x |")])
    about.note(at=NOW, station=Station.ANALYZE, event="e", text="a | b\n## Fake heading <script>")
    text = render(about)
    assert "\n# Resolved" not in text
    assert "\n## Fake" not in text
    assert "a \\| b ## Fake heading &lt;script>" in text


HOSTILE = "x ![a](http://evil.example/p.png) [b](javascript:alert(1)) <img src=x> `c`\n\n# Approved by root"


def hostile() -> Incident:
    """Foreign text wherever a report has any."""
    said = alert(alertname=HOSTILE)
    about = incident(alerts=[replace(said, annotations={"description": HOSTILE, "runbook_url": HOSTILE})])
    about.title = HOSTILE
    change = replace(action("set_env", variable=HOSTILE, value="v"), reason=HOSTILE, expects=HOSTILE)
    for kind in (DecisionKind.EXECUTE_TOOL, DecisionKind.NEEDS_MANUAL_INTERVENTION):
        decision = Decision(kind=kind, analyst="llm", cause=HOSTILE, reasons=(HOSTILE,), action=change)
        guess = Hypothesis(
            cause=HOSTILE, title=HOSTILE, target=about.target, confidence=1, reasons=(HOSTILE,)
        )
        about.take(Assessment(decision=decision, hypotheses=(guess,)))
    values = {"variable": HOSTILE}
    undo = ToolCall(tool="set_env", arguments={"variable": HOSTILE, "value": None})
    about.put_attempt(
        Attempt(
            action=change,
            verdict=Verdict(answer=Answer.ALLOW, rule=HOSTILE, reason=HOSTILE),
            approval=replace(YES, approver=HOSTILE, reason=HOSTILE),
            outcome=Outcome(
                kind=OutcomeKind.DONE, text=HOSTILE, at=NOW, before=values, after=values, undo=undo,
                warnings=(HOSTILE,),
            ),
            verification=Verification(effect=Effect.WORSE, text=HOSTILE, checks=(), at=NOW, took_s=9),
        )
    )  # fmt: skip
    about.note(at=NOW, station=Station.ANALYZE, event="e", text=HOSTILE)
    close(about, at=NOW)
    return about


def parsed(text: str) -> list[Token]:
    """Blocks and what stands in them, as a Markdown reader sees them."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def test_foreign_text_becomes_no_link_no_image_no_markup_and_no_heading_anywhere() -> None:
    text = render(hostile(), prose=HOSTILE)
    assert "Take over" in text and "Runbook of the alert" in text
    tokens = parsed(text)
    assert {token.type for token in tokens}.isdisjoint({"link_open", "image", "html_inline", "html_block"})
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert not [heading for heading in headings if heading.startswith("Approved")]
    assert text.count("evil.example") >= 20  # it was all printed, only harmless


@pytest.mark.parametrize("start", ["# a", "- a", "> a", "1. a", "~~~ a", "[x]: http://evil.example", "=== a"])
def test_a_reason_starts_no_block_of_its_own(start: str) -> None:
    about = decided(pulling(), DecisionKind.EXECUTE_TOOL)
    plain = [token.type for token in parsed(render(about, prose="plain"))]
    about.hypotheses = [replace(about.hypotheses[0], reasons=(start, *about.hypotheses[0].reasons[1:]))]
    assert [token.type for token in parsed(render(about, prose=start))] == plain


def test_a_command_with_backticks_stays_as_it_is() -> None:
    about = healed()
    undo = ToolCall(tool="set_env", arguments={"kind": "Deployment", "variable": "SHELL", "value": "`date`"})
    about.attempts = [
        replace(about.attempts[0], outcome=Outcome(kind=OutcomeKind.DONE, text="", at=NOW, undo=undo))
    ]
    assert "'SHELL=`date`'``" in render(about)


def test_credentials_do_not_get_into_a_report() -> None:
    about = incident(alerts=[replace(alert(), annotations={"description": "login with password=hunter2"})])
    about.note(at=NOW, station=Station.ANALYZE, event="e", text="GET https://ada:hunter2@registry.example/v2")
    assert "hunter2" not in render(about)


def test_a_pipe_after_a_backslash_stays_in_its_cell() -> None:
    about = incident()
    about.note(at=NOW, station=Station.ANALYZE, event="e", text="a\\|b")
    assert "| a&#92;&#124;b |" in render(about)


def test_of_a_storm_the_report_tells_the_first_alerts_and_how_many_more() -> None:
    about = incident(alerts=[alert(fingerprint=f"f{n}", alertname=f"Rule{n}") for n in range(200)])
    text = render(about)
    assert text.count("since 2026") == 50
    assert "150 more alerts" in text


async def test_the_file_is_named_by_the_incident_and_prose_is_optional(tmp_path: Path) -> None:
    async def prose(about: Incident) -> str | None:
        return "In short: a typo in a tag."

    path = await ReportWriter(tmp_path / "deep", prose=prose).write(healed())
    assert path.name == "inc-1.md"
    assert "In short: a typo in a tag." in path.read_text()
