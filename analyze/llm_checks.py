"""Checks what an LLM claims against what is known, and makes a decision of it only if everything holds."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from analyze.llm_arguments import typed
from analyze.llm_schema import SaidAction, SaidDecision, SaidLook, SaidTarget
from domain.alert import Target
from domain.attempt import Answer, Attempt, Effect
from domain.decision import Action, Decision, DecisionKind, Hypothesis
from domain.errors import Permanent
from domain.incident import Incident
from domain.tools import ToolCall, ToolSpec

MAX_LOOKS_COUNT = 4  # a model that wants more does not know what it is looking for
UNKNOWN_CAUSE = "unknown"
CAUSE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")  # as in the fault catalogue, whose longest has 26


class Unfounded(Permanent):
    """Claims that do not hold; `problems` has one sentence each, fit to be sent back."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What claims are held against. `causes` empty: any cause may be named."""

    incident: Incident
    tools: Mapping[str, ToolSpec]
    causes: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A decision whose every claim holds, and the hypotheses behind it, best first."""

    decision: Decision
    hypotheses: tuple[Hypothesis, ...]


@dataclass(slots=True)
class _Check:
    known: Known
    problems: list[str] = field(default_factory=list)


def founded(said: SaidDecision, known: Known, *, analyst: str) -> Founded:
    """The decision in the house's words. Raises Unfounded with everything that is wrong with it."""
    check = _Check(known)
    _check_shape(check, said)
    _check_claims(check, said)
    if said.kind is DecisionKind.RESOLVED:
        _check_resolved(check)
    looks = tuple(_look(check, look) for look in said.looks)
    action = _action(check, said.action, said.title) if said.action else None
    if check.problems:
        raise Unfounded(check.problems)
    about = action.target if action else known.incident.target
    decision = Decision(
        kind=said.kind,
        analyst=analyst,
        cause=said.cause,
        confidence=said.confidence,
        reasons=tuple(said.reasons),
        looks=looks,
        action=action,
    )
    return Founded(decision=decision, hypotheses=_hypotheses(said, about))


def _check_shape(check: _Check, said: SaidDecision) -> None:
    """Looks or an action with execute_tool, neither with the others."""
    steps = bool(said.looks) + bool(said.action)
    if said.kind is DecisionKind.EXECUTE_TOOL and steps != 1:
        check.problems.append("execute_tool needs either looks or an action, and not both")
    if said.kind is not DecisionKind.EXECUTE_TOOL and steps:
        check.problems.append(f"{said.kind.value} allows neither looks nor an action")
    if len(said.looks) > MAX_LOOKS_COUNT:
        check.problems.append(f"at most {MAX_LOOKS_COUNT} looks at a time, not {len(said.looks)}")
    if not any(reason.strip() for reason in said.reasons):
        check.problems.append("reasons are missing")


def _check_claims(check: _Check, said: SaidDecision) -> None:
    """Confidences are shares, causes and evidence exist, a change rests on evidence."""
    confidences = [said.confidence, *(other.confidence for other in said.alternatives)]
    check.problems.extend(f"confidence {c:g} is not between 0 and 1" for c in confidences if not 0 <= c <= 1)
    ids = {item.id for item in check.known.incident.evidence}
    cited = [*said.evidence_for, *said.evidence_against]
    check.problems.extend(f"there is no evidence {cited_id!r}" for cited_id in cited if cited_id not in ids)
    if said.action and not said.evidence_for:
        check.problems.append("a change needs evidence_for")
    _check_causes(check, {said.cause, *(other.cause for other in said.alternatives)} - {UNKNOWN_CAUSE})


def _check_causes(check: _Check, causes: Collection[str]) -> None:
    """Causes of the list, or short ids where any may be named: reports print them as they are."""
    for cause in sorted(causes):
        if check.known.causes and cause not in check.known.causes:
            check.problems.append(f"{cause!r} is not a known cause; say {UNKNOWN_CAUSE!r} if none fits")
        elif not CAUSE_ID.fullmatch(cause):
            check.problems.append(f"cause {cause!r} is not a short id in lower case with hyphens")


def _check_resolved(check: _Check) -> None:
    incident = check.known.incident
    if incident.firing and not incident.mended:
        check.problems.append("not resolved: an alert still fires and no change was verified to have helped")


def _look(check: _Check, said: SaidLook) -> ToolCall:
    spec = _spec(check, said.tool, read_only=True)
    arguments = typed(said.arguments, spec, problems=check.problems) if spec else {}
    return ToolCall(tool=said.tool, arguments=arguments)


def _action(check: _Check, said: SaidAction, title: str) -> Action:
    incident = check.known.incident
    spec = _spec(check, said.tool, read_only=False)
    target = _target(check, said.target)
    action = Action(
        key=incident.next_key,
        tool=said.tool,
        target=target,
        arguments=typed(said.arguments, spec, problems=check.problems) if spec else {},
        reason=title,
        expects=said.expects,
    )
    if any(_in_vain(attempt, action) for attempt in incident.attempts):
        check.problems.append(f"{action} was tried before and was refused or did not help")
    return action


def _spec(check: _Check, tool: str, *, read_only: bool) -> ToolSpec | None:
    spec = check.known.tools.get(tool)
    role = "reading" if read_only else "changing"
    if spec is None:
        check.problems.append(f"there is no tool {tool!r}")
    elif spec.read_only != read_only:
        check.problems.append(f"{tool} is not a {role} tool")
        return None
    return spec


def _target(check: _Check, said: SaidTarget) -> Target:
    """The known object that is meant. Names that only stand in logs or messages do not count as known."""
    meant = (said.kind.casefold(), said.namespace, said.name)
    incident = check.known.incident
    for target in (incident.target, *(item.seen.about for item in incident.evidence)):
        if (target.kind.casefold(), target.namespace, target.name) == meant:
            return target
    target = Target(kind=said.kind, namespace=said.namespace, name=said.name)
    check.problems.append(f"{target} is neither the incident's target nor looked at by any evidence")
    return target


def _in_vain(attempt: Attempt, action: Action) -> bool:
    effect = attempt.verification.effect if attempt.verification else None
    return action.repeats(attempt.action) and (
        attempt.verdict.answer is Answer.DENY or effect in (Effect.NO_EFFECT, Effect.WORSE)
    )


def _hypotheses(said: SaidDecision, target: Target) -> tuple[Hypothesis, ...]:
    best = Hypothesis(
        cause=said.cause,
        title=said.title,
        target=target,
        confidence=said.confidence,
        reasons=tuple(said.reasons),
        evidence_for=tuple(said.evidence_for),
        evidence_against=tuple(said.evidence_against),
    )
    others = sorted(said.alternatives, key=lambda other: -other.confidence)
    return (
        best,
        *(
            Hypothesis(cause=other.cause, title=other.title, target=target, confidence=other.confidence)
            for other in others
        ),
    )
