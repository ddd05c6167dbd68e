"""What the journal stores as JSON, there and back.

Times keep their microseconds; free-form details come back as JSON knows them (a tuple as a list).
"""

from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from domain.alert import Alert
from domain.attempt import Approval, Outcome
from domain.decision import Action
from domain.errors import Permanent
from domain.incident import Entry, Incident

T = TypeVar("T")


class Codec(Generic[T]):
    """JSON for one of the house's words; errors say which word and what did not fit."""

    def __init__(self, kind: type[T], *, leave_out: frozenset[str] = frozenset()) -> None:
        self._adapter = TypeAdapter(kind)
        self._name = kind.__name__.lower()
        self._leave_out = set(leave_out)

    def encode(self, value: T) -> str:
        """Raises Permanent for a value that JSON cannot hold."""
        try:
            return self._adapter.dump_json(value, exclude=self._leave_out).decode()
        except PydanticSerializationError as error:
            raise Permanent(f"this {self._name} cannot be journalled: {error}") from error

    def decode(self, text: str) -> T:
        """Raises Permanent for a text that no longer fits, such as one written by another release."""
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            raise Permanent(f"a journalled {self._name} cannot be read back: {error}") from error


INCIDENT = Codec(Incident, leave_out=frozenset({"timeline"}))  # entries have a table of their own
ENTRY = Codec(Entry)
ALERT = Codec(Alert)
ACTION = Codec(Action)
OUTCOME = Codec(Outcome)
APPROVAL = Codec(Approval)


def to_text(at: datetime) -> str:
    """ISO 8601 in UTC with microseconds: sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def to_time(text: str) -> datetime:
    """The way back from `to_text`."""
    return datetime.fromisoformat(text)
