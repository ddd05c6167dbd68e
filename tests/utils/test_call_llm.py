"""The way to an LLM, through the real client library against a server on loopback."""

import json
import socket

import pytest
from pydantic import BaseModel

from domain.budget import Budget
from tests.stubs.clock import StillClock
from tests.stubs.openai_stub import MODEL, NAMED, TOKENS_COUNT, OpenAiStub, answer, say
from utils.call_llm import (
    Llm,
    LlmAnswer,
    LlmBudgetUsedUp,
    LlmSettings,
    LlmUnavailable,
    LlmUnusable,
    Message,
    estimate_tokens_count,
)

PLENTY = Budget(seconds=30.0, tokens_count=10_000)


class Colour(BaseModel):
    """A colour."""

    name: str
    shades: list[str]


GOOD = {"name": "red", "shades": ["crimson"]}

UNUSABLE = {
    "html": "HTML instead of JSON",
    "html_as_json": "HTML instead of JSON",
    "broken_body": "broken JSON",
    "empty_body": "empty body",
    "list_body": "something other than a chat completion",
    "error_in_200": "without any choice.*provider fell over",
    "choices_empty": "without any choice",
    "choices_null": "without any choice",
    "message_null": "without any choice",
    "broken_answer": "not valid JSON",
    "chatter": "not valid JSON",
    "wrong_schema": "does not fit the schema at name",
    "length": "cut off at its token limit",
    "content_filter": "content filter",
    "refusal": "refused to answer: I cannot help",
    "empty_content": "empty text",
    "null_content": "empty text",
    "unauthorized": r"rejected the API key \(HTTP 401\)",
    "forbidden": r"rejected the API key \(HTTP 403\)",
    "unknown_model": r"does not know 'stub-1'.*\(HTTP 404\)",
    "bad_request": r"rejected the request \(HTTP 400\): response_format is not supported",
    "no_quota": r"quota is used up \(HTTP 429\)",
}
UNAVAILABLE = {
    "html_error": r"in trouble \(HTTP 502\): an HTML page",
    "busy": r"busy \(HTTP 429\)",
    "server_error": r"in trouble \(HTTP 500\): Internal error",
    "overloaded": r"in trouble \(HTTP 529\): Overloaded",
    "cut_off": "closed the connection before its answer was complete",
    "hang_up": "closed the connection before its answer was complete",
    "slow": "did not answer within 0.2 s",
    "trickle": "did not answer within 0.2 s",
}
SILENT = {"slow", "trickle"}  # only these are waited out


async def ask(
    url: str,
    *,
    budget: Budget = PLENTY,
    clock: StillClock | None = None,
    prompt: str = "Which colour?",
    api_key: str = "",
    timeout_s: float = 5.0,
) -> LlmAnswer[Colour]:
    settings = LlmSettings(model=MODEL, base_url=url, api_key=api_key, timeout_s=timeout_s)
    messages = [Message(role="system", text="Be brief."), Message(role="user", text=prompt)]
    async with Llm(settings, clock=clock or StillClock()) as llm:
        return await llm.ask(messages, answer=Colour, budget=budget)


async def test_a_good_answer_is_typed_and_its_tokens_counted() -> None:
    async with OpenAiStub(answer(GOOD)) as stub:
        said = await ask(stub.url)
    assert said.value == Colour(name="red", shades=["crimson"])
    assert (said.tokens_count, said.tokens_estimated) == (TOKENS_COUNT, False)


async def test_the_question_carries_model_key_schema_and_room_for_the_answer() -> None:
    async with OpenAiStub(answer(GOOD)) as stub:
        await ask(stub.url, budget=Budget(seconds=30.0, tokens_count=507), api_key="k-1")
    chat = stub.chats[0]
    assert (chat.model, chat.authorization) == (MODEL, "Bearer k-1")
    assert [turn["role"] for turn in chat.messages] == ["system", "user"]
    assert chat.schema["required"] == ["name", "shades"]
    assert chat.schema["additionalProperties"] is False
    assert chat.max_tokens == {"max_tokens": 500}  # 507 less the 7 that the prompt is estimated at


@pytest.mark.parametrize(
    ("settings", "newer"),
    [
        (LlmSettings(model="m"), True),
        (LlmSettings(model="m", base_url=""), True),
        (LlmSettings(model="m", base_url="https://shop.openai.azure.com/openai/v1"), True),
        (LlmSettings(model="m", base_url="http://127.0.0.1:11434/v1"), False),
        (LlmSettings(model="m", limit_field="max_tokens"), False),
    ],
)
def test_the_limit_goes_by_the_name_that_the_host_knows(settings: LlmSettings, newer: bool) -> None:
    assert settings.takes_completion_tokens is newer


async def test_the_newer_name_of_the_limit_may_be_asked_for() -> None:
    async with OpenAiStub(answer(GOOD)) as stub:
        settings = LlmSettings(model=MODEL, base_url=stub.url, limit_field="max_completion_tokens")
        async with Llm(settings, clock=StillClock()) as llm:
            await llm.ask([Message(role="user", text="?")], answer=Colour, budget=PLENTY)
    assert stub.chats[0].max_tokens == {"max_completion_tokens": 4000}


async def test_tokens_are_estimated_where_the_server_does_not_count() -> None:
    async with OpenAiStub(answer(GOOD, usage=False)) as stub:
        said = await ask(stub.url)
    assert said.tokens_estimated
    assert said.tokens_count == 7 + estimate_tokens_count(json.dumps(GOOD))


