"""What lines go through: filters of text and labels, and the parsers of JSON and logfmt."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from sandbox.logql.query import Entry, Fields, Stage, pattern, text_matches
from sandbox.promql.binary import COMPARISONS

LOGFMT = re.compile(r'([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')
FAULT = "__error__"
NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


def line_filter(op: str, wanted: str) -> Stage:
    """`|=`, `!=`, `|~` and `!~`: the text contains, or a pattern is found in it."""
    if op in ("|=", "!="):
        return lambda entry: entry if (wanted in entry.text) == (op == "|=") else None
    search = pattern(wanted).search
    return lambda entry: entry if (search(entry.text) is not None) == (op == "|~") else None


def label_filter(name: str, op: str, wanted: str | float) -> Stage:
    """A label against a text, or as a number; what is no number is let through by no comparison."""
    if isinstance(wanted, str):
        matches = text_matches(op, wanted)
        return lambda entry: entry if matches(entry.fields.get(name, "")) else None
    compare = COMPARISONS["==" if op == "=" else op]

    def stage(entry: Entry) -> Entry | None:
        value = number_of(entry.fields.get(name, ""))
        return entry if value is not None and compare(value, wanted) else None

    return stage


def number_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def parse_json(entry: Entry) -> Entry:
    """Fields of the line's object become labels; nested names are joined by `_`."""
    try:
        found = json.loads(entry.text)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return _with(entry, {FAULT: "JSONParserErr"})
    return _with(entry, _flat(found))


def parse_logfmt(entry: Entry) -> Entry:
    """`name=value` pairs become labels."""
    found = LOGFMT.finditer(entry.text)
    pairs = ((match[1], match[3] if match[2] is None else _unescaped(match[2])) for match in found)
    return _with(entry, {NOT_A_NAME.sub("_", name): value for name, value in pairs})


def line_format(template: str) -> Stage:
    """The line anew, with `{{.label}}` filled in."""
    blank = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")

    def stage(entry: Entry) -> Entry:
        return replace(entry, text=blank.sub(lambda match: entry.fields.get(match[1], ""), template))

    return stage


PARSERS: dict[str, Callable[[Entry], Entry]] = {"json": parse_json, "logfmt": parse_logfmt}


def _with(entry: Entry, fields: Fields) -> Entry:
    """Names that the stream has already get the suffix `_extracted`."""
    own = entry.fields
    return replace(
        entry, fields={**own, **{f"{n}_extracted" if n in own else n: v for n, v in fields.items()}}
    )


def _flat(found: dict[str, object], prefix: str = "") -> Fields:
    fields: Fields = {}
    for name, value in found.items():
        key = NOT_A_NAME.sub("_", f"{prefix}{name}")
        if isinstance(value, dict):
            fields |= _flat(value, f"{key}_")
        elif isinstance(value, bool):
            fields[key] = str(value).lower()
        elif isinstance(value, str | int | float):
            fields[key] = str(value)
    return fields


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")
