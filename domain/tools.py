"""Tools as the stations see them: what there is, a call, an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """One tool of one server; `input_schema` is JSON Schema as the server declares it."""

    name: str
    server: str
    description: str
    read_only: bool
    input_schema: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool's name with its arguments."""

    tool: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        said = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.tool}({said})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """What a tool said. `data` is its structured content, None where it only spoke text."""

    text: str
    server: str = ""
    data: Mapping[str, object] | None = None
    took_s: float = 0.0


class Toolbox(Protocol):
    """Every tool that may be called; `utils/mcp_client.py` is the real one."""

    def specs(self) -> Sequence[ToolSpec]:
        """The tools of all connected servers."""
        ...

    async def call(self, call: ToolCall, *, budget_s: float) -> ToolAnswer:
        """Call one tool.

        Raises ToolTimeout after `budget_s` seconds, ToolUnavailable when its server is missing or
        dying, ToolFailed when the tool answered with an error.
        """
        ...
