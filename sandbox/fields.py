"""Small words for Kubernetes objects as plain JSON: reading fields, copying with one field changed.

Objects are immutable once stored; `evolve` and `with_in` build new dicts along the changed path only.
"""

from collections.abc import Iterable, Sequence
from typing import Any

Obj = dict[str, Any]
"""A Kubernetes object, or a part of one, as JSON has it."""


def meta(obj: Obj) -> Obj:
    found: Obj = obj.get("metadata") or {}
    return found


def name_of(obj: Obj) -> str:
    return str(meta(obj).get("name", ""))


def namespace_of(obj: Obj) -> str:
    return str(meta(obj).get("namespace") or "")


def uid_of(obj: Obj) -> str:
    return str(meta(obj).get("uid", ""))


def labels_of(obj: Obj) -> dict[str, str]:
    return meta(obj).get("labels") or {}


def annotations_of(obj: Obj) -> dict[str, str]:
    return meta(obj).get("annotations") or {}


def owners_of(obj: Obj) -> list[Obj]:
    return meta(obj).get("ownerReferences") or []


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference that says `controller: true`, if any."""
    return next((owner for owner in owners_of(obj) if owner.get("controller")), None)


def is_deleting(obj: Obj) -> bool:
    return "deletionTimestamp" in meta(obj)


def get_in(obj: Obj, path: Sequence[str], default: Any = None) -> Any:
    """The value at `path`; `default` when any step is missing or null."""
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return default
    return value


def with_in(obj: Obj, path: Sequence[str], value: Any) -> Obj:
    """A copy of `obj` with `value` at `path`; dicts along the path are copied, the rest is shared."""
    head, rest = path[0], path[1:]
    inner = with_in(obj.get(head) or {}, rest, value) if rest else value
    return {**obj, head: inner}


def without_in(obj: Obj, path: Sequence[str]) -> Obj:
    """A copy of `obj` with nothing at `path`; `obj` itself when nothing is there."""
    head, rest = path[0], path[1:]
    if head not in obj:
        return obj
    if not rest:
        return {key: value for key, value in obj.items() if key != head}
    return {**obj, head: without_in(obj[head] or {}, rest)}


def compact(pairs: Iterable[tuple[str, Any]]) -> Obj:
    """A dict without the pairs whose value is None: optional fields of a rendered object."""
    return {key: value for key, value in pairs if value is not None}
