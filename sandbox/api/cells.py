"""Cells of tables: ages, lists, selectors, as Kubernetes prints them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.fields import Obj, get_in, meta, name_of

Cell = str | int | bool | None
NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `wide` ones are shown with `-o wide` only. `cell` gets the object and the time now."""

    title: str
    cell: Callable[[Obj, float], Cell]
    wide: bool = False
    type: str = "string"

    @property
    def definition(self) -> Obj:
        form = "name" if self.title == "Name" else ""
        return {
            "name": self.title,
            "type": self.type,
            "format": form,
            "description": self.title,
            "priority": 1 if self.wide else 0,
        }


def name_cell(obj: Obj, now: float) -> Cell:
    return name_of(obj)


def field(*path: str, default: Cell = NONE) -> Callable[[Obj, float], Cell]:
    """A cell with one field's value."""

    def read(obj: Obj, now: float) -> Cell:
        value = get_in(obj, path)
        return default if value in (None, "") else value

    return read


def count(*path: str) -> Callable[[Obj, float], Cell]:
    """A cell with a number; a missing one is 0."""
    return field(*path, default=0)


def size(*path: str) -> Callable[[Obj, float], Cell]:
    """A cell with the number of entries of a list or map."""
    return lambda obj, now: len(get_in(obj, path, ()))


def age(obj: Obj, now: float) -> Cell:
    return since(meta(obj).get("creationTimestamp"), now)


def created_at(obj: Obj, now: float) -> Cell:
    return str(meta(obj).get("creationTimestamp", UNKNOWN))


def since(stamp: str | None, now: float) -> str:
    """How long ago a timestamp was; `<unknown>` without one."""
    return UNKNOWN if not stamp else duration(now - seconds(stamp))


def seconds(stamp: str) -> float:
    """Unix seconds of an RFC 3339 timestamp."""
    return datetime.fromisoformat(stamp).timestamp()


def duration(span_s: float) -> str:
    """Two or three significant digits: `90s`, `5m30s`, `3h`, `2d4h`, `2y10d`."""
    total = int(span_s)
    if total < -1:
        return "<invalid>"
    total = max(total, 0)
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    years = days // 365
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(first: int, unit: str, second: int, small: str) -> str:
    return f"{first}{unit}{second}{small}" if second else f"{first}{unit}"


def joined(parts: Iterable[Any], empty: str = NONE) -> str:
    return ",".join(str(part) for part in parts) or empty


def pairs(labels: dict[str, str] | None) -> str:
    return joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def selector(obj: Obj | None) -> str:
    """A LabelSelector as text: `app=web,tier in (a,b)`."""
    obj = obj or {}
    parts = [f"{key}={value}" for key, value in sorted((obj.get("matchLabels") or {}).items())]
    parts += [_expression(item) for item in obj.get("matchExpressions") or ()]
    return joined(parts)


def _expression(item: Obj) -> str:
    key, values = str(item["key"]), ",".join(item.get("values") or ())
    forms = {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": key,
        "DoesNotExist": f"!{key}",
    }
    return forms.get(str(item["operator"]), key)
