"""Collecting what is wrong with an object, in the API server's words."""

import json
from collections.abc import Iterable
from typing import Any

from sandbox.errors import Cause


class Causes:
    """A growing list of wrong fields; empty when the object is valid."""

    def __init__(self) -> None:
        self.found: list[Cause] = []

    def required(self, field: str, why: str = "") -> None:
        self._add(field, "Required value" + (f": {why}" if why else ""), "FieldValueRequired")

    def invalid(self, field: str, value: Any, why: str) -> None:
        """`value` is shown as JSON has it; give a `Shown` for values that Go prints otherwise."""
        self._add(field, f"Invalid value: {shown(value)}: {why}", "FieldValueInvalid")

    def unsupported(self, field: str, value: Any, supported: Iterable[str]) -> None:
        known = ", ".join(f'"{name}"' for name in supported)
        self._add(
            field, f"Unsupported value: {shown(value)}: supported values: {known}", "FieldValueNotSupported"
        )

    def duplicate(self, field: str, value: Any) -> None:
        self._add(field, f"Duplicate value: {shown(value)}", "FieldValueDuplicate")

    def forbidden(self, field: str, why: str) -> None:
        self._add(field, f"Forbidden: {why}", "FieldValueForbidden")

    def not_found(self, field: str, value: Any) -> None:
        self._add(field, f"Not found: {shown(value)}", "FieldValueNotFound")

    def one_of(self, field: str, value: Any, supported: tuple[str, ...]) -> None:
        """Adds a cause unless the value is one of the supported ones."""
        if value not in supported:
            self.unsupported(field, value, supported)

    def not_negative(self, field: str, value: Any) -> None:
        if value is not None and value < 0:
            self.invalid(field, value, "must be greater than or equal to 0")

    def _add(self, field: str, message: str, reason: str) -> None:
        self.found.append(Cause(field, message, reason))


class Shown(str):
    """Text that stands in a refusal as it is, without quotes."""


def shown(value: Any) -> str:
    return str(value) if isinstance(value, Shown) else json.dumps(value, ensure_ascii=False)


def go_map(labels: dict[str, str] | None) -> Shown:
    """A map of strings as Go prints it: `map[string]string{"a":"b"}`."""
    if not labels:
        return Shown("map[string]string(nil)")
    inner = ", ".join(f'"{key}":"{value}"' for key, value in sorted(labels.items()))
    return Shown(f"map[string]string{{{inner}}}")


def go_selector(selector: dict[str, Any] | None) -> Shown:
    """A LabelSelector as Go prints it."""
    selector = selector or {}
    items = selector.get("matchExpressions")
    if items:
        one = "v1.LabelSelectorRequirement"
        parts = ", ".join(
            f'{one}{{Key:"{item.get("key", "")}", Operator:"{item.get("operator", "")}", '
            f"Values:{_go_strings(item.get('values'))}}}"
            for item in items
        )
        expressions = f"[]{one}{{{parts}}}"
    else:
        expressions = "[]v1.LabelSelectorRequirement(nil)"
    labels = go_map(selector.get("matchLabels"))
    return Shown(f"v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:{expressions}}}")


def _go_strings(values: list[str] | None) -> str:
    return "[]string{" + ", ".join(f'"{value}"' for value in values) + "}" if values else "[]string(nil)"
