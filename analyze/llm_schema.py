"""The one shape in which an LLM states its decision. It says what was claimed, not whether it holds.

No field has a default and none is a free mapping: strict JSON schemas allow neither. The order is
deliberate: a model that has written down evidence and cause first decides better than one that has not.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from domain.decision import DecisionKind


class SaidArgument(BaseModel):
    """One argument; numbers, booleans and lists are written as JSON in `value`."""

    name: str
    value: str


class SaidLook(BaseModel):
    """One call of a reading tool."""

    tool: str
    arguments: list[SaidArgument]


class SaidTarget(BaseModel):
    """The object to change; namespace is empty for objects without one, such as nodes."""

    kind: str
    namespace: str
    name: str


class SaidAction(BaseModel):
    """One call of a changing tool on one target."""

    tool: str
    target: SaidTarget
    arguments: list[SaidArgument]
    expects: Annotated[str, Field(description="what should be seen afterwards if it helps")]


class SaidAlternative(BaseModel):
    """Another possible cause, less likely than the first."""

    cause: str
    title: str
    confidence: float


class SaidDecision(BaseModel):
    """The likeliest cause of the incident and the next step."""

    evidence_for: Annotated[list[str], Field(description="ids of evidence that supports the cause")]
    evidence_against: Annotated[list[str], Field(description="ids of evidence that speaks against it")]
    cause: Annotated[str, Field(description="short id of the cause, or unknown")]
    title: Annotated[str, Field(description="the cause in one sentence")]
    confidence: Annotated[float, Field(description="0 to 1")]
    alternatives: list[SaidAlternative]
    reasons: Annotated[list[str], Field(description="why this step, one sentence each")]
    kind: DecisionKind
    looks: Annotated[list[SaidLook], Field(description="reading calls, only with execute_tool and no action")]
    action: Annotated[SaidAction | None, Field(description="the change, only with execute_tool and no looks")]
