"""The analyst that asks an LLM. It believes nothing unchecked: an answer whose claims do not hold is
sent back once with the reasons, and then given up.
"""

from collections.abc import Collection

from analyze.llm_checks import Founded, Known, Unfounded, founded
from analyze.llm_prompt import MAX_EVIDENCE_LENGTH, MIN_EVIDENCE_LENGTH, objection, question
from analyze.llm_schema import SaidDecision
from domain.budget import Budget
from domain.clock import Clock
from domain.decision import Assessment
from domain.incident import Incident
from domain.tools import Toolbox, ToolSpec
from utils.call_llm import LLM_ERRORS, Llm, LlmUnusable, Message

ROUNDS_COUNT = 2  # the answer and one repair: a model that errs twice errs a third time
RESERVED_TOKENS_COUNT = 6_000  # of a budget, for everything but the evidence: rules, tools, the answer


class LlmAnalyst:
    """Decides by asking `llm`. Raises LlmUnusable, LlmUnavailable or LlmBudgetUsedUp from `assess`.

    `causes` are the ids that it may name (empty: any); `actions` are the changing tools that it may
    choose from (None: every one there is).
    """

    def __init__(
        self,
        llm: Llm,
        toolbox: Toolbox,
        clock: Clock,
        *,
        causes: Collection[str] = (),
        actions: Collection[str] | None = None,
        name: str = "llm",
    ) -> None:
        self.name = name
        self._llm = llm
        self._toolbox = toolbox
        self._clock = clock
        self._causes = frozenset(causes)
        self._actions = None if actions is None else frozenset(actions)

    async def assess(self, incident: Incident, *, budget: Budget) -> Assessment:
        """Ask for the next step and check every claim of the answer; one repair at most."""
        tools = [spec for spec in self._toolbox.specs() if self._offers(spec)]
        known = Known(incident=incident, tools={spec.name: spec for spec in tools}, causes=self._causes)
        length = _evidence_length(budget)
        messages = question(incident, tools, causes=self._causes, evidence_length=length)
        talk = _Talk(self._llm, self._clock, budget, messages)
        for _ in range(ROUNDS_COUNT):
            try:
                found = founded(await talk.ask(), known, analyst=self.name)
            except Unfounded as error:
                talk.object(error)
            else:
                return talk.assessment(found)
        raise talk.given_up()

    def _offers(self, spec: ToolSpec) -> bool:
        return spec.read_only or self._actions is None or spec.name in self._actions


class _Talk:
    """One conversation: the turns so far, what they cost, and what was wrong with them."""

    def __init__(self, llm: Llm, clock: Clock, budget: Budget, messages: list[Message]) -> None:
        self._llm = llm
        self._clock = clock
        self._budget = budget
        self._deadline_s = clock.monotonic_s() + budget.seconds
        self._messages = messages
        self._tokens_count = 0
        self._estimated = False
        self._objections: list[Unfounded] = []

    async def ask(self) -> SaidDecision:
        """The next answer. Raises Unfounded where the model spoke, but not in the asked-for shape."""
        try:
            answer = await self._llm.ask(self._messages, answer=SaidDecision, budget=self._left())
        except LLM_ERRORS as error:
            self._tokens_count += error.tokens_count
            error.tokens_count = self._tokens_count  # the caller pays for all rounds
            if isinstance(error, LlmUnusable) and error.said:
                self._hear(error.said)
                raise Unfounded([str(error)]) from error
            raise
        self._tokens_count += answer.tokens_count
        self._estimated = self._estimated or answer.tokens_estimated
        self._hear(answer.said)
        return answer.value

    def object(self, error: Unfounded) -> None:
        """Send the last answer back with what is wrong with it."""
        self._objections.append(error)
        self._messages.append(objection(error.problems))

    def assessment(self, found: Founded) -> Assessment:
        """The answer that held, with remarks on how it came about."""
        remarks = [f"the LLM's answer was sent back once: {error}" for error in self._objections]
        if self._estimated:
            remarks.append(
                f"the LLM's server does not count tokens; {self._tokens_count} is an estimate "
                "at four characters a token"
            )
        return Assessment(
            decision=found.decision,
            hypotheses=found.hypotheses,
            tokens_count=self._tokens_count,
            remarks=tuple(remarks),
        )

    def given_up(self) -> LlmUnusable:
        """The error after the last round."""
        last = self._objections[-1]
        return LlmUnusable(f"the LLM's decision does not hold: {last}", tokens_count=self._tokens_count)

    def _hear(self, said: str) -> None:
        self._messages.append(Message(role="assistant", text=said))

    def _left(self) -> Budget:
        return Budget(
            seconds=self._deadline_s - self._clock.monotonic_s(),
            tokens_count=self._budget.tokens_count - self._tokens_count,
        )


def _evidence_length(budget: Budget) -> int:
    """Characters of evidence that the budget allows, within reason; four characters are about a token."""
    affordable = 4 * (budget.tokens_count - RESERVED_TOKENS_COUNT)
    return max(MIN_EVIDENCE_LENGTH, min(MAX_EVIDENCE_LENGTH, affordable))
