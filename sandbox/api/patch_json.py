"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902), without touching what they are applied to."""

from collections.abc import Callable
from typing import Any

from sandbox.fields import Obj

Doc = Any
"""Any JSON value."""


class PatchError(Exception):
    """A patch that cannot be applied to this object."""


def merge(target: Doc, patch: Doc) -> Doc:
    """`target` with `patch` merged in; null deletes a key, lists are replaced."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def apply_operations(doc: Doc, operations: list[Obj]) -> Doc:
    """`doc` after all operations, or PatchError at the first that fails: all or nothing."""
    for operation in operations:
        handler = _HANDLERS.get(str(operation.get("op")))
        if handler is None:
            raise PatchError(f"Unexpected kind: {operation.get('op')}")
        doc = handler(doc, operation)
    return doc


def _add(doc: Doc, operation: Obj) -> Doc:
    return _change(doc, _pointer(operation, "path"), lambda parent, key: _put(parent, key, _value(operation)))


def _remove(doc: Doc, operation: Obj) -> Doc:
    return _change(doc, _pointer(operation, "path"), _drop)


def _replace(doc: Doc, operation: Obj) -> Doc:
    value = _value(operation)
    return _change(doc, _pointer(operation, "path"), lambda parent, key: _overwrite(parent, key, value))


def _move(doc: Doc, operation: Obj) -> Doc:
    source = _pointer(operation, "from")
    value = _read(doc, source)
    doc = _change(doc, source, _drop)
    return _change(doc, _pointer(operation, "path"), lambda parent, key: _put(parent, key, value))


def _copy(doc: Doc, operation: Obj) -> Doc:
    value = _read(doc, _pointer(operation, "from"))
    return _change(doc, _pointer(operation, "path"), lambda parent, key: _put(parent, key, value))


def _test(doc: Doc, operation: Obj) -> Doc:
    pointer = _pointer(operation, "path")
    if _read(doc, pointer) != operation.get("value"):
        raise PatchError(f"testing value {operation['path']} failed")
    return doc


_HANDLERS: dict[str, Callable[[Doc, Obj], Doc]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _pointer(operation: Obj, field: str) -> list[str]:
    text = operation.get(field)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError(f"{operation.get('op')} operation has no valid {field}")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _value(operation: Obj) -> Doc:
    if "value" not in operation:
        raise PatchError(f"{operation.get('op')} operation has no value")
    return operation["value"]


def _read(doc: Doc, pointer: list[str]) -> Doc:
    for part in pointer:
        if isinstance(doc, list):
            doc = doc[_index(doc, part, len(doc) - 1)]
        elif isinstance(doc, dict) and part in doc:
            doc = doc[part]
        else:
            raise PatchError(f"nothing at /{'/'.join(pointer)}")
    return doc


def _change(doc: Doc, pointer: list[str], change: Callable[[Doc, str], Doc]) -> Doc:
    """A copy of `doc` whose container of the last step is what `change` makes of it."""
    if not pointer:
        root: Doc = change({"": doc}, "")
        return root.get("")
    if len(pointer) == 1:
        return change(doc, pointer[0])
    inner = _change(_read(doc, pointer[:1]), pointer[1:], change)
    return _overwrite(doc, pointer[0], inner)


def _put(parent: Doc, key: str, value: Doc) -> Doc:
    if isinstance(parent, list):
        at = len(parent) if key == "-" else _index(parent, key, len(parent))
        return [*parent[:at], value, *parent[at:]]
    if isinstance(parent, dict):
        return {**parent, key: value}
    raise PatchError(f"cannot add {key!r} to a scalar")


def _overwrite(parent: Doc, key: str, value: Doc) -> Doc:
    if isinstance(parent, list):
        at = _index(parent, key, len(parent) - 1)
        return [*parent[:at], value, *parent[at + 1 :]]
    if isinstance(parent, dict) and key in parent:
        return {**parent, key: value}
    raise PatchError(f"nothing to replace at {key!r}")


def _drop(parent: Doc, key: str) -> Doc:
    if isinstance(parent, list):
        at = _index(parent, key, len(parent) - 1)
        return [*parent[:at], *parent[at + 1 :]]
    if isinstance(parent, dict) and key in parent:
        return {name: value for name, value in parent.items() if name != key}
    raise PatchError(f"nothing to remove at {key!r}")


def _index(items: list[Doc], part: str, last: int) -> int:
    if not part.isdigit() or int(part) > last:
        raise PatchError(f"index {part!r} is outside of a list of {len(items)}")
    return int(part)
