"""How tool servers and their client understand each other about failure, and how long an answer may be.

MCP knows one kind of tool error, a text. Our servers put a mark before it that says what the caller may do.
"""

import json
import re

from domain.errors import LoopError, ToolFailed, ToolTimeout, Transient

TRANSIENT_MARK = "[try again later]"
UNKNOWN_MARK = "[outcome unknown]"
NOISE = re.compile(
    r"^Error executing tool [\w.-]+: |^ *For further information visit .*\n?", re.MULTILINE
)  # of libraries
MAX_TEXT_LENGTH = 16_000  # about 4,000 tokens: what an LLM can take several of


def marked(error: LoopError) -> str:
    """The text of a tool error as our servers send it."""
    if isinstance(error, ToolTimeout):
        return f"{UNKNOWN_MARK} {error}"
    return f"{TRANSIENT_MARK} {error}" if isinstance(error, Transient) else str(error)


def failure(text: str) -> LoopError:
    """The error for a tool's error text, from our servers or others."""
    said = NOISE.sub("", text).strip()
    if said.startswith(UNKNOWN_MARK):
        return ToolTimeout(said.removeprefix(UNKNOWN_MARK).strip())
    if said.startswith(TRANSIENT_MARK):
        return Transient(said.removeprefix(TRANSIENT_MARK).strip())
    return ToolFailed(said or "the tool failed without saying why")


def says_failed(text: str) -> bool:
    """Whether a text is a JSON object with `"success": false`: some servers fail without the error flag."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("success") is False


def bounded(text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """Head and tail of a long text, with a note on what is left out between them."""
    if len(text) <= max_length:
        return text
    half = max_length // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"
