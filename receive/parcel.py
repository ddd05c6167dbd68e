"""What every alert source has in common: the shape of one alert, its bounds, and errors that name the place.

It does not know how a source wraps its alerts; that is for one module a source.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from domain.alert import Alert, AlertStatus
from domain.errors import BadInput

MAX_ALERTS_COUNT = 10_000  # a whole cluster on fire; what is beyond is counted, not kept
MAX_LABEL_LENGTH = 1_024
MAX_ANNOTATION_LENGTH = 8_192  # room for a runbook's paragraph
MAX_QUOTED_LENGTH = 60  # of a wrong value in an error text
SHORTENED = "… (shortened)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A body that was understood. `group_key` is the sender's own, empty when it has none."""

    alerts: tuple[Alert, ...]
    group_key: str = ""
    truncated_count: int = 0  # alerts that the sender, or the bound above, left out


def as_text(value: object) -> str | None:
    """A label's value as Prometheus would print it; None when it is not a scalar."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _number_text(value) if isinstance(value, float) else None


def _number_text(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    digits = format(Decimal(repr(value)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _texts(value: object) -> object:
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    return {key: _text_at(key, one) for key, one in value.items()}


def _text_at(key: str, value: object) -> str:
    text = as_text(value)
    if text is None:  # stops at the first, so that a hostile body cannot ask for a million errors
        raise PydanticCustomError("text_expected", "expected a text", {"key": key, "value": value})
    return text


def _moment(value: datetime | None) -> datetime | None:
    """UTC; None for the year 1, which is how Go writes "no time"."""
    if value is None or value.year <= 1:
        return None
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


Texts = Annotated[dict[str, str], BeforeValidator(_texts)]
Moment = Annotated[datetime | None, AfterValidator(_moment)]


class AlertBody(BaseModel):
    """One alert as Prometheus and Alertmanager write it."""

    model_config = ConfigDict(extra="ignore")

    labels: Texts
    annotations: Texts = Field(default_factory=dict)
    status: Literal["firing", "resolved"] | None = None
    started_at: Moment = Field(default=None, alias="startsAt")
    ended_at: Moment = Field(default=None, alias="endsAt")
    generator_url: str | None = Field(default=None, alias="generatorURL")
    fingerprint: str | None = None

    def to_alert(self, *, received_at: datetime) -> Alert:
        """Ours: without a status the end decides, without a start the time of arrival counts."""
        over = self.ended_at is not None and self.ended_at <= received_at
        resolved = self.status == "resolved" or (self.status is None and over)
        return Alert(
            fingerprint=self.fingerprint or fingerprint_of(self.labels),
            status=AlertStatus.RESOLVED if resolved else AlertStatus.FIRING,
            labels=_bounded(self.labels, MAX_LABEL_LENGTH),
            annotations=_bounded(self.annotations, MAX_ANNOTATION_LENGTH),
            started_at=self.started_at or received_at,
            ended_at=self.ended_at if resolved else None,
            generator_url=_shortened(self.generator_url or "", MAX_ANNOTATION_LENGTH),
        )


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """Our own stable hash over all labels, for senders that give none; 16 hexadecimal digits."""
    canonical = json.dumps(sorted(labels.items()), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def pack(
    bodies: Sequence[AlertBody], *, received_at: datetime, group_key: str = "", truncated_count: int = 0
) -> Parcel:
    """The alerts as a parcel. Raises BadInput when there are none."""
    if not bodies:
        raise BadInput("alerts: expected at least one alert, got an empty list", field="alerts")
    kept = bodies[:MAX_ALERTS_COUNT]
    return Parcel(
        alerts=tuple(body.to_alert(received_at=received_at) for body in kept),
        group_key=group_key,
        truncated_count=truncated_count + len(bodies) - len(kept),
    )


def bad_input(error: ValidationError, *, root: str = "") -> BadInput:
    """The first thing that is wrong as `alerts[2].startsAt: expected a timestamp, got "yesterday"`."""
    first = error.errors(include_url=False)[0]
    place = root + _path(first) if first["loc"] else ""
    field = place.removeprefix(".") or "body"
    return BadInput(f"{field}: {_complaint(first)}", field=field)


def _path(error: ErrorDetails) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]]
    return "".join(parts) + (f".{error['ctx']['key']}" if error["type"] == "text_expected" else "")


def _complaint(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == "missing":
        return "is missing"
    if kind == "json_invalid":
        return f"is not JSON ({error['ctx']['error']})"
    value = error["ctx"]["value"] if kind == "text_expected" else error["input"]
    return f"expected {_expected(kind)}, got {_quoted(value)}"


def _expected(kind: str) -> str:
    for beginning, words in _EXPECTED.items():
        if kind.startswith(beginning):
            return words
    return "another value"


_EXPECTED = {
    "datetime": "a timestamp",
    "value_error": "a timestamp",
    "literal_error": '"firing" or "resolved"',
    "list_type": "a list",
    "model": "an object",
    "dict_type": "an object",
    "text_expected": "a text",
    "string": "a text",
    "int": "a whole number",
    "greater_than": "a number that is not negative",
}


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_QUOTED_LENGTH else text[:MAX_QUOTED_LENGTH] + "…"


def _bounded(texts: Mapping[str, str], length: int) -> dict[str, str]:
    return {key: _shortened(text, length) for key, text in texts.items()}


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - len(SHORTENED)] + SHORTENED
