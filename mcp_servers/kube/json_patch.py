"""JSON patches (RFC 6902) played through on a copy: what comes out, and the patch that takes it back.

The API server applies the real one; this only foretells it. `move` and `copy` are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from domain.errors import BadInput
from mcp_servers.kube.applying import Op


@dataclass(frozen=True, slots=True)
class Played:
    """A document after a patch, and the operations that undo it, in their order."""

    document: Mapping[str, object]
    back: tuple[Op, ...]


def play(document: Mapping[str, object], ops: Sequence[Op]) -> Played:
    """Raises BadInput naming the operation that cannot be applied."""
    changed: dict[str, object] = deepcopy(dict(document))
    back: list[Op] = []
    for op in ops:
        path = str(op["path"])
        holder, last = _holder(changed, path)
        inverse = _member(holder, last, op) if isinstance(holder, dict) else _place(holder, last, op)
        if inverse is not None:
            back.insert(0, {"path": inverse.pop("at", path), **inverse})
    return Played(changed, tuple(back))


def value_at(document: object, path: str) -> object:
    """What is at a path, None where there is nothing."""
    for step in steps(path):
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def steps(path: str) -> list[str]:
    """The parts of a JSON pointer. Raises BadInput when it does not begin with a slash."""
    if not path.startswith("/"):
        raise BadInput(f"{path!r} is no JSON pointer such as /spec/replicas", field="path")
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def _holder(document: dict[str, object], path: str) -> tuple[dict[str, object] | list[object], str]:
    """The object or list that has, or will have, what the path names."""
    *before, last = steps(path)
    found: object = document
    for step in before:
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            raise BadInput(f"{path}: there is no {step!r} on the way", field="path")
    if not isinstance(found, dict | list):
        raise BadInput(f"{path}: its parent is neither an object nor a list", field="path")
    return found, last


def _member(holder: dict[str, object], key: str, op: Op) -> dict[str, object] | None:
    """Apply to a member of an object; returns the inverse operation."""
    present, old = key in holder, holder.get(key)
    if op["op"] != "add" and not present:
        raise BadInput(f"{op['path']}: there is nothing to {op['op']}", field="path")
    match op["op"]:
        case "test":
            _expect(op, old)
            return None
        case "remove":
            del holder[key]
            return {"op": "add", "value": old}
        case _:
            holder[key] = deepcopy(op.get("value"))
            return {"op": "replace", "value": old} if present else {"op": "remove"}


def _place(holder: list[object], step: str, op: Op) -> dict[str, object] | None:
    """Apply to a place in a list; returns the inverse operation."""
    adding = op["op"] == "add"
    place = len(holder) if step == "-" and adding else int(step) if step.isdigit() else -1
    if not 0 <= place < len(holder) + adding:
        raise BadInput(f"{op['path']}: the list has {len(holder)} items", field="path")
    match op["op"]:
        case "test":
            _expect(op, holder[place])
            return None
        case "add":
            holder.insert(place, deepcopy(op.get("value")))
            return {
                "op": "remove",
                "at": str(op["path"]).removesuffix("-") + (str(place) if step == "-" else ""),
            }
        case "remove":
            return {"op": "add", "value": holder.pop(place)}
        case _:
            old, holder[place] = holder[place], deepcopy(op.get("value"))
            return {"op": "replace", "value": old}


def _expect(op: Op, found: object) -> None:
    if found != op.get("value"):
        raise BadInput(f"{op['path']} is not as the patch's test expects; look again", field="path")


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """The paths of the smallest parts that differ, lists as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            step = str(key).replace("~", "~0").replace("/", "~1")
            yield from differences(before.get(key), after.get(key), f"{path}/{step}")
    elif before != after:
        yield path
