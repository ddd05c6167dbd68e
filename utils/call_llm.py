"""Asks an OpenAI-compatible server (OpenAI, Ollama, vLLM, llama.cpp) for an answer of one given shape.

Whatever goes wrong becomes one of three errors with a sentence for the report. It does not judge
what the answer says; that is the asker's part. Everything sent is redacted here, at the door.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from domain.budget import Budget
from domain.clock import Clock
from utils.llm_answers import (
    LLM_ERRORS,
    AnswerT,
    Asked,
    LlmBudgetUsedUp,
    LlmUnavailable,
    LlmUnusable,
    estimate_tokens_count,
    ours,
    read_answer,
    read_completion,
)
from utils.redact import redact

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionMessageParam
    from openai.types.shared_params import ResponseFormatJSONSchema

DEFAULT_BASE_URL = "https://api.openai.com/v1"
OPENAI_HOSTS = ("api.openai.com", ".openai.azure.com")
FIRST_WAIT_S = 0.5  # doubles with each attempt; a server's own retry-after goes first
MIN_ANSWER_TOKENS_COUNT = 64  # less cannot hold a decision, so it is not worth asking

__all__ = [
    "LLM_ERRORS",
    "Llm",
    "LlmAnswer",
    "LlmBudgetUsedUp",
    "LlmSettings",
    "LlmUnavailable",
    "LlmUnusable",
    "Message",
    "estimate_tokens_count",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSettings:
    """Which LLM to ask and how. Local servers need no key."""

    model: str
    base_url: str = DEFAULT_BASE_URL
    api_key: str = field(default="", repr=False)
    timeout_s: float = 60.0  # for one attempt
    attempts_count: int = 3
    max_answer_tokens_count: int = 4000  # thinking models spend most of it before they speak
    limit_field: Literal["", "max_tokens", "max_completion_tokens"] = ""  # empty: by the host

    @property
    def asked(self) -> Asked:
        """Who is asked, without what may stand before an @ in the URL."""
        host = urlsplit(self.base_url or DEFAULT_BASE_URL).netloc.rpartition("@")[2]
        return Asked(host=host, model=self.model, timeout_s=self.timeout_s)

    @property
    def takes_completion_tokens(self) -> bool:
        """Whether the limit goes by its newer name: OpenAI's thinking models refuse the older one,
        while other servers ignore or refuse the newer.
        """
        if self.limit_field:
            return self.limit_field == "max_completion_tokens"
        return self.asked.host.endswith(OPENAI_HOSTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmAnswer(Generic[AnswerT]):
    """What the LLM answered, and what it cost; `tokens_estimated` where the server did not count."""

    value: AnswerT
    said: str
    tokens_count: int
    tokens_estimated: bool
    took_s: float


class Llm:
    """One OpenAI-compatible server; an async context manager that closes its connections.

    The client library is imported at the first question, in a thread: it takes half a second.
    """

    def __init__(self, settings: LlmSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; the next question opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def ask(
        self, messages: Sequence[Message], *, answer: type[AnswerT], budget: Budget
    ) -> LlmAnswer[AnswerT]:
        """One answer of the shape `answer`, within `budget` over all attempts.

        Raises LlmUnavailable (no answer), LlmUnusable (no usable answer) or LlmBudgetUsedUp.
        """
        started_s = self._clock.monotonic_s()
        clean = [Message(role=message.role, text=redact(message.text)) for message in messages]
        prompt_tokens_count = sum(estimate_tokens_count(message.text) for message in clean)
        room_count = _room_for_answer(budget, prompt_tokens_count, self._settings.max_answer_tokens_count)
        deadline_s = started_s + budget.seconds
        body = ""
        async for attempt in self._attempts(deadline_s):
            with attempt:
                body = await self._post(clean, answer, room_count=room_count, deadline_s=deadline_s)
        said = read_completion(body, prompt_tokens_count)
        return LlmAnswer(
            value=read_answer(said, answer),
            said=said.text,
            tokens_count=said.tokens_count,
            tokens_estimated=said.tokens_estimated,
            took_s=self._clock.monotonic_s() - started_s,
        )

    def _attempts(self, deadline_s: float) -> AsyncRetrying:
        """Repeats LlmUnavailable only, and never starts a wait that would end after the deadline."""
        enough = stop_after_attempt(self._settings.attempts_count)

        def too_late(state: RetryCallState) -> bool:
            return self._clock.monotonic_s() + state.upcoming_sleep >= deadline_s

        return AsyncRetrying(
            retry=retry_if_exception_type(LlmUnavailable),
            wait=_wait_s,
            stop=lambda state: enough(state) or too_late(state),
            sleep=self._clock.sleep,
            reraise=True,
        )

    async def _post(
        self, messages: Sequence[Message], answer: type[BaseModel], *, room_count: int, deadline_s: float
    ) -> str:
        """The raw body of one successful response."""
        client = await self._open()
        from openai import OpenAIError, omit

        by_newer_name = self._settings.takes_completion_tokens
        limit_s = max(0.0, min(self._settings.timeout_s, deadline_s - self._clock.monotonic_s()))
        try:
            async with asyncio.timeout(limit_s):
                response = await client.chat.completions.with_raw_response.create(
                    model=self._settings.model,
                    messages=[_as_param(message) for message in messages],
                    response_format=_response_format(answer),
                    max_tokens=omit if by_newer_name else room_count,
                    max_completion_tokens=room_count if by_newer_name else omit,
                )
            return str(response.text)
        except TimeoutError as error:
            raise LlmUnavailable(f"the LLM did not answer within {limit_s:.3g} s") from error
        except OpenAIError as error:
            raise ours(error, self._settings.asked) from error

    async def _open(self) -> "AsyncOpenAI":
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(_new_client, self._settings)
            return self._client


def _room_for_answer(budget: Budget, prompt_tokens_count: int, most_count: int) -> int:
    """Tokens that the answer may take. Raises LlmBudgetUsedUp where asking makes no sense any more."""
    room_count = min(most_count, budget.tokens_count - prompt_tokens_count)
    if budget.seconds <= 0:
        raise LlmBudgetUsedUp("no time was left to ask the LLM")
    if room_count < MIN_ANSWER_TOKENS_COUNT:
        raise LlmBudgetUsedUp(
            f"the {budget.tokens_count} LLM tokens left do not suffice for a question of about "
            f"{prompt_tokens_count} tokens and its answer (see limits.tokens_count)"
        )
    return room_count


def _wait_s(state: RetryCallState) -> float:
    """The server's own wish, else 0.5 s, 1 s, 2 s …"""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, LlmUnavailable) and error.retry_after_s is not None:
        return error.retry_after_s
    return FIRST_WAIT_S * float(2 ** (state.attempt_number - 1))


# What is sent


def _new_client(settings: LlmSettings) -> "AsyncOpenAI":
    from openai import AsyncOpenAI

    return AsyncOpenAI(
        base_url=settings.base_url or DEFAULT_BASE_URL,
        api_key=settings.api_key or "none",  # the library refuses an empty one, local servers ignore it
        timeout=settings.timeout_s,
        max_retries=0,  # repeated in `Llm.ask` alone: two layers multiply
    )


def _as_param(message: Message) -> "ChatCompletionMessageParam":
    match message.role:
        case "system":
            return {"role": "system", "content": message.text}
        case "assistant":
            return {"role": "assistant", "content": message.text}
        case "user":
            return {"role": "user", "content": message.text}


def _response_format(answer: type[BaseModel]) -> "ResponseFormatJSONSchema":
    """`answer` as a strict JSON schema: every field required, none besides."""
    from openai import pydantic_function_tool

    function = pydantic_function_tool(answer)["function"]
    schema = {"name": function["name"], "schema": function["parameters"], "strict": True}
    return {"type": "json_schema", "json_schema": schema}  # type: ignore[typeddict-item]
