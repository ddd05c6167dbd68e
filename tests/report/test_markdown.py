"""The report: complete, and foreign text stays in its place."""

from pathlib import Path

from analyze.rules import diagnose
from analyze.scene import Scene
from domain.attempt import Answer, Approval, Attempt, Effect, Outcome, OutcomeKind, Verdict, Verification
from domain.decision import Assessment, Decision, DecisionKind
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


async def test_the_file_is_named_by_the_incident_and_prose_is_optional(tmp_path: Path) -> None:
    async def prose(about: Incident) -> str | None:
        return "In short: a typo in a tag."

    path = await ReportWriter(tmp_path / "deep", prose=prose).write(healed())
    assert path.name == "inc-1.md"
    assert "In short: a typo in a tag." in path.read_text()
