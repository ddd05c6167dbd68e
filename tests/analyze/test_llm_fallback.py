"""When the LLM is left alone, when it is tried again, and what that is called."""

import asyncio
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from analyze.fallback import FAILURES_COUNT, PAUSE_S, RESERVE_S, WithFallback
from domain.budget import Budget
from domain.decision import Assessment, Decision, DecisionKind
from domain.errors import BadInput, LoopError
from domain.incident import Incident
from tests.analyze.llm_case import an_incident
from tests.stubs.clock import StillClock
from utils.call_llm import LlmBudgetUsedUp, LlmUnavailable, LlmUnusable

BUDGET = Budget(seconds=30.0, tokens_count=1_000)


@dataclass
class Scripted:
    """Raises `error` while there is one, else decides; takes `took_s` of the clock."""

    name: str
    clock: StillClock
    error: LoopError | None = None
    took_s: float = 0.0
    gate: asyncio.Event | None = None
    budgets: list[Budget] = field(default_factory=list)

    async def assess(self, incident: Incident, *, budget: Budget) -> Assessment:
        self.budgets.append(budget)
        self.clock.move(self.took_s)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        decision = Decision(kind=DecisionKind.NEEDS_MANUAL_INTERVENTION, analyst=self.name)
        return Assessment(decision=decision, tokens_count=5, remarks=(f"{self.name} was here",))


@dataclass
class Pair:
    clock: StillClock
    llm: Scripted
    rules: Scripted
    both: WithFallback

    async def decided_by(self) -> str:
        assessment = await self.both.assess(an_incident(), budget=BUDGET)
        return assessment.decision.analyst


@pytest.fixture
def pair() -> Pair:
    clock = StillClock()
    llm, rules = Scripted("llm", clock), Scripted("rules", clock)
    return Pair(clock, llm, rules, WithFallback(llm, rules, clock))


def down() -> LlmUnavailable:
    return LlmUnavailable("the LLM is busy (HTTP 429)", tokens_count=7)


async def test_a_good_answer_is_passed_on_untouched(pair: Pair) -> None:
    assessment = await pair.both.assess(an_incident(), budget=BUDGET)
    assert (assessment.decision.analyst, assessment.remarks) == ("llm", ("llm was here",))
    assert pair.rules.budgets == []
    assert pair.both.name == "llm"


@pytest.mark.parametrize("kind", [LlmUnavailable, LlmUnusable, LlmBudgetUsedUp])
async def test_the_remark_and_the_cost_of_a_failure_are_kept(
    pair: Pair, kind: type[LlmUnavailable] | type[LlmUnusable] | type[LlmBudgetUsedUp]
) -> None:
    pair.llm.error = kind("it did not work.", tokens_count=7)
    assessment = await pair.both.assess(an_incident(), budget=BUDGET)
    assert assessment.remarks == ("it did not work; decided by rules", "rules was here")
    assert assessment.tokens_count == 12


async def test_an_error_of_ours_is_not_hidden(pair: Pair) -> None:
    pair.llm.error = BadInput("decide.md is malformed")
    with pytest.raises(BadInput):
        await pair.both.assess(an_incident(), budget=BUDGET)


async def test_rules_get_the_time_that_is_left_and_always_some(pair: Pair) -> None:
    pair.llm.error = down()
    pair.llm.took_s = 12.0
    await pair.both.assess(an_incident(), budget=BUDGET)
    pair.llm.took_s = 40.0
    await pair.both.assess(an_incident(), budget=BUDGET)
    assert pair.llm.budgets[0].seconds == BUDGET.seconds - RESERVE_S
    assert [budget.seconds for budget in pair.rules.budgets] == [18.0, RESERVE_S]


async def test_after_three_failures_in_a_row_the_llm_is_left_alone_for_a_minute(pair: Pair) -> None:
    pair.llm.error = down()
    for _ in range(FAILURES_COUNT):
        await pair.decided_by()
    pair.clock.move(PAUSE_S - 0.1)
    assessment = await pair.both.assess(an_incident(), budget=BUDGET)
    assert len(pair.llm.budgets) == FAILURES_COUNT
    assert (
        assessment.remarks[0] == "the LLM failed 3 times in a row and is left alone for now; decided by rules"
    )


async def test_one_success_starts_the_count_anew(pair: Pair) -> None:
    for error in (down(), down(), None, down(), down(), None):
        pair.llm.error = error
        await pair.decided_by()
    assert len(pair.llm.budgets) == 6


async def test_after_the_minute_it_is_tried_and_a_failure_leaves_it_alone_again(pair: Pair) -> None:
    pair.llm.error = down()
    for _ in range(FAILURES_COUNT):
        await pair.decided_by()
    pair.clock.move(PAUSE_S)
    assert [await pair.decided_by() for _ in range(2)] == ["rules", "rules"]
    assert len(pair.llm.budgets) == FAILURES_COUNT + 1


async def test_after_the_minute_one_success_brings_it_back(pair: Pair) -> None:
    pair.llm.error = down()
    with capture_logs() as logs:
        for _ in range(FAILURES_COUNT):
            await pair.decided_by()
        pair.clock.move(PAUSE_S)
        pair.llm.error = None
        assert [await pair.decided_by() for _ in range(3)] == ["llm"] * 3
    assert [line["event"] for line in logs] == ["llm_left_alone", "llm_back"]


async def test_after_the_minute_only_one_incident_tries(pair: Pair) -> None:
    pair.llm.error = down()
    for _ in range(FAILURES_COUNT):
        await pair.decided_by()
    pair.clock.move(PAUSE_S)
    pair.llm.error, pair.llm.gate = None, asyncio.Event()
    async with asyncio.TaskGroup() as group:
        trying = group.create_task(pair.decided_by())
        await asyncio.sleep(0)
        assert await pair.decided_by() == "rules"
        pair.llm.gate.set()
    assert trying.result() == "llm"


async def test_a_used_up_budget_is_no_fault_of_the_llm(pair: Pair) -> None:
    pair.llm.error = LlmBudgetUsedUp("no time was left to ask the LLM")
    for _ in range(FAILURES_COUNT + 1):
        await pair.decided_by()
    assert len(pair.llm.budgets) == FAILURES_COUNT + 1
