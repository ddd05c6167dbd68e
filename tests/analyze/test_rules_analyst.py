"""What the rules analyst decides from what it finds."""

from dataclasses import replace

from analyze.rules_analyst import RulesAnalyst
from domain.alert import AlertStatus
from domain.attempt import Answer, Attempt, Effect, Outcome, OutcomeKind, Verdict, Verification
from domain.budget import Budget
from domain.decision import Action, Decision, DecisionKind
from domain.incident import Incident
from tests.builders import NOW, alert, container, incident, node, pod, revision, workload

BUDGET = Budget(seconds=10)
OLD = revision(1, "aaa", "shop/web:1")
NEW = revision(2, "bbb", "shop/web:2", current=True)


def pulling() -> Incident:
    waiting = container(
        image="shop/web:2", state="waiting", reason="ErrImagePull", message="shop/web:2: not found"
    )
    return incident([workload(NEW, OLD, ready=2), pod("web-bbb-1", waiting, hash="bbb")])


def killed(limit_bytes: int = 2**28) -> Incident:
    state = container(
        reason="CrashLoopBackOff", state="waiting", last_reason="OOMKilled", memory_limit_bytes=limit_bytes
    )
    return incident([workload(NEW, OLD), pod("web-bbb-1", state, hash="bbb")])


async def decide(about: Incident) -> Decision:
    return (await RulesAnalyst().assess(about, budget=BUDGET)).decision


def attempted(done: Action, effect: Effect) -> Attempt:
    return Attempt(
        action=done,
        verdict=Verdict(answer=Answer.ALLOW, rule="r", reason=""),
        outcome=Outcome(kind=OutcomeKind.DONE, text="done", at=NOW),
        verification=Verification(effect=effect, text="looked", checks=(), at=NOW, took_s=1),
    )


async def test_a_missing_image_is_rolled_back_to_the_revision_before() -> None:
    decision = await decide(pulling())
    assert decision.kind is DecisionKind.EXECUTE_TOOL
    assert decision.action is not None
    assert (decision.action.tool, dict(decision.action.arguments)) == (
        "rollback_workload",
        {"to_revision": 1},
    )
    assert decision.action.key == "inc-1-1"


async def test_a_low_memory_limit_is_doubled() -> None:
    decision = await decide(killed())
    assert decision.action is not None
    assert dict(decision.action.arguments) == {"container": "web", "memory_limit": "512Mi"}


async def test_a_change_that_helped_resolves_the_incident() -> None:
    about = pulling()
    first = await decide(about)
    about.decisions.append(first)
    assert first.action is not None
    about.put_attempt(attempted(first.action, Effect.HELPED))
    decision = await decide(about)
    assert decision.kind is DecisionKind.RESOLVED
    assert decision.cause == "image-nonexistent"


async def test_a_change_that_did_not_help_is_not_repeated_but_handed_over() -> None:
    about = pulling()
    first = await decide(about)
    assert first.action is not None
    about.put_attempt(attempted(first.action, Effect.NO_EFFECT))
    decision = await decide(about)
    assert decision.kind is DecisionKind.NEEDS_MANUAL_INTERVENTION
    assert "did not help" in decision.reasons[0]


async def test_a_change_that_was_withdrawn_unanswered_is_asked_for_again_when_it_fires_again() -> None:
    about = pulling()
    first = await decide(about)
    assert first.action is not None
    about.decisions.append(first)
    asked = Verdict(answer=Answer.ASK, rule="defaults.cluster", reason="a person is asked")
    about.put_attempt(Attempt(action=first.action, verdict=asked))
    again = await decide(about)
    assert again.action is not None
    assert (again.action.tool, again.action.key) == (first.action.tool, "inc-1-2")


async def test_a_limit_that_is_still_too_low_is_raised_further() -> None:
    about = killed()
    first = await decide(about)
    assert first.action is not None
    about.decisions.append(first)
    about.put_attempt(attempted(first.action, Effect.NO_EFFECT))
    later = killed(2**29)
    about.evidence = later.evidence
    decision = await decide(about)
    assert decision.action is not None
    assert decision.action.arguments["memory_limit"] == "1Gi"
    assert decision.action.key == "inc-1-2"


async def test_a_refusal_by_policy_calls_a_person() -> None:
    about = pulling()
    first = await decide(about)
    assert first.action is not None
    refused = Verdict(answer=Answer.DENY, rule="protected-namespace", reason="namespace shop is protected")
    about.put_attempt(Attempt(action=first.action, verdict=refused))
    decision = await decide(about)
    assert decision.kind is DecisionKind.NEEDS_MANUAL_INTERVENTION
    assert "protected" in decision.reasons[0]


async def test_without_an_earlier_revision_there_is_no_way_back_to_propose() -> None:
    about = incident([workload(replace(NEW, number=1)), *[item.fact for item in pulling().evidence[1:]]])
    assert (await decide(about)).kind is DecisionKind.NEEDS_MANUAL_INTERVENTION


async def test_nothing_recognised_is_said_to_be_unknown() -> None:
    decision = await decide(incident([workload(OLD, ready=3)]))
    assert (decision.kind, decision.cause) == (DecisionKind.NEEDS_MANUAL_INTERVENTION, "unknown")


async def test_alerts_that_went_away_need_no_change() -> None:
    about = pulling()
    about.alerts = [alert(status=AlertStatus.RESOLVED)]
    decision = await decide(about)
    assert decision.kind is DecisionKind.RESOLVED
    assert decision.action is None


async def test_a_node_under_announced_maintenance_is_never_uncordoned() -> None:
    waiting = replace(
        pod("web-1", container()), unschedulable="0/1 nodes are available: 1 node(s) were unschedulable."
    )
    for words, kind in (
        ("", DecisionKind.EXECUTE_TOOL),
        ("kernel update", DecisionKind.NEEDS_MANUAL_INTERVENTION),
    ):
        about = incident([workload(OLD), waiting, node("node-1", cordoned=True, maintenance=words)])
        assert (await decide(about)).kind is kind
