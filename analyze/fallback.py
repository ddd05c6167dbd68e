"""An LLM as long as it is any good, rules otherwise. People are told which of the two decided, and why."""

from dataclasses import replace

import structlog

from analyze.analyst import Analyst
from domain.budget import Budget
from domain.clock import Clock
from domain.decision import Assessment
from domain.incident import Incident
from utils.call_llm import LLM_ERRORS, LlmBudgetUsedUp

FAILURES_COUNT = 3  # in a row; one or two may be bad luck
PAUSE_S = 60.0  # about as long as a provider's hiccup or a model's loading takes
RESERVE_S = 1.0  # kept back from the first analyst, so that the second can still answer

log = structlog.get_logger()


class WithFallback:
    """Asks `first`; when it gives no usable answer, asks `second` and says so in a remark.

    After three failures in a row `first` is left alone for a minute, then tried by one incident.
    """

    def __init__(self, first: Analyst, second: Analyst, clock: Clock) -> None:
        self._first = first
        self._second = second
        self._clock = clock
        self._failures_count = 0
        self._closed_until_s = 0.0

    @property
    def name(self) -> str:
        """The analyst that is asked first."""
        return self._first.name

    async def assess(self, incident: Incident, *, budget: Budget) -> Assessment:
        """The first usable answer within the budget. Raises only what `second` raises."""
        deadline_s = self._clock.monotonic_s() + budget.seconds
        if not self._may_try():
            failed = f"the LLM failed {self._failures_count} times in a row and is left alone for now"
            return await self._by_second(incident, deadline_s, failed, tokens_count=0)
        try:
            assessment = await self._first.assess(
                incident, budget=replace(budget, seconds=budget.seconds - RESERVE_S)
            )
        except LLM_ERRORS as error:
            self._count(error)
            return await self._by_second(incident, deadline_s, str(error), tokens_count=error.tokens_count)
        self._succeeded()
        return assessment

    async def _by_second(
        self, incident: Incident, deadline_s: float, why: str, *, tokens_count: int
    ) -> Assessment:
        """The second analyst's answer, with the first one's cost added."""
        seconds = max(RESERVE_S, deadline_s - self._clock.monotonic_s())
        assessment = await self._second.assess(incident, budget=Budget(seconds=seconds))
        return replace(
            assessment,
            tokens_count=assessment.tokens_count + tokens_count,
            remarks=(f"{why.rstrip('.')}; decided by {self._second.name}", *assessment.remarks),
        )

    def _may_try(self) -> bool:
        if self._failures_count < FAILURES_COUNT:
            return True
        now_s = self._clock.monotonic_s()
        if now_s < self._closed_until_s:
            return False
        self._closed_until_s = now_s + PAUSE_S  # the others wait until this one try has shown something
        return True

    def _count(self, error: Exception) -> None:
        """A failure of the LLM; a budget that is used up is none."""
        if isinstance(error, LlmBudgetUsedUp):
            return
        self._failures_count += 1
        if self._failures_count >= FAILURES_COUNT:
            self._closed_until_s = self._clock.monotonic_s() + PAUSE_S
        if self._failures_count == FAILURES_COUNT:
            log.warning("llm_left_alone", failures=self._failures_count, pause_s=PAUSE_S, error=str(error))

    def _succeeded(self) -> None:
        if self._failures_count >= FAILURES_COUNT:
            log.info("llm_back", failures=self._failures_count)
        self._failures_count = 0
