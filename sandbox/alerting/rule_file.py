"""Rules as Prometheus writes them in YAML, read and checked; nothing is evaluated here."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import BadInput

SHIPPED = Path(__file__).with_name("rules.yaml")
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
PART = re.compile(r"(\d+)(ms|[smhdwy])")


class Strict(BaseModel):
    """A part of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleEntry(Strict):
    """One entry: an alert or a record."""

    alert: str = ""
    record: str = ""
    expr: str
    hold: str = Field(default="0s", alias="for")
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> "RuleEntry":
        if bool(self.alert) == bool(self.record):
            raise ValueError("give either alert or record")
        duration_s(self.hold)
        return self


class GroupEntry(Strict):
    """Rules that are evaluated one after the other."""

    name: str
    rules: list[RuleEntry]


class RuleFile(Strict):
    """The whole file."""

    groups: list[GroupEntry]


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting rule; a recording rule when `record` is true. `hold_s` is its `for` in seconds."""

    group: str
    name: str
    expr: str
    hold_s: float
    labels: dict[str, str]
    annotations: dict[str, str]
    record: bool = False


def load_rules(path: Path = SHIPPED, *, hold_factor: float = 1.0) -> tuple[Rule, ...]:
    """All rules of a file; every `for` is multiplied by the factor. Raises BadInput naming file and place."""
    try:
        file = RuleFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; name a file of rules", field="rules") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML: {error}", field="rules") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {place}: {first['msg']}", field=place) from error
    return tuple(_rule(group.name, entry, hold_factor) for group in file.groups for entry in group.rules)


def duration_s(text: str) -> float:
    """Seconds of `5m` or `1h30m`. Raises ValueError."""
    if text != "0" and (not text or PART.sub("", text)):
        raise ValueError(f"{text!r} is no duration such as 5m or 1h30m")
    return sum(int(count) * UNITS_S[unit] for count, unit in PART.findall(text))


def _rule(group: str, entry: RuleEntry, hold_factor: float) -> Rule:
    return Rule(
        group=group,
        name=entry.alert or entry.record,
        expr=entry.expr,
        hold_s=duration_s(entry.hold) * hold_factor,
        labels=entry.labels,
        annotations=entry.annotations,
        record=bool(entry.record),
    )
