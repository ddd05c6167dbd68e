"""Who owns which field: `metadata.managedFields`, kept up by every write, and server-side apply.

A manager owns what it applied, or what it changed by an update. Applying a different value to a field
that someone else owns is a conflict, unless forced.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.api.owned_fields import (
    Leaves,
    Path,
    dotted,
    from_fields_v1,
    leaves,
    named_items,
    to_fields_v1,
    without,
)
from sandbox.errors import ApiError
from sandbox.fields import Obj, compact, meta


class ApplyConflict(ApiError):
    """Somebody else owns fields that the applied configuration wants to be different."""

    code, reason = 409, "Conflict"

    def __init__(self, clashes: list[tuple["Owner", Path]]) -> None:
        texts = [f"{owner.conflict}: {dotted(path)}" for owner, path in clashes]
        plural = "conflict" if len(texts) == 1 else "conflicts"
        causes = [
            {"reason": "FieldManagerConflict", "message": owner.conflict, "field": dotted(path)}
            for owner, path in clashes
        ]
        listed = f" {texts[0]}" if len(texts) == 1 else "".join(f"\n- {text}" for text in texts)
        super().__init__(f"Apply failed with {len(texts)} {plural}:{listed}", {"causes": causes})


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One entry of managedFields; `operation` is Apply or Update, `time` RFC 3339."""

    manager: str
    operation: str
    api_version: str
    subresource: str | None
    time: str
    paths: frozenset[Path]

    @property
    def identity(self) -> tuple[str, str, str | None]:
        return self.manager, self.operation, self.subresource

    @property
    def conflict(self) -> str:
        return f'conflict with "{self.manager}" using {self.api_version}'

    def minus(self, paths: Iterable[Path]) -> "Owner":
        return replace(self, paths=self.paths.difference(paths))

    def as_obj(self) -> Obj:
        return compact([
            ("manager", self.manager), ("operation", self.operation), ("apiVersion", self.api_version),
            ("time", self.time), ("fieldsType", "FieldsV1"), ("fieldsV1", to_fields_v1(self.paths)),
            ("subresource", self.subresource),
        ])  # fmt: skip


def owners_of_fields(obj: Obj) -> list[Owner]:
    return [
        Owner(
            manager=entry.get("manager", ""),
            operation=entry.get("operation", "Update"),
            api_version=entry.get("apiVersion", ""),
            subresource=entry.get("subresource"),
            time=entry.get("time", ""),
            paths=frozenset(from_fields_v1(entry.get("fieldsV1") or {})),
        )
        for entry in meta(obj).get("managedFields") or ()
    ]


def record_update(old: Obj | None, new: Obj, writer: Owner) -> Obj:
    """`new` with managedFields after an update: the writer owns what it changed or added."""
    kind = new["kind"]
    before: Leaves = leaves(kind, old) if old else {}
    after = leaves(kind, new)
    gained = {path for path, value in after.items() if path not in before or before[path] != value}
    lost = before.keys() - after.keys()
    if not gained and not lost:
        return new
    owners = [owner.minus(gained | lost) for owner in owners_of_fields(old or {})]
    mine = next((owner for owner in owners if owner.identity == writer.identity), writer)
    mine = replace(writer, paths=(mine.paths | gained) - lost)
    return _with_owners(new, [*(o for o in owners if o.identity != writer.identity), mine])


def apply(live: Obj | None, config: Obj, writer: Owner, *, force: bool) -> Obj:
    """The object after server-side apply of `config`; raises ApplyConflict unless forced."""
    kind = config["kind"]
    wanted = leaves(kind, config)
    owners = owners_of_fields(live or {})
    others = [owner for owner in owners if owner.identity != writer.identity]
    clashes = _clashes(leaves(kind, live) if live else {}, wanted, others)
    if clashes and not force:
        raise ApplyConflict(clashes)
    taken = {path for _, path in clashes}
    others = [owner.minus(taken) for owner in others]
    previous = next((owner.paths for owner in owners if owner.identity == writer.identity), frozenset())
    kept_by_others = frozenset[Path]().union(*(owner.paths for owner in others))
    merged = _overlay(kind, live or {}, config, ())
    dropped = previous - wanted.keys() - kept_by_others
    merged = without(kind, merged, [path for path in dropped if not _holds(path, kept_by_others)])
    return _with_owners(merged, [replace(writer, paths=frozenset(wanted)), *others])


def _holds(path: Path, kept: Iterable[Path]) -> bool:
    """Whether a list item is still needed, because others own fields inside of it."""
    item = path[:-1]
    return path[-1] == "." and any(other[: len(item)] == item for other in kept)


def _clashes(live: Leaves, wanted: Leaves, others: list[Owner]) -> list[tuple[Owner, Path]]:
    different = {path for path, value in wanted.items() if path in live and live[path] != value}
    return [(owner, path) for owner in others for path in sorted(owner.paths & different)]


def _overlay(kind: str, live: Any, config: Any, names: Path) -> Any:
    """`live` with `config` laid over it: maps and keyed lists merge, the rest is replaced."""
    if isinstance(config, dict) and isinstance(live, dict):
        laid = {key: _overlay(kind, live.get(key), value, (*names, key)) for key, value in config.items()}
        return {**live, **laid}
    if isinstance(config, list) and isinstance(live, list) and names:
        return _overlay_list(kind, live, config, names)
    return config


def _overlay_list(kind: str, live: list[Any], config: list[Any], names: Path) -> list[Any]:
    old, new = named_items(kind, names, live), named_items(kind, names, config)
    if old is None or new is None:
        return config
    merged = dict(old)
    for name, item in new:
        merged[name] = _overlay(kind, merged.get(name), item, names) if name in merged else item
    return list(merged.values())


def _with_owners(obj: Obj, owners: list[Owner]) -> Obj:
    entries = [owner.as_obj() for owner in owners if owner.paths]
    return {**obj, "metadata": {**meta(obj), "managedFields": entries}}
