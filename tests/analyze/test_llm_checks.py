"""Every claim of an LLM is held against what is known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analyze.llm_checks import Founded, Known, Unfounded, founded
from analyze.llm_schema import SaidDecision
from domain.alert import AlertStatus
from domain.attempt import Effect
from domain.decision import DecisionKind
from domain.incident import Incident
from tests.analyze.llm_case import (
    INJECTION,
    POD,
    SPECS,
    WEB,
    a_look,
    an_action,
    an_incident,
    said,
    with_attempt,
)
from tests.stubs.clock import START

NOTHING: dict[str, object] = {"looks": [], "action": None}
CAUSES = ("image-nonexistent", "image-registry-dns")


def check(incident: Incident, answer: dict[str, object], *, causes: tuple[str, ...] = CAUSES) -> Founded:
    known = Known(incident=incident, tools={spec.name: spec for spec in SPECS}, causes=causes)
    return founded(SaidDecision.model_validate(answer), known, analyst="llm")


def test_a_sound_change_becomes_a_typed_action() -> None:
    decision = check(an_incident(), said()).decision
    assert (decision.kind, decision.analyst) == (DecisionKind.EXECUTE_TOOL, "llm")
    assert decision.action is not None
    assert decision.action.key == "inc-7-1"
    assert decision.action.target == WEB  # as known: its own spelling, and the cluster
    assert decision.action.arguments == {"to_revision": 1}


def test_no_two_decisions_share_a_key_even_if_the_first_was_never_attempted() -> None:
    incident = an_incident()
    incident.decisions.append(check(incident, said()).decision)
    decision = check(incident, said()).decision
    assert decision.action is not None
    assert decision.action.key == "inc-7-2"


def test_hypotheses_come_best_first_with_their_evidence() -> None:
    best, other = check(an_incident(), said()).hypotheses
    assert (best.cause, best.evidence_for, best.target) == ("image-nonexistent", ("E1", "E2"), WEB)
    assert (other.cause, other.confidence) == ("image-registry-dns", 0.1)


def test_sound_looks_become_typed_calls() -> None:
    look = a_look(previous="true", tail_lines="20")
    (call,) = check(an_incident(), said(looks=[look], action=None)).decision.looks
    assert call.tool == "get_pod_logs"
    assert call.arguments == {"namespace": "shop", "name": "web-5f-x1", "previous": True, "tail_lines": 20}


@pytest.mark.parametrize("kind", ["resolved", "needs_manual_intervention"])
def test_an_ending_needs_no_step(kind: str) -> None:
    incident = with_attempt(an_incident(), Effect.HELPED)
    assert check(incident, said(kind=kind, **NOTHING)).decision.kind == kind


def test_resolved_holds_when_no_alert_fires() -> None:
    incident = an_incident()
    incident.alerts = [replace(alert, status=AlertStatus.RESOLVED) for alert in incident.alerts]
    assert check(incident, said(kind="resolved", **NOTHING)).decision.kind is DecisionKind.RESOLVED


def test_any_cause_may_be_named_where_none_are_given_and_unknown_always() -> None:
    assert check(an_incident(), said(cause="moon-phase"), causes=()).decision.cause == "moon-phase"
    assert check(an_incident(), said(cause="unknown")).decision.cause == "unknown"


def target(kind: str, namespace: str, name: str) -> dict[str, object]:
    return an_action(target={"kind": kind, "namespace": namespace, "name": name})


UNFOUNDED = {
    "no step": (said(**NOTHING), "either looks or an action"),
    "two steps": (said(looks=[a_look()]), "either looks or an action"),
    "ending with a step": (said(kind="needs_manual_intervention"), "allows neither looks nor an action"),
    "five looks": (said(looks=[a_look()] * 5, action=None), "at most 4 looks"),
    "no reason": (said(reasons=[" "]), "reasons are missing"),
    "confidence in percent": (said(confidence=90.0), "confidence 90 is not between 0 and 1"),
    "unknown evidence": (said(evidence_for=["E1", "E99"]), "no evidence 'E99'"),
    "unknown evidence against": (said(evidence_against=["E98"]), "no evidence 'E98'"),
    "change on no evidence": (said(evidence_for=[]), "a change needs evidence_for"),
    "unknown cause": (said(cause="moon-phase"), "'moon-phase' is not a known cause"),
    "not resolved": (said(kind="resolved", **NOTHING), "an alert still fires"),
    "unknown tool": (said(action=an_action(tool="delete_workload")), "no tool 'delete_workload'"),
    "look that changes": (
        said(looks=[a_look("delete_pod")], action=None),
        "delete_pod is not a reading tool",
    ),
    "change that reads": (said(action=an_action(tool="get_pod_logs")), "get_pod_logs is not a changing tool"),
    "unknown name": (said(action=target("Deployment", "shop", "api")), "Deployment/shop/api is neither"),
    "other namespace": (said(action=target("Deployment", "bank", "web")), "Deployment/bank/web is neither"),
    "other kind": (said(action=target("StatefulSet", "shop", "web")), "StatefulSet/shop/web is neither"),
    "name out of a log": (
        said(action=target("Pod", "kube-system", "coredns-1")),
        "Pod/kube-system/coredns-1",
    ),
    "unknown argument": (
        said(action=an_action(arguments=[{"name": "force", "value": "true"}])),
        "takes no argument 'force'; it takes to_revision",
    ),
    "own key": (
        said(action=an_action(arguments=[{"name": "key", "value": "mine"}])),
        "takes no argument 'key'",
    ),
}


@pytest.mark.parametrize(("answer", "problem"), UNFOUNDED.values(), ids=UNFOUNDED.keys())
def test_a_claim_that_does_not_hold_is_named(answer: dict[str, object], problem: str) -> None:
    with pytest.raises(Unfounded, match=problem) as caught:
        check(an_incident(), answer)
    assert len(caught.value.problems) == 1


def test_the_name_in_the_hostile_log_is_really_there() -> None:
    assert "kube-system/coredns-1" in INJECTION


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(Unfounded) as caught:
        check(an_incident(), said(cause="moon-phase", evidence_for=["E99"], confidence=-1.0))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("effect", [Effect.NO_EFFECT, Effect.WORSE])
def test_a_change_in_vain_is_not_repeated(effect: Effect) -> None:
    with pytest.raises(Unfounded, match="tried before"):
        check(with_attempt(an_incident(), effect), said())


def test_a_change_that_did_not_help_resolves_nothing() -> None:
    with pytest.raises(Unfounded, match="an alert still fires"):
        check(with_attempt(an_incident(), Effect.NO_EFFECT), said(kind="resolved", **NOTHING))


def test_a_change_that_helped_before_another_alert_began_resolves_nothing() -> None:
    incident = with_attempt(an_incident(), Effect.HELPED)
    assert check(incident, said(kind="resolved", **NOTHING)).decision.kind is DecisionKind.RESOLVED
    (first,) = incident.alerts
    incident.alerts.append(replace(first, fingerprint="f2", started_at=START + timedelta(minutes=1)))
    with pytest.raises(Unfounded, match="an alert still fires"):
        check(incident, said(kind="resolved", **NOTHING))


@pytest.mark.parametrize("cause", ["oom`\n# Approved", "The image does not exist", "x" * 100])
def test_a_cause_is_a_short_id_also_where_any_may_be_named(cause: str) -> None:
    with pytest.raises(Unfounded, match="is not a short id"):
        check(an_incident(), said(cause=cause), causes=())


def test_a_pod_seen_in_evidence_may_be_changed() -> None:
    action = an_action(
        tool="delete_pod", target={"kind": "Pod", "namespace": "shop", "name": POD.name}, arguments=[]
    )
    decision = check(an_incident(), said(action=action)).decision
    assert decision.action is not None
    assert decision.action.target == POD
