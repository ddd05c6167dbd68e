"""Strategic merge patch: merge patch that knows which lists are maps, and a few directives.

Directives: `$patch: delete | replace | merge`, `$retainKeys`, `$deleteFromPrimitiveList/<field>`;
`$setElementOrder/<field>` puts merged items into the patch's order.
"""

from typing import Any

from sandbox.api.merge_keys import SETS, merge_key
from sandbox.api.patch_json import PatchError
from sandbox.fields import Obj

Path = tuple[str, ...]


def strategic(kind: str, target: Obj, patch: Obj) -> Obj:
    """`target` with `patch` merged in; raises PatchError where the patch makes no sense."""
    merged: Obj = _Merge(kind).objects(target, patch, ())
    return merged


class _Merge:
    """One merge; `kind` decides about lists whose name alone does not."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def objects(self, target: Any, patch: Obj, path: Path) -> Obj:
        directive = patch.get("$patch")
        if directive == "replace":
            return {key: _plain(value) for key, value in patch.items() if not key.startswith("$")}
        if directive == "delete":
            return {}
        merged = _retained(dict(target) if isinstance(target, dict) else {}, patch)
        for key, value in patch.items():
            if not key.startswith("$"):
                self._field(merged, key, value, (*path, key))
        self._list_directives(merged, patch, path)
        return merged

    def _field(self, merged: Obj, key: str, value: Any, path: Path) -> None:
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = self.objects(merged.get(key), value, path)
            if value.get("$patch") == "delete":
                del merged[key]
        elif isinstance(value, list):
            merged[key] = self._lists(merged.get(key), value, path)
        else:
            merged[key] = value

    def _lists(self, target: Any, patch: list[Any], path: Path) -> list[Any]:
        current: list[Any] = target if isinstance(target, list) else []
        key = merge_key(self._kind, path)
        if path[-1] in SETS:
            return [*current, *(item for item in patch if item not in current)]
        if key is None:
            return [item for item in patch if item != {"$patch": "replace"}]
        if {"$patch": "replace"} in patch:
            return [_plain(item) for item in patch if "$patch" not in item]
        return self._items(current, patch, key, path)

    def _items(self, current: list[Obj], patch: list[Obj], key: str, path: Path) -> list[Obj]:
        merged = list(current)
        for item in patch:
            if not isinstance(item, dict) or key not in item:
                raise PatchError(f"map: {_go_map(item)} does not contain declared merge key: {key}")
            at = next((i for i, old in enumerate(merged) if old.get(key) == item[key]), None)
            if item.get("$patch") == "delete":
                merged = [old for old in merged if old.get(key) != item[key]]
            elif at is None:
                merged.append(self.objects({}, item, path))
            else:
                merged[at] = self.objects(merged[at], item, path)
        return merged

    def _list_directives(self, merged: Obj, patch: Obj, path: Path) -> None:
        for name, value in patch.items():
            directive, _, field = name.partition("/")
            if directive == "$deleteFromPrimitiveList":
                merged[field] = [item for item in merged.get(field, ()) if item not in value]
            elif directive == "$setElementOrder" and isinstance(merged.get(field), list):
                merged[field] = _ordered(merged[field], value, merge_key(self._kind, (*path, field)))


def _retained(target: Obj, patch: Obj) -> Obj:
    keep = patch.get("$retainKeys")
    return target if keep is None else {key: value for key, value in target.items() if key in keep}


def _ordered(items: list[Any], order: list[Any], key: str | None) -> list[Any]:
    """Items named in the patch in its order; the others keep their place relative to their predecessor."""
    if key is None:
        return items
    rank = {
        entry[key]: place for place, entry in enumerate(order) if isinstance(entry, dict) and key in entry
    }
    ranked: list[tuple[float, Any]] = []
    last = -1.0
    for item in items:
        last = rank.get(item.get(key), last)
        ranked.append((last, item))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


def _plain(value: Any) -> Any:
    """The patch's own content, without directives."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if not key.startswith("$")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _go_map(item: Any) -> str:
    """How Go prints a map, because clients read the refusal."""
    if not isinstance(item, dict):
        return str(item)
    return "map[" + " ".join(f"{key}:{item[key]}" for key in sorted(item)) + "]"
