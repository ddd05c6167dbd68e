"""The LLM analyst with rules behind it, through the real client library against a server on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from analyze.fallback import WithFallback
from analyze.llm import LlmAnalyst
from analyze.rules_analyst import RulesAnalyst
from domain.attempt import Effect
from domain.budget import Budget
from domain.decision import Assessment, DecisionKind
from domain.incident import Incident
from tests.analyze.llm_case import Tools, a_look, an_action, an_incident, said, with_attempt
from tests.stubs.clock import StillClock
from tests.stubs.openai_stub import MODEL, NAMED, TOKENS_COUNT, OpenAiStub, Reply, answer, by_request
from utils.call_llm import Llm, LlmBudgetUsedUp, LlmSettings, LlmUnavailable, LlmUnusable

PLENTY = Budget(seconds=30.0, tokens_count=30_000)
MISSHAPEN = {"broken_answer", "chatter", "wrong_schema"}  # the model spoke, so it may repair
SILENT = {"slow", "trickle"}  # only these are waited out
UNFOUNDED = answer(said(evidence_for=["E99"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An LLM analyst, alone and with rules behind it, and the server that both ask."""

    alone: LlmAnalyst
    backed: WithFallback
    stub: OpenAiStub
    clock: StillClock


@asynccontextmanager
async def bench(
    *replies: Reply, actions: tuple[str, ...] | None = None, timeout_s: float = 5.0
) -> AsyncIterator[Bench]:
    clock = StillClock()
    async with OpenAiStub(*replies) as stub:
        settings = LlmSettings(model=MODEL, base_url=stub.url, timeout_s=timeout_s, attempts_count=1)
        async with Llm(settings, clock=clock) as llm:
            alone = LlmAnalyst(llm, Tools(), clock, actions=actions)
            backed = WithFallback(alone, RulesAnalyst(), clock)
            yield Bench(alone=alone, backed=backed, stub=stub, clock=clock)


async def assess(*replies: Reply, incident: Incident | None = None) -> Assessment:
    async with bench(*replies) as given:
        return await given.alone.assess(incident or an_incident(), budget=PLENTY)


async def test_a_sound_change_is_decided() -> None:
    assessment = await assess(answer(said()))
    decision = assessment.decision
    assert (decision.kind, decision.analyst) == (DecisionKind.EXECUTE_TOOL, "llm")
    assert str(decision.action) == "rollback_workload Deployment/shop/web (to_revision=1)"
    assert [hypothesis.confidence for hypothesis in assessment.hypotheses] == [0.9, 0.1]
    assert (assessment.tokens_count, assessment.remarks) == (TOKENS_COUNT, ())


async def test_a_sound_look_is_decided() -> None:
    assessment = await assess(answer(said(looks=[a_look(previous="true")], action=None)))
    assert [call.arguments["previous"] for call in assessment.decision.looks] == [True]


async def test_after_a_change_that_helped_it_may_close() -> None:
    incident = with_attempt(an_incident(), Effect.HELPED)
    assessment = await assess(answer(said(kind="resolved", action=None)), incident=incident)
    assert assessment.decision.kind is DecisionKind.RESOLVED


async def test_the_answer_may_follow_from_the_question() -> None:
    def choose(prompt: str) -> Reply:
        tried = "looking afterwards showed: no_effect" in prompt
        return answer(said(kind="needs_manual_intervention", action=None) if tried else said())

    incident = an_incident()
    async with bench(by_request(lambda chat: choose(chat.prompt))) as given:
        first = await given.alone.assess(incident, budget=PLENTY)
        second = await given.alone.assess(with_attempt(incident, Effect.NO_EFFECT), budget=PLENTY)
    assert first.decision.kind is DecisionKind.EXECUTE_TOOL
    assert second.decision.kind is DecisionKind.NEEDS_MANUAL_INTERVENTION


async def test_an_estimated_count_is_called_one() -> None:
    assessment = await assess(answer(said(), usage=False))
    assert assessment.tokens_count > 500
    assert f"{assessment.tokens_count} is an estimate" in assessment.remarks[0]


async def test_only_the_actions_that_policy_knows_are_offered() -> None:
    async with bench(answer(said()), actions=("scale_workload",)) as given:
        with pytest.raises(LlmUnusable, match="no tool 'rollback_workload'"):
            await given.alone.assess(an_incident(), budget=PLENTY)
    assert "- scale_workload(" in given.stub.chats[0].prompt
    assert "- rollback_workload(" not in given.stub.chats[0].prompt


