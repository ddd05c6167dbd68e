"""Functions of an instant vector: element by element, of time, of labels."""

import math
import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime

from sandbox.promql.arithmetic import defined, logarithm, rounded, sign, whole
from sandbox.promql.errors import CannotEvaluate
from sandbox.promql.values import NAME, Labels, Sample, Vector, nameless, value_of, with_label

LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
GROUP_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


def _moment(part: Callable[[datetime], float]) -> Callable[[float], float]:
    """A part of the UTC date that unix seconds stand for."""
    return defined(lambda seconds: float(part(datetime.fromtimestamp(math.floor(seconds), UTC))))


DATES: dict[str, Callable[[float], float]] = {
    "minute": _moment(lambda at: at.minute),
    "hour": _moment(lambda at: at.hour),
    "day_of_week": _moment(lambda at: at.isoweekday() % 7),
    "day_of_month": _moment(lambda at: at.day),
    "day_of_year": _moment(lambda at: at.timetuple().tm_yday),
    "days_in_month": _moment(lambda at: monthrange(at.year, at.month)[1]),
    "month": _moment(lambda at: at.month),
    "year": _moment(lambda at: at.year),
}
ELEMENTS: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": whole(math.ceil),
    "floor": whole(math.floor),
    "exp": defined(math.exp),
    "ln": logarithm(math.log),
    "log2": logarithm(math.log2),
    "log10": logarithm(math.log10),
    "sqrt": defined(math.sqrt),
    "sgn": sign,
    "deg": math.degrees,
    "rad": math.radians,
    **{name: defined(getattr(math, name)) for name in ("sin", "cos", "tan", "asin", "acos", "atan")},
    **{name: defined(getattr(math, name)) for name in ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh")},
    **DATES,
}


def each(fn: Callable[[float], float], vector: Vector) -> Vector:
    """Every value calculated anew; metric names go."""
    return [Sample(nameless(labels), fn(value)) for labels, value in vector]


def unnamed(vector: Vector) -> Vector:
    """The same values without metric names."""
    return [Sample(nameless(labels), value) for labels, value in vector]


def clamp(vector: Vector, low: float, high: float) -> Vector:
    """Between two bounds; nothing when they are the wrong way round."""
    if low > high:
        return []
    if math.isnan(low) or math.isnan(high):
        return each(lambda value: math.nan, vector)
    return each(lambda value: value if math.isnan(value) else max(low, min(high, value)), vector)


def round_to(vector: Vector, to: float) -> Vector:
    return each(lambda value: rounded(value, to), vector)


def ordered(vector: Vector, *, descending: bool) -> Vector:
    """By value; NaN comes last."""

    def rank(sample: Sample) -> tuple[bool, float]:
        return math.isnan(sample.value), (-sample.value if descending else sample.value)

    return sorted(vector, key=rank)


def ordered_by_labels(vector: Vector, names: list[str], *, descending: bool) -> Vector:
    return sorted(vector, key=lambda s: [_natural(value_of(s.labels, n)) for n in names], reverse=descending)


def label_replace(vector: Vector, target: str, replacement: str, source: str, pattern: str) -> Vector:
    """Sets a label from another one where the pattern fits its whole value."""
    try:
        fits = re.compile(pattern).fullmatch
    except re.error as error:
        raise CannotEvaluate(f"invalid regular expression in label_replace(): {pattern}") from error
    _check_name(target, "label_replace")

    def replaced(labels: Labels) -> Labels:
        match = fits(value_of(labels, source))
        return labels if match is None else with_label(labels, target, _expanded(replacement, match))

    return [Sample(replaced(labels), value) for labels, value in vector]


def label_join(vector: Vector, target: str, separator: str, sources: list[str]) -> Vector:
    """Sets a label to the values of others, joined."""
    _check_name(target, "label_join")

    def joined(labels: Labels) -> Labels:
        return with_label(labels, target, separator.join(value_of(labels, name) for name in sources))

    return [Sample(joined(labels), value) for labels, value in vector]


def scalar_of(vector: Vector) -> float:
    """The value of the only element; NaN when there are none or several."""
    return vector[0].value if len(vector) == 1 else math.nan


def distinct(vector: Vector) -> Vector:
    """The vector itself. Raises CannotEvaluate when two elements have the same labels."""
    if len({sample.labels for sample in vector}) != len(vector):
        raise CannotEvaluate("vector cannot contain metrics with the same labelset")
    return vector


def _expanded(replacement: str, match: re.Match[str]) -> str:
    """`$1`, `${1}` and `${name}` filled in as Go does; unknown groups are empty, `$$` is a dollar."""

    def value(reference: re.Match[str]) -> str:
        group = reference[1] or reference[2]
        if group is None:
            return "$"
        if group.isdigit():
            return (match[int(group)] or "") if int(group) <= (match.re.groups) else ""
        return match.groupdict().get(group) or ""

    return GROUP_REFERENCE.sub(value, replacement)


def _check_name(name: str, function: str) -> None:
    if name != NAME and LABEL_NAME.fullmatch(name) is None:
        raise CannotEvaluate(f"invalid destination label name in {function}(): {name}")


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A key under which `node-10` comes after `node-9`."""
    parts = re.findall(r"\d+|\D+", text)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
