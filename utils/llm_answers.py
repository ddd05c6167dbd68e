"""Reads what an OpenAI-compatible server sent back, and names what can go wrong with it.

Pure reading, nothing is sent from here; `utils/call_llm.py` is the way to an LLM.
"""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import Permanent, Transient
from utils.redact import redact

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError, OpenAIError

CHARACTERS_PER_TOKEN = 4  # rule of thumb for English and JSON; exact tables would need a download
DETAIL_LENGTH = 200  # of a server's own words in an error text

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class LlmUnavailable(Transient):
    """The LLM did not answer; later it may. `retry_after_s` is the server's wish, None without one."""

    def __init__(self, text: str, *, tokens_count: int = 0, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.tokens_count = tokens_count
        self.retry_after_s = retry_after_s


class LlmUnusable(Permanent):
    """The answer cannot be used. `said` is what the model said where it may be asked to correct itself."""

    def __init__(self, text: str, *, tokens_count: int = 0, said: str = "") -> None:
        super().__init__(text)
        self.tokens_count = tokens_count
        self.said = said


class LlmBudgetUsedUp(Permanent):
    """No seconds or tokens were left to ask with; no fault of the LLM."""

    def __init__(self, text: str, *, tokens_count: int = 0) -> None:
        super().__init__(text)
        self.tokens_count = tokens_count


LLM_ERRORS = (LlmUnavailable, LlmUnusable, LlmBudgetUsedUp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who was asked, for the sentences about what went wrong."""

    host: str
    model: str
    timeout_s: float


def estimate_tokens_count(text: str) -> int:
    """About how many tokens `text` is, at four characters each; an estimate, never the bill."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class _Foreign(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Usage(_Foreign):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None


class _Turn(_Foreign):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Foreign):
    message: _Turn | None = None
    finish_reason: str | None = None


class _Completion(_Foreign):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The model's own words and what they cost; `tokens_estimated` where the server did not count."""

    text: str
    tokens_count: int
    tokens_estimated: bool


def read_completion(body: str, prompt_tokens_count: int) -> Said:
    """The model's words out of a response body. Raises LlmUnusable where there are none to use."""
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError as error:
        raise LlmUnusable(_describe_body(body, error)) from error
    choice = completion.choices[0] if completion.choices else None
    if choice is None or choice.message is None:
        raise LlmUnusable(f"the LLM answered without any choice: {_brief(body)}")
    turn = choice.message
    counted = _tokens_count(completion.usage)
    estimate = prompt_tokens_count + estimate_tokens_count(turn.content or "")
    said = Said(text=turn.content or "", tokens_count=counted or estimate, tokens_estimated=not counted)
    if trouble := _trouble(turn, choice.finish_reason):
        raise LlmUnusable(trouble, tokens_count=said.tokens_count)
    return said


def _describe_body(body: str, error: ValidationError) -> str:
    if not body.strip():
        return "the LLM answered with an empty body"
    if body.lstrip().startswith("<"):
        return "the LLM answered with HTML instead of JSON (does base_url end in /v1?)"
    if error.errors()[0]["type"] == "json_invalid":
        return f"the LLM answered with broken JSON: {_brief(body)}"
    return f"the LLM answered with something other than a chat completion: {_brief(body)}"


def _tokens_count(usage: _Usage | None) -> int:
    """As the server counted them; 0 when it did not."""
    if usage is None:
        return 0
    return max(0, usage.total_tokens or (usage.prompt_tokens or 0) + (usage.completion_tokens or 0))


def _trouble(turn: _Turn, finish_reason: str | None) -> str:
    """Why the model's turn cannot be used, or an empty string."""
    if turn.refusal:
        return f"the LLM refused to answer: {_brief(turn.refusal)}"
    if finish_reason == "length":
        return "the LLM's answer was cut off at its token limit; a model that thinks less may fit"
    if finish_reason == "content_filter":
        return "the LLM's answer was withheld by the provider's content filter"
    return "" if turn.content and turn.content.strip() else "the LLM answered with empty text"


def read_answer(said: Said, answer: type[AnswerT]) -> AnswerT:
    """The words as the asked-for shape. Raises LlmUnusable, with the words, where they do not fit."""
    try:
        return answer.model_validate_json(_bare_json(said.text))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        wrong = f"does not fit the schema at {place}: {first['msg']}" if place else "is not valid JSON"
        raise LlmUnusable(
            f"the LLM's answer {wrong}", tokens_count=said.tokens_count, said=said.text
        ) from error


def _bare_json(text: str) -> str:
    """Without the thoughts and the Markdown fence that local models put around their JSON."""
    text = text.rpartition("</think>")[2].strip()
    fenced = None if text.startswith("{") else re.search(r"```[\w-]*\s*(\{.*\})\s*```", text, re.DOTALL)
    return fenced[1] if fenced else text


def ours(error: "OpenAIError", asked: Asked) -> LlmUnavailable | LlmUnusable:
    """The library's error in our words."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return LlmUnavailable(f"the LLM did not answer within {asked.timeout_s:.3g} s")
    if isinstance(error, openai.APIConnectionError):
        return LlmUnavailable(f"the LLM at {asked.host} {_connection_trouble(error)}")
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, asked)
    return LlmUnusable(f"the LLM could not be asked: {_brief(str(error))}")


def _connection_trouble(error: "APIConnectionError") -> str:
    import httpx2

    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "cannot be found: its name does not resolve (check base_url)"
        if isinstance(cause, ConnectionRefusedError):
            return "refused the connection (is it running?)"
        if isinstance(cause, ssl.SSLError):
            return f"offers no trusted TLS connection: {_brief(str(cause))}"
        if isinstance(cause, (httpx2.RemoteProtocolError, httpx2.ReadError)):
            return "closed the connection before its answer was complete"
    return f"cannot be reached: {_brief(str(error.__cause__ or error))}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _from_status(error: "APIStatusError", asked: Asked) -> LlmUnavailable | LlmUnusable:
    status, detail = error.status_code, _detail(error)
    if status in (401, 403):
        return LlmUnusable(f"the LLM rejected the API key (HTTP {status}): {detail}")
    if status == 404:
        return LlmUnusable(f"the LLM does not know {asked.model!r} or this address (HTTP 404): {detail}")
    if status == 429 and "insufficient_quota" in (error.code, error.type):
        return LlmUnusable(f"the LLM account's quota is used up (HTTP 429): {detail}")
    if status == 429:
        return LlmUnavailable("the LLM is busy (HTTP 429)", retry_after_s=_retry_after_s(error))
    if status == 408 or status >= 500:
        return LlmUnavailable(
            f"the LLM is in trouble (HTTP {status}): {detail}", retry_after_s=_retry_after_s(error)
        )
    return LlmUnusable(f"the LLM rejected the request (HTTP {status}): {detail}")


def _detail(error: "APIStatusError") -> str:
    """The server's own sentence, without the wrapping."""
    said = error.body.get("message") if isinstance(error.body, Mapping) else error.response.text
    text = str(said or error.message)
    return "an HTML page" if text.lstrip().startswith("<") else _brief(text)


def _retry_after_s(error: "APIStatusError") -> float | None:
    """The Retry-After header where it is in seconds."""
    said = error.response.headers.get("retry-after", "")
    return float(said) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", said) else None


def _brief(text: str) -> str:
    """A foreign text on one line, short and without credentials."""
    line = " ".join(redact(text).split())
    return line if len(line) <= DETAIL_LENGTH else line[: DETAIL_LENGTH - 1] + "…"
