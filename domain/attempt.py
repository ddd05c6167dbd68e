"""What is done about an incident: verdict, approval, outcome, verification."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.decision import Action
from domain.tools import ToolCall


class Answer(StrEnum):
    """Policy's three answers."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Policy's answer with the rule that said so and the reason in a sentence."""

    answer: Answer
    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's yes or no to one action of one incident."""

    incident_id: str
    action_key: str
    approver: str
    granted: bool
    decided_at: datetime
    reason: str = ""


class OutcomeKind(StrEnum):
    """What applying an action returned."""

    DONE = "done"
    UNCHANGED = "unchanged"  # the target already was as asked
    FAILED = "failed"  # certainly not applied
    UNKNOWN = "unknown"  # may or may not have been applied: look before anything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of applying, with the values before and after and the call that undoes it."""

    kind: OutcomeKind
    text: str
    at: datetime
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    undo: ToolCall | None = None
    warnings: tuple[str, ...] = ()


class Effect(StrEnum):
    """What looking afterwards showed."""

    HELPED = "helped"
    NO_EFFECT = "no_effect"
    WORSE = "worse"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The check after a change: the effect, what was seen, and how long it took."""

    effect: Effect
    text: str
    checks: tuple[str, ...]
    at: datetime
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One action on its way: judged, perhaps approved, applied, verified. Parts are None until known."""

    action: Action
    verdict: Verdict
    judged_at: datetime | None = None
    approval: Approval | None = None
    outcome: Outcome | None = None
    verification: Verification | None = None

    @property
    def applied(self) -> bool:
        """Whether the cluster was, or may have been, changed by it."""
        return self.outcome is not None and self.outcome.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the journal holds before a change is applied, and what came of it once known."""

    action: Action
    intended_at: datetime
    outcome: Outcome | None = None
