"""Objects as sets of field paths, the currency of server-side apply: `("f:spec", "f:replicas")`.

List items are named by key (`k:{"name":"web"}`) or value (`v:"x"`); atomic lists are one leaf. An item's own
existence is the path that ends in `.`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.api.merge_keys import SETS, item_keys
from sandbox.fields import Obj

Path = tuple[str, ...]
Leaves = dict[Path, Any]

UNOWNED = frozenset({"apiVersion", "kind"})
UNOWNED_META = frozenset({
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "generateName",
    "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink",
})  # fmt: skip
DEFAULTS = {"protocol": "TCP"}


def leaves(kind: str, obj: Obj) -> Leaves:
    """Every owned path of the object with the value that stands there."""
    return dict(_walk(kind, _ownable(obj), (), ()))


def _ownable(obj: Obj) -> Obj:
    meta = {key: value for key, value in obj.get("metadata", {}).items() if key not in UNOWNED_META}
    body = {key: value for key, value in obj.items() if key not in UNOWNED}
    return {**body, "metadata": meta} if meta else {key: body[key] for key in body if key != "metadata"}


def _walk(kind: str, value: Any, path: Path, names: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and (value or not path):
        for key, inner in value.items():
            yield from _walk(kind, inner, (*path, f"f:{key}"), (*names, key))
    elif isinstance(value, list) and names and (named := named_items(kind, names, value)) is not None:
        for name, item in named:
            yield (*path, name, "."), None
            if isinstance(item, dict):
                yield from _walk(kind, item, (*path, name), names)
    else:
        yield path, value


def named_items(kind: str, names: Path, items: list[Any]) -> list[tuple[str, Any]] | None:
    """Items of an associative list or set with their path names; None when the list is atomic."""
    if names[-1] in SETS:
        return [(f"v:{json.dumps(item)}", item) for item in items]
    keys = item_keys(kind, names)
    if not keys or not all(isinstance(item, dict) and keys[0] in item for item in items):
        return None
    return [(item_name(keys, item), item) for item in items]


def item_name(keys: tuple[str, ...], item: Obj) -> str:
    identity = {key: item.get(key, DEFAULTS.get(key)) for key in keys}
    present = {key: value for key, value in sorted(identity.items()) if value is not None}
    return "k:" + json.dumps(present, separators=(",", ":"))


def without(kind: str, obj: Obj, gone: Iterable[Path]) -> Obj:
    """A copy of the object without the fields at those paths; emptied maps go with their last field."""
    # whole items first: an item that lost its key field could not be found again
    for path in sorted(gone, key=lambda path: (path[-1] != ".", -len(path))):
        steps = path[:-1] if path[-1] == "." else path
        obj = _cut(kind, obj, steps, ())
    return obj


def _cut(kind: str, value: Any, path: Path, names: Path) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return _cut_item(kind, value, path, names)
    key = step[2:]
    if not isinstance(value, dict) or key not in value:
        return value
    others = {name: inner for name, inner in value.items() if name != key}
    if not rest:
        return others
    inner = _cut(kind, value[key], rest, (*names, key))
    return others if inner in ({}, []) else {**value, key: inner}


def _cut_item(kind: str, items: list[Any], path: Path, names: Path) -> list[Any]:
    step, rest = path[0], path[1:]
    kept = []
    for name, item in named_items(kind, names, items) or ():
        if name != step:
            kept.append(item)
        elif rest:
            kept.append(_cut(kind, item, rest, names))
    return kept


def to_fields_v1(paths: Iterable[Path]) -> Obj:
    """Nested maps, as `managedFields[].fieldsV1` has them."""
    root: Obj = {}
    for path in sorted(paths):
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def from_fields_v1(fields: Obj, path: Path = ()) -> set[Path]:
    found: set[Path] = set()
    for step, inner in fields.items():
        found |= from_fields_v1(inner, (*path, step)) if inner else {(*path, step)}
    return found


def dotted(path: Path) -> str:
    """The path as refusals print it: `.spec.template.spec.containers[name="c"].image`."""
    text = ""
    for step in path:
        if step.startswith("f:"):
            text += f".{step[2:]}"
        elif step.startswith("k:"):
            keys = json.loads(step[2:]).items()
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys) + "]"
        elif step.startswith("v:"):
            text += f"[={step[2:]}]"
    return text
