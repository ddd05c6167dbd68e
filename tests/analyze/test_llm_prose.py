"""The report's paragraph: there when it is sound, absent otherwise, never in the way."""

import pytest

from analyze.prose import MAX_PARAGRAPH_LENGTH, LlmProse
from domain.attempt import Effect
from domain.incident import Station
from tests.analyze.llm_case import an_incident, with_attempt
from tests.stubs.clock import START, StillClock
from tests.stubs.openai_stub import MODEL, NAMED, OpenAiStub, Reply, answer
from utils.call_llm import Llm, LlmSettings


async def summary(reply: Reply, *, timeout_s: float = 5.0) -> tuple[str | None, str]:
    """The paragraph and the prompt that was sent for it."""
    incident = with_attempt(an_incident(), Effect.HELPED)
    incident.note(at=START, station=Station.EXECUTE, event="applied", text="rolled back, token=abc123")
    async with OpenAiStub(reply) as stub:
        settings = LlmSettings(model=MODEL, base_url=stub.url, timeout_s=timeout_s, attempts_count=1)
        async with Llm(settings, clock=StillClock()) as llm:
            return await LlmProse(llm).summarise(incident), stub.chats[0].prompt


async def test_a_sound_paragraph_is_used_on_one_line() -> None:
    paragraph, prompt = await summary(
        answer({"paragraph": "The image was missing [E1].\nA rollback helped."})
    )
    assert paragraph == "The image was missing [E1]. A rollback helped."
    assert "12:00:00 rolled back, token=[redacted]" in prompt
    assert "[E2] 12:00:00" in prompt


@pytest.mark.parametrize(
    "paragraph", ["As [E1] and [E77] show.", "", " \n", "x" * (MAX_PARAGRAPH_LENGTH + 1)]
)
async def test_an_unsound_paragraph_is_left_out(paragraph: str) -> None:
    assert (await summary(answer({"paragraph": paragraph})))[0] is None


@pytest.mark.parametrize("name", ["html", "wrong_schema", "unauthorized", "server_error", "slow", "cut_off"])
async def test_a_failing_llm_only_costs_the_paragraph(name: str) -> None:
    timeout_s = 0.2 if name == "slow" else 5.0
    assert (await summary(NAMED[name], timeout_s=timeout_s))[0] is None
