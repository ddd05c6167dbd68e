"""The incident as Markdown: complete without an LLM, readable on GitHub and in a terminal."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import jinja2

from domain.attempt import Attempt, Effect
from domain.cluster import WorkloadState
from domain.decision import DecisionKind
from domain.incident import Incident, IncidentState, Resolution
from report.kubectl import as_kubectl
from utils.redact import redact
from utils.words import counted, printable

TEMPLATES = Path(__file__).parent / "templates"
MAX_ALERTS_COUNT = 50  # told one by one; of a storm nobody reads more
MAX_URLS_COUNT = 5
BLOCK_START = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[#>*+~=_\[-]))")  # as `#` or `1.` do in Markdown

HEADLINES = {
    Resolution.RESOLVED: "Resolved: a change was made, and looking afterwards showed that it helped.",
    Resolution.ESCALATED: "Escalated: a person has to take over. What is known is below.",
    Resolution.NO_ACTION: "No action: nothing was changed by this service.",
    None: "Not finished yet.",
}


def render(incident: Incident, *, prose: str = "") -> str:
    """The whole report. `prose` is an optional summary in free words; the facts never depend on it."""
    text = (
        _environment()
        .get_template("incident.md.j2")
        .render(
            incident=incident,
            headline=HEADLINES[incident.resolution],
            prose=prose.strip(),
            alerts=incident.alerts[:MAX_ALERTS_COUNT],
            alerts_left_out_count=max(0, len(incident.alerts) - MAX_ALERTS_COUNT),
            cause=_cause(incident),
            lost=replicas_lost(incident),
            evidence=incident.evidence,
            next_steps=next_steps(incident),
            lasted=_lasted(incident),
        )
    )
    return text.strip() + "\n"


def replicas_lost(incident: Incident) -> str:
    """How many replicas of the target were missing when it was worst, in words; empty when never seen."""
    seen = [fact for item in incident.evidence if isinstance(fact := item.fact, WorkloadState)]
    own = [state for state in seen if state.target == incident.target]
    if not own:
        return ""
    worst = min(own, key=lambda state: state.ready_count / max(state.desired_count, 1))
    if not worst.desired_count:
        return f"no replica of {worst.target} was asked for"
    ready = f"{worst.ready_count} of {worst.desired_count} replicas of {worst.target}"
    return f"{ready} were ready when it was worst"


def next_steps(incident: Incident) -> list[str]:
    """What a person should do now, most urgent first."""
    if incident.state is IncidentState.PARKED and incident.last_attempt is not None:
        action = incident.last_attempt.action
        return [
            f"Answer the waiting request: `python main.py approve {incident.id}` applies {_line(action)}."
        ]
    if incident.resolution is Resolution.ESCALATED:
        return _escalated_steps(incident)
    if incident.resolution is Resolution.RESOLVED:
        return _resolved_steps(incident)
    return ["Nothing, unless the alert comes back; then look whether its threshold fits."]


def _escalated_steps(incident: Incident) -> list[str]:
    decision = incident.decision
    steps = [f"Take over: {_line('; '.join(decision.reasons))}." if decision else "Take over."]
    if incident.hypotheses:
        best = incident.hypotheses[0]
        steps.append(
            f"Start from the likeliest cause: {_line(best.title)} (confidence {best.confidence:.2f})."
        )
    else:
        steps.append("Start from the evidence below; no rule recognised it.")
    steps += [
        f"Check what {_line(attempt.action)} left behind: {_line(attempt.outcome.text)}."
        for attempt in incident.attempts
        if attempt.applied and attempt.outcome and not _helped(attempt)
    ]
    steps += [f"Runbook of the alert: {_line(url)}" for url in _runbook_urls(incident)]
    return steps


def _resolved_steps(incident: Incident) -> list[str]:
    steps = []
    for attempt in incident.attempts:
        if not attempt.applied:
            continue
        where = "where it is declared (repository, chart or manifest)"
        steps.append(f"Make the change last {where}: {_line(attempt.action)}.")
        if attempt.outcome and attempt.outcome.undo:
            steps.append(
                f"To take it back: {_code(as_kubectl(attempt.outcome.undo) or attempt.outcome.undo)}."
            )
    if incident.firing:
        steps.append("The alert had not been sent as resolved when this was written; watch that it clears.")
    return steps or ["Nothing."]


def _runbook_urls(incident: Incident) -> Sequence[str]:
    urls = [alert.annotations.get("runbook_url", "") for alert in incident.alerts]
    return [url for url in dict.fromkeys(urls) if url][:MAX_URLS_COUNT]


def _helped(attempt: Attempt) -> bool:
    return attempt.verification is not None and attempt.verification.effect is Effect.HELPED


def _cause(incident: Incident) -> str:
    """The cause that the decisions acted on, else the best hypothesis, else nothing."""
    acted = [d for d in incident.decisions if d.kind is DecisionKind.EXECUTE_TOOL and d.action]
    if acted:
        return acted[-1].cause
    return incident.hypotheses[0].cause if incident.hypotheses else ""


def _lasted(incident: Incident) -> timedelta | None:
    return None if incident.closed_at is None else incident.closed_at - incident.opened_at


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown, not HTML; `line`, `cell` and `code` keep foreign text in place
    )
    environment.filters |= FILTERS
    return environment


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}"


def _one_line(text: object) -> str:
    return " ".join(redact(printable(str(text))).split())


def _inline(text: object) -> str:
    """Foreign text on one line, of which no markup, link or image comes."""
    return _one_line(text).replace("`", "'").replace("<", "&lt;").replace("](", "]\\(")


def _line(text: object) -> str:
    """Foreign text where a block may begin: no heading, list or fence comes of it either."""
    return BLOCK_START.sub(r"\1\\", _inline(text))


def _cell(text: object) -> str:
    """Foreign text inside a table cell, which a backslash before an escaped pipe would end."""
    return _inline(text).replace("\\|", "&#92;&#124;").replace("|", "\\|")


def _code(text: object) -> str:
    """Foreign text as a code span, between more backticks than it has in a row."""
    said = _one_line(text)
    marks = "`" * (1 + max((len(run) for run in re.findall("`+", said)), default=0))
    room = " " if said.startswith("`") or said.endswith("`") else ""
    return f"{marks}{room}{said}{room}{marks}"


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items()) or "–"


def _span(length: timedelta | None) -> str:
    if length is None:
        return "still open"
    seconds = int(length.total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


FILTERS = {
    "clock": _clock,
    "cell": _cell,
    "code": _code,
    "counted": counted,
    "kubectl": as_kubectl,
    "line": _line,
    "pairs": _pairs,
    "span": _span,
}
