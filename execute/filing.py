"""Puts what Execute brought into the incident and on its timeline."""

from dataclasses import replace
from datetime import datetime

from domain.attempt import Answer, Approval, Attempt, Intent, Outcome, OutcomeKind
from domain.incident import Incident, Station
from execute.actions import BEGUN
from execute.executor import Progress


def file_progress(incident: Incident, progress: Progress, *, at: datetime) -> None:
    """Add evidence or the attempt; an attempt that only waits on is not told twice."""
    if progress.withdrawn:
        _note(incident, at, "action_withdrawn", "nothing fires any more, so nothing was changed")
        return
    if progress.attempt is None:
        for item in incident.add_evidence(progress.observations):
            _note(incident, at, "looked", f"{item.id}: {item.text}")
        return
    known = incident.last_attempt
    incident.put_attempt(progress.attempt)
    if known is None or not _same(progress.attempt, known):
        _tell(incident, progress.attempt, progress.attempt.judged_at or at)


def file_begun(incident: Incident, intent: Intent, approval: Approval | None, *, at: datetime) -> None:
    """Add the change of a run that broke before it could file it; whether it helped was not looked at."""
    known = incident.last_attempt
    if known is not None and known.action.key == intent.action.key and known.outcome is not None:
        return
    lost = Outcome(kind=OutcomeKind.UNKNOWN, text="the run broke before its end; it may be applied", at=at)
    attempt = Attempt(
        action=intent.action,
        verdict=BEGUN,
        judged_at=intent.intended_at,
        approval=approval,
        outcome=intent.outcome or lost,
    )
    file_progress(incident, Progress(attempt=attempt), at=at)


def _same(attempt: Attempt, known: Attempt) -> bool:
    """Whether nothing but the time of judging differs."""
    return replace(attempt, judged_at=known.judged_at) == known


def _tell(incident: Incident, attempt: Attempt, at: datetime) -> None:
    verdict = attempt.verdict
    text = f"{attempt.action}: policy says {verdict.answer.value} ({verdict.rule}): {verdict.reason}"
    _note(incident, at, "verdict_given", text, answer=verdict.answer.value, rule=verdict.rule)
    if verdict.answer is Answer.ASK:
        _note(incident, at, "approval_awaited", f"waiting for a person: python main.py approve {incident.id}")
    if attempt.outcome is not None:
        outcome = attempt.outcome
        _note(
            incident, outcome.at, "action_applied", f"{outcome.kind.value}: {outcome.text}",
            tool=attempt.action.tool, key=attempt.action.key, outcome=outcome.kind.value,
        )  # fmt: skip
    if attempt.verification is not None:
        seen = attempt.verification
        _note(
            incident,
            seen.at,
            "action_verified",
            f"{seen.effect.value}: {seen.text}",
            effect=seen.effect.value,
        )


def _note(incident: Incident, at: datetime, event: str, text: str, **details: object) -> None:
    incident.note(at=at, station=Station.EXECUTE, event=event, text=text, **details)
