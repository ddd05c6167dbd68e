"""What is thought about an incident: hypotheses and the decision that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.alert import Target
from domain.tools import ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A possible cause. `cause` is an id of the fault catalogue; evidence is cited by id."""

    cause: str
    title: str
    target: Target
    confidence: float  # 0..1
    reasons: tuple[str, ...] = ()
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()


class DecisionKind(StrEnum):
    """The three ways on from Analyze."""

    EXECUTE_TOOL = "execute_tool"
    RESOLVED = "resolved"
    NEEDS_MANUAL_INTERVENTION = "needs_manual_intervention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One typed change to one target.

    `tool` is a changing tool's name, `arguments` what it takes besides the target. `expects` says
    what should be seen afterwards. `key` is the idempotency key under which it happens at most once.
    """

    key: str
    tool: str
    target: Target
    arguments: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    expects: str = ""

    def repeats(self, earlier: "Action") -> bool:
        """Whether it would make the very same change; key, reason and expectation aside."""
        return (self.tool, self.target, dict(self.arguments)) == (
            earlier.tool,
            earlier.target,
            dict(earlier.arguments),
        )

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.tool} {self.target}" + (f" ({said})" if said else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do next and why. `looks` are reading calls, `action` the one change, never both."""

    kind: DecisionKind
    analyst: str
    cause: str = ""
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()
    looks: tuple[ToolCall, ...] = ()
    action: Action | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """An analyst's whole answer for one round: best hypothesis first, the decision, what it cost.

    `remarks` tell people what went wrong on the way, such as an LLM answer that could not be used.
    """

    decision: Decision
    hypotheses: tuple[Hypothesis, ...] = ()
    tokens_count: int = 0
    remarks: tuple[str, ...] = ()
