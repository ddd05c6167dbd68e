"""The analyst that needs no LLM: rules find the cause, remedies name the change, doubt calls a person."""

from analyze.remedies import remedy
from analyze.rules import diagnose
from analyze.rules.health import contradicted
from analyze.scene import Scene
from domain.attempt import Answer, Attempt
from domain.budget import Budget
from domain.decision import Action, Assessment, Decision, DecisionKind, Hypothesis
from domain.incident import Incident

SURE_ENOUGH = 0.7  # below it a wrong change is likelier than a person would accept


class RulesAnalyst:
    """Deterministic: the same evidence gives the same decision."""

    name = "rules"

    async def assess(self, incident: Incident, *, budget: Budget) -> Assessment:
        """Decide from what the incident holds; needs neither time nor tokens."""
        last = incident.last_attempt
        if last is not None and incident.mended:
            return _assessment(_resolved(incident, last), tuple(incident.hypotheses))
        if not incident.firing:
            return _assessment(_gone(), tuple(incident.hypotheses))
        if last is not None and last.verdict.answer is Answer.DENY:
            return _assessment(_refused(incident, last), tuple(incident.hypotheses))
        return _next_change(incident)


def _next_change(incident: Incident) -> Assessment:
    scene = Scene.of(incident)
    hypotheses = diagnose(scene)
    for hypothesis in hypotheses:
        if hypothesis.confidence < SURE_ENOUGH:
            break
        action = remedy(scene, hypothesis, incident.next_key)
        if action is not None and not _tried(incident, action):
            return _assessment(_change(hypothesis, action), hypotheses)
    if not hypotheses and not incident.attempts and (why := contradicted(scene, incident)):
        return _assessment(_noise(why), hypotheses)
    return _assessment(_manual(incident, hypotheses), hypotheses)


def _assessment(decision: Decision, hypotheses: tuple[Hypothesis, ...]) -> Assessment:
    return Assessment(decision=decision, hypotheses=hypotheses)


def _tried(incident: Incident, action: Action) -> bool:
    """Whether it was; a question that was withdrawn before its answer is not."""
    return any(
        earlier.verdict.answer is not Answer.ASK and action.repeats(earlier.action)
        for earlier in incident.attempts
    )


def _resolved(incident: Incident, last: Attempt) -> Decision:
    before = incident.decision
    checked = last.verification.text if last.verification else ""
    return Decision(
        kind=DecisionKind.RESOLVED,
        analyst=RulesAnalyst.name,
        cause=before.cause if before else "",
        confidence=before.confidence if before else 0.0,
        reasons=(f"{last.action} helped: {checked}",),
    )


def _gone() -> Decision:
    return Decision(
        kind=DecisionKind.RESOLVED,
        analyst=RulesAnalyst.name,
        reasons=("every alert of this incident is resolved and nothing was changed by this service",),
    )


def _noise(why: str) -> Decision:
    return Decision(
        kind=DecisionKind.RESOLVED, analyst=RulesAnalyst.name, cause="noop", confidence=0.8, reasons=(why,)
    )


def _refused(incident: Incident, last: Attempt) -> Decision:
    before = incident.decision
    return Decision(
        kind=DecisionKind.NEEDS_MANUAL_INTERVENTION,
        analyst=RulesAnalyst.name,
        cause=before.cause if before else "",
        confidence=before.confidence if before else 0.0,
        reasons=(f"policy refused {last.action}: {last.verdict.reason} ({last.verdict.rule})",),
    )


def _change(hypothesis: Hypothesis, action: Action) -> Decision:
    return Decision(
        kind=DecisionKind.EXECUTE_TOOL,
        analyst=RulesAnalyst.name,
        cause=hypothesis.cause,
        confidence=hypothesis.confidence,
        reasons=hypothesis.reasons,
        action=action,
    )


def _manual(incident: Incident, hypotheses: tuple[Hypothesis, ...]) -> Decision:
    best = hypotheses[0] if hypotheses else None
    return Decision(
        kind=DecisionKind.NEEDS_MANUAL_INTERVENTION,
        analyst=RulesAnalyst.name,
        cause=best.cause if best else "unknown",
        confidence=best.confidence if best else 0.0,
        reasons=(_why_a_person(incident, best),),
    )


def _why_a_person(incident: Incident, best: Hypothesis | None) -> str:
    if best is None:
        return "no rule recognises what is seen; the cause is unknown"
    if best.confidence < SURE_ENOUGH:
        return f"the likeliest cause ({best.title}) is not sure enough to act on: {best.confidence:.2f}"
    if incident.attempts:
        return f"{best.title}: the known remedy was tried and did not help"
    return f"{best.title}: no safe change is known for it here"