@pytest.mark.parametrize(
    "wrapped",
    ["```json\n{}\n```", "```\n{}\n```", "Here it is:\n```json\n{}\n```\nDone.", "<think>{{x}}</think>\n{}"],
)
async def test_fences_and_thoughts_around_the_json_are_taken_off(wrapped: str) -> None:
    good = {"name": "red", "shades": ["```dark```"]}
    async with OpenAiStub(say(wrapped.replace("{}", json.dumps(good)))) as stub:
        said = await ask(stub.url)
    assert said.value.shades == ["```dark```"]


@pytest.mark.parametrize(("name", "sentence"), UNUSABLE.items(), ids=UNUSABLE.keys())
async def test_an_unusable_answer_is_named_and_not_asked_for_again(name: str, sentence: str) -> None:
    async with OpenAiStub(NAMED[name]) as stub:
        with pytest.raises(LlmUnusable, match=sentence):
            await ask(stub.url)
    assert len(stub.chats) == 1


@pytest.mark.parametrize(("name", "sentence"), UNAVAILABLE.items(), ids=UNAVAILABLE.keys())
async def test_an_llm_that_stays_away_is_asked_three_times(name: str, sentence: str) -> None:
    async with OpenAiStub(NAMED[name]) as stub:
        with pytest.raises(LlmUnavailable, match=sentence):
            await ask(stub.url, timeout_s=0.2 if name in SILENT else 5.0)
    assert len(stub.chats) == 3


def test_every_named_reply_is_tried_here() -> None:
    assert set(NAMED) == set(UNUSABLE) | set(UNAVAILABLE)


async def test_a_passing_trouble_is_waited_out() -> None:
    clock = StillClock()
    async with OpenAiStub(NAMED["server_error"], NAMED["busy"], answer(GOOD)) as stub:
        said = await ask(stub.url, clock=clock)
    assert said.value.name == "red"
    assert clock.slept_s == [0.5, 2.0]  # our own wait, then the server's Retry-After
    assert said.took_s == 2.5


async def test_a_wait_that_would_outlast_the_budget_is_not_begun() -> None:
    clock = StillClock()
    async with OpenAiStub(NAMED["busy"], answer(GOOD)) as stub:
        with pytest.raises(LlmUnavailable, match="busy"):
            await ask(stub.url, clock=clock, budget=Budget(seconds=1.9, tokens_count=10_000))
    assert clock.slept_s == []


async def test_the_budget_cuts_an_attempt_short() -> None:
    async with OpenAiStub(NAMED["slow"]) as stub:
        with pytest.raises(LlmUnavailable, match=r"within 0\.1 s"):
            await ask(stub.url, budget=Budget(seconds=0.1, tokens_count=10_000), timeout_s=60.0)
    assert len(stub.chats) == 1


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        (Budget(seconds=0.0, tokens_count=10_000), "no time was left"),
        (Budget(seconds=30.0, tokens_count=0), "the 0 LLM tokens left do not suffice"),
        (Budget(seconds=30.0, tokens_count=70), "the 70 LLM tokens left do not suffice"),
    ],
)
async def test_without_budget_nothing_is_asked(budget: Budget, sentence: str) -> None:
    async with OpenAiStub(answer(GOOD)) as stub:
        with pytest.raises(LlmBudgetUsedUp, match=sentence):
            await ask(stub.url, budget=budget)
    assert stub.chats == []


async def test_a_refused_connection_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening, so nobody answers there
        port = taken.getsockname()[1]
        with pytest.raises(LlmUnavailable, match=rf"127\.0\.0\.1:{port} refused the connection"):
            await ask(f"http://user:pass@127.0.0.1:{port}/v1")


async def test_a_name_that_does_not_resolve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(LlmUnavailable, match=r"llm\.invalid cannot be found"):
        await ask("http://llm.invalid/v1")


async def test_the_cost_of_an_unusable_answer_is_known() -> None:
    async with OpenAiStub(NAMED["wrong_schema"]) as stub:
        with pytest.raises(LlmUnusable) as caught:
            await ask(stub.url)
    assert caught.value.tokens_count == TOKENS_COUNT
    assert json.loads(caught.value.said) == {"verdict": "restart it"}


async def test_credentials_neither_leave_nor_come_back() -> None:
    async with OpenAiStub(answer(GOOD), NAMED["unauthorized"]) as stub:
        await ask(stub.url, prompt="env: DB_PASSWORD=hunter2 MODE=fast")
        with pytest.raises(LlmUnusable) as caught:
            await ask(stub.url)
    assert "hunter2" not in stub.chats[0].prompt
    assert "MODE=fast" in stub.chats[0].prompt
    assert "1234567890abcdef" not in str(caught.value)
    assert "secret-key" not in repr(LlmSettings(model=MODEL, api_key="secret-key"))


async def test_an_llm_can_be_asked_again_after_it_was_closed() -> None:
    async with OpenAiStub(answer(GOOD)) as stub:
        llm = Llm(LlmSettings(model=MODEL, base_url=stub.url), clock=StillClock())
        for _ in range(2):
            said = await llm.ask([Message(role="user", text="?")], answer=Colour, budget=PLENTY)
            await llm.aclose()
            assert said.value.name == "red"


async def test_the_stub_refuses_a_schema_that_is_not_strict() -> None:
    class Loose(BaseModel):
        """Has an open part."""

        labels: dict[str, str]

    async with OpenAiStub(answer(GOOD)) as stub:
        llm = Llm(LlmSettings(model=MODEL, base_url=stub.url), clock=StillClock())
        with pytest.raises(LlmUnusable, match="Invalid schema"):
            await llm.ask([Message(role="user", text="?")], answer=Loose, budget=PLENTY)
        await llm.aclose()
