"""Kubernetes' protobuf, read only: newer Go clients write built-in kinds that way. Answers stay JSON.

Field numbers are in `wire.json` (see `wire_write`); names and types of the outcome are the JSON schema's.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.errors import BadRequest
from sandbox.fields import Obj

MAGIC = b"k8s\x00"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
KEPT_ZEROS = frozenset(
    {
        "replicas",
        "completions",
        "parallelism",
        "backoffLimit",
        "minReplicas",
        "terminationGracePeriodSeconds",
        "gracePeriodSeconds",
        "revisionHistoryLimit",
        "runAsUser",
    }
)
"""Numbers whose 0 says something; elsewhere Go writes it for "nothing there"."""

Messages = dict[str, dict[str, list[str]]]
"""Message → field number → [JSON name, code]; the codes are explained in `wire_write`."""


@cache
def messages() -> Messages:
    text = Path(__file__).with_name("wire.json").read_text(encoding="utf-8")
    loaded: Messages = json.loads(text)
    return loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every body is wrapped in: the type, and the message itself."""

    api_version: str
    kind: str
    raw: bytes


def read(body: bytes) -> Obj:
    """The object of a protobuf body; raises BadRequest for a kind whose fields are not known."""
    envelope = open_envelope(body)
    name = f"{envelope.api_version}/{envelope.kind}"
    if name not in messages():
        name = envelope.kind  # DeleteOptions travel under the group of what they delete
    if name not in messages():
        what = f"{envelope.api_version}/{envelope.kind}"
        raise BadRequest(
            f"{what} cannot be read from application/vnd.kubernetes.protobuf; send application/json"
        )
    try:
        obj = _message(name, envelope.raw)
    except (IndexError, ValueError) as error:
        raise BadRequest(f"the protobuf body of a {envelope.kind} is damaged: {error}") from error
    return {"apiVersion": envelope.api_version, "kind": envelope.kind, **obj}


def open_envelope(body: bytes) -> Envelope:
    """Raises BadRequest for bodies without Kubernetes' four leading bytes."""
    if not body.startswith(MAGIC):
        raise BadRequest(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    try:
        parts = dict(fields(body[len(MAGIC) :]))
        types = {place: bytes(text).decode() for place, text in fields(parts.get(1, b""))}
    except (IndexError, ValueError) as error:
        raise BadRequest(f"the protobuf body is damaged: {error}") from error
    return Envelope(api_version=types.get(1, ""), kind=types.get(2, ""), raw=parts.get(2, b""))


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers with their raw values: integers, or bytes of strings and messages."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire_type = key & 7
        if wire_type == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire_type == BYTES:
            size, at = _varint(data, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}[wire_type] if wire_type in (FIXED64, FIXED32) else -1
        if size < 0 or at + size > len(data):
            raise ValueError(f"field {key >> 3} reaches beyond the end")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def _message(name: str, data: bytes) -> Obj:
    known = messages()[name]
    obj: Obj = {}
    for number, raw in fields(data):
        entry = known.get(str(number))
        if entry is not None:
            _add(obj, entry[0], entry[1], raw)
    return obj


def _add(obj: Obj, name: str, code: str, raw: Any) -> None:
    """Puts one field into the object, as its code says."""
    if code[0] == "[":
        obj.setdefault(name, []).append(_value(code[1:], raw))
    elif code[0] == "{":
        pair = dict(fields(raw))
        obj.setdefault(name, {})[bytes(pair.get(1, b"")).decode()] = _value(code[1:], pair.get(2, b""))
    elif code[0] == "+":  # a struct that JSON shows without a name of its own
        obj |= _message(code[1:], raw)
    else:
        value = _value(code, raw)
        if _says_something(name, code, value):
            obj[name] = value


def _says_something(name: str, code: str, value: Any) -> bool:
    """Go writes empty text and zeros for fields that nobody set; empty messages may be meant."""
    if value == {}:
        return code in messages()
    return (value == 0 and value is not False and name in KEPT_ZEROS) or bool(value)


def _value(code: str, raw: Any) -> Any:
    match code:
        case "s":
            return bytes(raw).decode()
        case "i":
            return raw - (1 << 64) if raw >= 1 << 63 else raw
        case "b":
            return bool(raw)
        case "y":
            import base64

            return base64.b64encode(raw).decode()
        case "q":
            return bytes(dict(fields(raw)).get(1, b"")).decode()
        case "t":
            return _moment(dict(fields(raw)))
        case "x":
            return _int_or_string(dict(fields(raw)))
        case "*":
            return _raw(dict(fields(raw)))
        case _:
            return _message(code, raw)


def _moment(parts: dict[int, Any]) -> str | None:
    """RFC 3339; None for Go's zero time, which travels as an empty message."""
    if not parts.get(1):
        return None
    return datetime.fromtimestamp(parts[1], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _int_or_string(parts: dict[int, Any]) -> int | str:
    if parts.get(1):
        return bytes(parts.get(3, b"")).decode()
    return int(parts.get(2, 0))


def _raw(parts: dict[int, Any]) -> Any:
    text = bytes(parts.get(1, b""))
    return json.loads(text) if text else None