@pytest.mark.parametrize("first", [UNFOUNDED, *(NAMED[name] for name in sorted(MISSHAPEN))])
async def test_an_answer_that_does_not_hold_is_repaired_once(first: Reply) -> None:
    async with bench(first, answer(said())) as given:
        assessment = await given.backed.assess(an_incident(), budget=PLENTY)
    assert assessment.decision.analyst == "llm"
    assert assessment.tokens_count == 2 * TOKENS_COUNT
    (remark,) = assessment.remarks
    assert remark.startswith("the LLM's answer was sent back once: ")
    assert [turn["role"] for turn in given.stub.chats[1].messages] == ["system", "user", "assistant", "user"]


async def test_the_reason_for_sending_back_is_told() -> None:
    async with bench(UNFOUNDED, answer(said())) as given:
        await given.alone.assess(an_incident(), budget=PLENTY)
    assert "there is no evidence 'E99'" in given.stub.chats[1].messages[-1]["content"]


async def test_an_answer_that_does_not_hold_twice_is_given_up() -> None:
    async with bench(UNFOUNDED) as given:
        assessment = await given.backed.assess(an_incident(), budget=PLENTY)
    assert len(given.stub.chats) == 2
    assert assessment.decision.analyst == "rules"
    assert assessment.tokens_count == 2 * TOKENS_COUNT
    assert assessment.remarks == (
        "the LLM's decision does not hold: there is no evidence 'E99'; decided by rules",
    )


async def test_an_llm_that_obeys_a_hostile_log_is_not_obeyed() -> None:
    target = {"kind": "Pod", "namespace": "kube-system", "name": "coredns-1"}
    async with bench(answer(said(action=an_action(tool="delete_pod", target=target, arguments=[])))) as given:
        assessment = await given.backed.assess(an_incident(), budget=PLENTY)
    assert assessment.decision.analyst == "rules"
    assert "Pod/kube-system/coredns-1 is neither" in assessment.remarks[0]


@pytest.mark.parametrize("name", sorted(NAMED))
async def test_whatever_the_llm_does_rules_decide_and_people_are_told(name: str) -> None:
    async with bench(NAMED[name], timeout_s=0.2 if name in SILENT else 5.0) as given:
        assessment = await given.backed.assess(an_incident(), budget=PLENTY)
    alone = await RulesAnalyst().assess(an_incident(), budget=PLENTY)
    assert assessment.decision == alone.decision
    (remark,) = assessment.remarks
    assert remark.startswith("the LLM")
    assert remark.endswith("; decided by rules")
    assert len(given.stub.chats) == (2 if name in MISSHAPEN else 1)


async def test_trouble_during_the_repair_still_costs_the_first_round() -> None:
    async with bench(UNFOUNDED, NAMED["server_error"]) as given:
        with pytest.raises(LlmUnavailable) as caught:
            await given.alone.assess(an_incident(), budget=PLENTY)
    assert caught.value.tokens_count == TOKENS_COUNT


async def test_the_repair_has_only_what_the_first_round_left() -> None:
    async with bench(UNFOUNDED) as given:
        first = await asked_tokens(given, 30_000)
        with pytest.raises(LlmBudgetUsedUp, match="do not suffice") as caught:
            await given.alone.assess(an_incident(), budget=Budget(seconds=30.0, tokens_count=first + 100))
    assert caught.value.tokens_count == TOKENS_COUNT


@pytest.mark.parametrize(
    ("budget", "remark"),
    [
        (Budget(seconds=30.0, tokens_count=0), "the 0 LLM tokens left do not suffice"),
        (Budget(seconds=0.5, tokens_count=30_000), "no time was left to ask the LLM"),
    ],
)
async def test_with_the_budget_used_up_rules_decide(budget: Budget, remark: str) -> None:
    async with bench(answer(said())) as given:
        assessment = await given.backed.assess(an_incident(), budget=budget)
    assert assessment.decision.analyst == "rules"
    assert assessment.remarks[0].startswith(remark)
    assert given.stub.chats == []


async def asked_tokens(given: Bench, tokens_count: int) -> int:
    """How many tokens the question about the incident is estimated at."""
    with pytest.raises(LlmUnusable):
        await given.alone.assess(an_incident(), budget=Budget(seconds=30.0, tokens_count=tokens_count))
    return sum(-(-len(turn["content"]) // 4) for turn in given.stub.chats[0].messages)
