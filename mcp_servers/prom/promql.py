"""Reading and writing bits of PromQL: which metrics a query names, its unit, safe matchers."""

import json
import re
from collections.abc import Iterator

import promql_parser as ast

PER_SECOND = frozenset({"rate", "irate", "deriv"})
UNITLESS = frozenset(
    {"count", "group", "count_values", "absent", "absent_over_time", "count_over_time", "changes"}
)
SUFFIXES = {
    "seconds": "s",
    "milliseconds": "ms",
    "bytes": "bytes",
    "ratio": "ratio",
    "percent": "%",
    "celsius": "°C",
    "cores": "cores",
    "requests": "requests",
}
REGEX_SIGNS = re.compile(r"([.^$*+?{}\[\]|()\\])")


def metric_names(query: str) -> list[str]:
    """The metrics that a query selects by name; empty when it cannot be read."""
    try:
        tree = ast.parse(query)
    except ValueError:
        return []
    return list(dict.fromkeys(_names(tree)))


def unit_of(query: str) -> str:
    """The unit of a query's values as far as metric names tell it; empty when they do not."""
    try:
        return _unit(ast.parse(query))
    except ValueError:
        return ""


def matcher(label: str, value: str) -> str:
    """`label="value"`, or a regular expression where the value holds `*` for anything."""
    if "*" not in value:
        return f"{label}={quoted(value)}"
    return f"{label}=~{quoted('.*'.join(escaped(part) for part in value.split('*')))}"


def quoted(text: str) -> str:
    """A PromQL string; its escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def escaped(text: str) -> str:
    """The text as a regular expression that matches nothing else."""
    return REGEX_SIGNS.sub(r"\\\1", text)


def _parts(node: ast.Expr) -> list[ast.Expr]:
    match node:
        case ast.BinaryExpr():
            return [node.lhs, node.rhs]
        case ast.Call():
            return list(node.args)
        case ast.AggregateExpr() | ast.ParenExpr() | ast.SubqueryExpr() | ast.UnaryExpr():
            return [node.expr]
        case ast.MatrixSelector():
            return [node.vector_selector]
    return []


def _names(node: ast.Expr) -> Iterator[str]:
    if isinstance(node, ast.VectorSelector) and node.name:
        yield node.name
    for part in _parts(node):
        yield from _names(part)


def _unit(node: ast.Expr) -> str:
    match node:
        case ast.VectorSelector():
            return _unit_of_name(node.name or "")
        case ast.Call():
            return _unit_of_call(node)
        case ast.BinaryExpr():
            return _unit_of_operation(node)
        case ast.AggregateExpr() if str(node.op) in UNITLESS:
            return ""
    parts = _parts(node)
    return _unit(parts[0]) if parts else ""


def _unit_of_name(name: str) -> str:
    words = name.split("_")
    while words and words[-1] in ("total", "sum", "bucket", "max", "min"):
        words.pop()
    return SUFFIXES.get(words[-1], "") if words else ""


def _unit_of_call(node: ast.Call) -> str:
    vectors = [part for part in node.args if not isinstance(part, ast.NumberLiteral | ast.StringLiteral)]
    if node.func.name in UNITLESS or not vectors:
        return ""
    if node.func.name == "histogram_quantile":  # of buckets, whose counts have no unit of their own
        return _unit_of_name(next(iter(_names(vectors[0])), ""))
    unit = _unit(vectors[0])
    if node.func.name not in PER_SECOND:
        return unit
    return "s/s" if unit == "s" else f"{unit}/s"


def _unit_of_operation(node: ast.BinaryExpr) -> str:
    """A quotient of like things is a ratio; with a plain number the unit cannot be known any more."""
    left, right = _unit(node.lhs), _unit(node.rhs)
    sign = str(node.op)
    if sign == "/" and left == right and list(_names(node.lhs)) and list(_names(node.rhs)):
        return "ratio"
    return left if sign not in ("*", "/", "%", "^") else ""
