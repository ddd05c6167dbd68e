"""Answers of the Prometheus API as it sends them: the only place that knows its field names."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Labels = dict[str, str]
Pair = tuple[float, str]  # unix seconds, and the value as text, which may be NaN or +Inf


def _nothing_for_none(value: object) -> object:
    """Go writes an empty list as null."""
    return [] if value is None else value


class Wire(BaseModel):
    """A part of an answer; what other servers add is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class VectorSample(Wire):
    metric: Labels
    value: Pair | None = None  # native histograms have none
    histogram: object = None


class MatrixSeries(Wire):
    metric: Labels
    values: Annotated[list[Pair], BeforeValidator(_nothing_for_none)] = []


class VectorAnswer(Wire):
    kind: Literal["vector"] = Field(alias="resultType")
    result: Annotated[list[VectorSample], BeforeValidator(_nothing_for_none)] = []


class MatrixAnswer(Wire):
    kind: Literal["matrix"] = Field(alias="resultType")
    result: Annotated[list[MatrixSeries], BeforeValidator(_nothing_for_none)] = []


class ScalarAnswer(Wire):
    kind: Literal["scalar", "string"] = Field(alias="resultType")
    result: Pair


QueryAnswer = Annotated[VectorAnswer | MatrixAnswer | ScalarAnswer, Field(discriminator="kind")]


class Metadata(Wire):
    type: str = ""
    help: str = ""
    unit: str = ""


class Target(Wire):
    labels: Labels = {}
    pool: str = Field(default="", alias="scrapePool")
    url: str = Field(default="", alias="scrapeUrl")
    error: str = Field(default="", alias="lastError")
    scraped_at: datetime | None = Field(default=None, alias="lastScrape")
    health: str = "unknown"


class WireAlert(Wire):
    labels: Labels = {}
    annotations: Labels = {}
    state: str = ""
    active_at: datetime | None = Field(default=None, alias="activeAt")
    value: str = ""


class Rule(Wire):
    name: str
    query: str
    type: str = ""
    state: str = ""
    health: str = ""
    error: str = Field(default="", alias="lastError")
    hold_s: float = Field(default=0.0, alias="duration")
    labels: Labels = {}
    annotations: Labels = {}


class RuleGroup(Wire):
    name: str
    file: str = ""
    rules: Annotated[list[Rule], BeforeValidator(_nothing_for_none)] = []
