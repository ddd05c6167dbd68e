"""A paragraph for the report, written by an LLM. Optional: a report is complete without it."""

import re

import structlog
from pydantic import BaseModel

from analyze.llm_prompt import evidence_lines, template
from domain.budget import Budget
from domain.incident import Incident
from utils.call_llm import LLM_ERRORS, Llm, Message

EVIDENCE_LENGTH = 8_000  # characters; the timeline says most of it already
MAX_PARAGRAPH_LENGTH = 1_500
PROSE_BUDGET = Budget(seconds=20.0, tokens_count=12_000)

log = structlog.get_logger()


class SaidSummary(BaseModel):
    """The account of one incident."""

    paragraph: str


class LlmProse:
    """Asks `llm` for the report's paragraph."""

    def __init__(self, llm: Llm, *, budget: Budget = PROSE_BUDGET) -> None:
        self._llm = llm
        self._budget = budget

    async def summarise(self, incident: Incident) -> str | None:
        """What happened, in one paragraph; None when the LLM fails or cites evidence that is not there."""
        prompt = template("summary")
        lines, _ = evidence_lines(incident, length=EVIDENCE_LENGTH)
        question = prompt.render(incident=incident, evidence=lines)
        messages = [Message(role="system", text=prompt.system), Message(role="user", text=question)]
        try:
            answer = await self._llm.ask(messages, answer=SaidSummary, budget=self._budget)
        except LLM_ERRORS as error:
            log.info("summary_left_out", reason=str(error))
            return None
        return _sound(answer.value.paragraph, incident)


def _sound(said: str, incident: Incident) -> str | None:
    """`said` as one paragraph, if it is one and its citations exist."""
    paragraph = " ".join(said.split())
    ids = {item.id for item in incident.evidence}
    invented = sorted(set(re.findall(r"\bE\d+\b", paragraph)) - ids)
    if invented or not 0 < len(paragraph) <= MAX_PARAGRAPH_LENGTH:
        reason = f"it cites {', '.join(invented)}" if invented else f"it has {len(paragraph)} characters"
        log.info("summary_left_out", reason=reason)
        return None
    return paragraph
