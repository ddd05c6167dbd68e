"""Reading objects by their schema: unknown fields go, wrong types are refused, quantities get one spelling.

The schema is a table of fields and types (`schema.json`); what values mean is validation's.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from sandbox.amounts import amount
from sandbox.errors import BadRequest, Cause, Invalid
from sandbox.fields import Obj, name_of
from sandbox.kinds import Kind

QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
GO_TYPES = {"s": "string", "i": "int32", "f": "float64", "b": "bool", "t": "Time", "x": "intstr.IntOrString"}
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "s": (str,),
    "i": (int,),
    "f": (int, float),
    "b": (bool,),
    "t": (str,),
    "x": (int, str),
}
UNCHECKED = ("status", "metadata")  # written by controllers; has rules of its own
BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")


class Schema(TypedDict):
    """`roots`: apiVersion/kind → type; `types`: type → field → code (see `schema_write`)."""

    roots: dict[str, str]
    types: dict[str, dict[str, str]]
    required: dict[str, list[str]]


@cache
def schema() -> Schema:
    text = Path(__file__).with_name("schema.json").read_text(encoding="utf-8")
    loaded: Schema = json.loads(text)
    return loaded


class WrongType(Exception):
    """A value of another type than the schema's; the text is Go's."""


class Reader:
    """Reads one object; `unknown` lists fields that the schema lacks, `missing` those that it demands."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.missing: list[str] = []
        self._required = schema()["required"]
        self._types = schema()["types"]

    def read(self, kind: Kind, obj: Obj) -> Obj:
        """The object as the server understands it. Raises WrongType."""
        root = schema()["roots"].get(f"{kind.api_version}/{kind.kind}")
        if root is None:  # a custom kind: only its metadata has a known shape
            return {**obj, "metadata": self._object("V1ObjectMeta", obj.get("metadata") or {}, "metadata")}
        return self._object(root, obj, "")

    def _object(self, type_: str, value: Any, path: str) -> Obj:
        fields = self._types[type_]
        read: Obj = {}
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            code = fields.get(name)
            if code is None:
                self.unknown.append(where)
            elif inner is not None:
                read[name] = self._value(code, inner, where, type_)
        if not path.startswith(UNCHECKED):
            self.missing += [
                f"{path}.{name}" if path else name
                for name in self._required.get(type_, ())
                if name not in read
            ]
        return read

    def _value(self, code: str, value: Any, path: str, owner: str) -> Any:
        if code == "*":
            return value
        if code[0] == "[":
            return self._list(code, value, path, owner)
        if code[0] == "{":
            return self._map(code, value, path, owner)
        if code == "q":
            return quantity(value)
        if code not in PYTHON_TYPES:
            if not isinstance(value, dict):
                raise _wrong(value, owner, path, go_name(code))
            return self._object(code, value, path)
        return _scalar(code, value, path, owner)

    def _list(self, code: str, value: Any, path: str, owner: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(value, owner, path, go_name(code))
        return [
            self._value(code[1:], item, f"{path}[{number}]", owner)
            for number, item in enumerate(value)
            if item is not None
        ]

    def _map(self, code: str, value: Any, path: str, owner: str) -> Obj:
        if not isinstance(value, dict):
            raise _wrong(value, owner, path, go_name(code))
        return {
            key: self._value(code[1:], item, f"{path}.{key}", owner)
            for key, item in value.items()
            if item is not None
        }


def read_strictly(kind: Kind, obj: Obj) -> tuple[Obj, list[str]]:
    """The object as understood and the paths of its unknown fields.

    Raises BadRequest for wrong types, Invalid for missing fields that every such object has.
    """
    reader = Reader()
    try:
        read = reader.read(kind, obj)
    except WrongType as error:
        handled = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise BadRequest(f"{handled}: {error}") from error
    if reader.missing:
        causes = [Cause(path, "Required value", "FieldValueRequired") for path in reader.missing]
        raise Invalid.because(kind, name_of(obj), causes)
    return read, reader.unknown


def _scalar(code: str, value: Any, path: str, owner: str) -> Any:
    fits = isinstance(value, PYTHON_TYPES[code]) and isinstance(value, bool) is (code == "b")
    if fits:
        return value
    if code == "i" and isinstance(value, float) and value.is_integer():
        return int(value)
    raise _wrong(value, owner, path, GO_TYPES[code])


def _wrong(value: Any, owner: str, path: str, expected: str) -> WrongType:
    field = re.sub(r"\[\d+\]", "", path)
    return WrongType(
        f"json: cannot unmarshal {_json_name(value)} into Go struct field "
        f"{go_name(owner).rpartition('.')[2]}.{field} of type {expected}"
    )


def _json_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "number"


def go_name(code: str) -> str:
    """A type as Go writes it: `[]v1.Container`, `map[string]string`."""
    if code[0] == "[":
        return f"[]{go_name(code[1:])}"
    if code[0] == "{":
        return f"map[string]{go_name(code[1:])}"
    if code in GO_TYPES or code == "q":
        return GO_TYPES.get(code, "resource.Quantity")
    found = re.fullmatch(r"(?:[A-Z][a-z]+)?(V\d+(?:alpha\d+|beta\d+)?)(\w+)", code)
    return f"{found[1].lower()}.{found[2]}" if found else code


def quantity(value: Any) -> str:
    """A quantity in the server's spelling: `0.5` → `500m`, `1024Mi` → `1Gi`. Raises WrongType."""
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not QUANTITY.fullmatch(text):
        raise WrongType(f"quantities must match the regular expression '^{QUANTITY.pattern}$'")
    try:
        exact = amount(text)
    except (ValueError, ArithmeticError) as error:
        raise WrongType("unable to parse quantity's suffix") from error
    if text.endswith("i") and abs(exact) >= 1024 and exact == int(exact):
        return _scaled(int(exact), 1024, BINARY)
    if exact == 0:
        return "0"
    return _scaled(-int(-exact * 10**9 // 1), 1000, DECIMAL)  # rounded up to the smallest unit there is


def _scaled(number: int, base: int, suffixes: tuple[str, ...]) -> str:
    """The number with the largest suffix that leaves it whole."""
    place = 0
    while number % base == 0 and place + 1 < len(suffixes):
        number //= base
        place += 1
    return f"{number}{suffixes[place]}"
