"""Writes `wire.json`: the protobuf field numbers of every kind in `schema.json`.

Run by hand with the path of a kubectl: `python -m sandbox.api.wire_write /usr/bin/kubectl`. Programs
written in Go carry the descriptors of Kubernetes' `generated.proto` files, compressed; they are read
from there.

Codes: s text, i whole number, b boolean, y bytes, q quantity, t time, x number or text, * any JSON; a leading
[ is a list, { a map of text, + a struct that JSON shows without a name of its own; the rest names a message.
"""

import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.api.schema import schema
from sandbox.api.wire import fields

WIRE = Path(__file__).with_name("wire.json")
GZIP = b"\x1f\x8b\x08"
REPEATED, MESSAGE = 3, 11
SCALARS = {8: "b", 9: "s", 12: "y"}  # all other types are whole numbers
SPECIAL = {
    "Quantity": "q",
    "Time": "t",
    "MicroTime": "t",
    "IntOrString": "x",
    "RawExtension": "*",
    "FieldsV1": "*",
    "JSON": "*",
    "JSONSchemaPropsOrArray": "*",
    "JSONSchemaPropsOrBool": "*",
    "JSONSchemaPropsOrStringArray": "*",
}
PACKAGES = {
    "core": "",
    "apps": "apps",
    "batch": "batch",
    "autoscaling": "autoscaling",
    "policy": "policy",
    "networking": "networking.k8s.io",
    "discovery": "discovery.k8s.io",
    "storage": "storage.k8s.io",
    "scheduling": "scheduling.k8s.io",
    "coordination": "coordination.k8s.io",
    "events": "events.k8s.io",
    "rbac": "rbac.authorization.k8s.io",
    "admissionregistration": "admissionregistration.k8s.io",
    "authorization": "authorization.k8s.io",
    "authentication": "authentication.k8s.io",
}

Entry = tuple[int, str, int, str, bool]
"""Number, name, type, type name, repeated."""
Descriptor = dict[str, list[Entry]]
"""Full message name → its fields."""
Wire = dict[str, dict[str, list[str]]]
META = "k8s.io.apimachinery.pkg.apis.meta.v1"


def main(program: Path) -> None:
    found: Descriptor = {}
    for data in _descriptors(program.read_bytes()):
        found |= _file(data)
    writer = Writer(found)
    for root, type_ in schema()["roots"].items():
        writer.add_root(root, type_)
    WIRE.write_text(json.dumps(writer.wire, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


class Writer:
    """Joins descriptors (numbers) with the schema (what JSON calls things)."""

    def __init__(self, found: Descriptor) -> None:
        self.wire: Wire = {}
        self._found = found

    def add_root(self, root: str, type_: str) -> None:
        full = _full_name(root)
        if full in self._found:
            self.wire[root] = self._fields(full, type_)

    def _fields(self, full: str, type_: str) -> dict[str, list[str]]:
        """The fields of one message that the schema's type has too."""
        entries: dict[str, list[str]] = {}
        for number, name, kind, inner, repeated in self._found[full]:
            name = name[0].lower() + name[1:]
            code = self._code(name, kind, inner, type_)
            if code is not None:
                entries[str(number)] = [name, "[" + code if repeated and not code.startswith("{") else code]
        return entries

    def _code(self, name: str, kind: int, inner: str, type_: str) -> str | None:
        known = schema()["types"][type_]
        if kind != MESSAGE:
            return SCALARS.get(kind, "i") if name in known else None
        if name not in known:
            return "+" + self._inlined(inner, type_)
        if known[name].startswith("{"):
            value = next(item for item in self._found[inner] if item[0] == 2)
            return "{" + self._named(value[2], value[3], known[name])
        return self._named(kind, inner, known[name])

    def _named(self, kind: int, inner: str, declared: str) -> str:
        """The code of a value whose JSON type is declared by the schema."""
        if kind != MESSAGE:
            return SCALARS.get(kind, "i")
        short = inner.rpartition(".")[2]
        if short in SPECIAL:
            return SPECIAL[short]
        name = declared.lstrip("[{")
        if name in schema()["types"] and name not in self.wire:
            self.wire[name] = {}  # first, as types may refer to themselves
            self.wire[name] = self._fields(inner, name)
        return name

    def _inlined(self, full: str, type_: str) -> str:
        """A struct whose fields JSON shows among those of `type_`."""
        name = f"{full.rpartition('.')[2]} in {type_}"
        if name not in self.wire:
            self.wire[name] = self._fields(full, type_)
        return name


def _descriptors(program: bytes) -> Iterator[bytes]:
    """Everything compressed in the program that reads like the descriptor of a Kubernetes file."""
    for start in re.finditer(re.escape(GZIP), program):
        unpacker = zlib.decompressobj(31)
        try:
            data = unpacker.decompress(program[start.start() : start.start() + 2_000_000])
        except zlib.error:
            continue
        if b"k8s.io" in data[:200] and b"generated.proto" in data[:200]:
            yield data


def _file(data: bytes) -> Descriptor:
    package = ""
    found: Descriptor = {}
    messages = []
    for number, value in fields(data):
        if number == 2:
            package = value.decode()
        elif number == 4:
            messages.append(value)
    for message in messages:
        found |= _described(package, message)
    return found


def _described(prefix: str, message: bytes) -> Descriptor:
    parts = list(fields(message))
    name = prefix + "." + next(value.decode() for number, value in parts if number == 1)
    found: Descriptor = {name: [_field(value) for number, value in parts if number == 2]}
    for number, value in parts:
        if number == 3:
            found |= _described(name, value)
    return found


def _field(data: bytes) -> tuple[int, str, int, str, bool]:
    parts: dict[int, Any] = dict(fields(data))
    type_name = parts.get(6, b"").decode().lstrip(".")
    return parts[3], parts[1].decode(), parts[5], type_name, parts.get(4) == REPEATED


def _full_name(root: str) -> str:
    """`apps/v1/Deployment` → `k8s.io.api.apps.v1.Deployment`."""
    if root == "DeleteOptions":
        return f"{META}.{root}"
    *group, version, kind = root.split("/")
    package = next((name for name, served in PACKAGES.items() if served == "".join(group)), "")
    return f"k8s.io.api.{package}.{version}.{kind}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
