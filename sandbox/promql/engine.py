"""Queries at a moment and along a range. Texts are compiled once, as rules ask the same again and again."""

from functools import lru_cache

import promql_parser as ast

from sandbox.promql.compile import Type, as_vector, scalar_plan, text_of, type_of, window_plan
from sandbox.promql.errors import BadQuery
from sandbox.promql.moment import LOOKBACK_MS, Moment, VectorPlan
from sandbox.promql.selectors import Wanted, matchers_of
from sandbox.promql.values import Labels, Points, Source, Vector, Window

MAX_POINTS = 11_000  # a series, as Prometheus bounds it

Value = float | str | Vector | Window


@lru_cache(maxsize=512)
def parsed(text: str) -> ast.Expr:
    """The tree of a text. Raises BadQuery."""
    try:
        tree: ast.Expr = ast.parse(text)
    except ValueError as error:
        raise BadQuery(str(error)) from error
    return tree


@lru_cache(maxsize=512)
def vector_query(text: str) -> VectorPlan:
    """A plan that gives a vector; a scalar becomes one without labels. Raises BadQuery, CannotEvaluate."""
    expr = parsed(text)
    kind = type_of(expr)
    if kind in (Type.SCALAR, Type.VECTOR):
        return as_vector(expr)
    raise BadQuery(
        f'invalid expression type "{kind.value}" for range query, must be Scalar or instant Vector'
    )


def selection(text: str) -> list[Wanted]:
    """The conditions of a series selector. Raises BadQuery for any other expression."""
    expr = parsed(text)
    if not isinstance(expr, ast.VectorSelector):
        raise BadQuery("expected a series selector")
    return matchers_of(expr)


def instant(text: str, source: Source, at_ms: int, *, lookback_ms: int = LOOKBACK_MS) -> Value:
    """What the query gives at a moment: a number, a text, a vector, or a window for a range selector."""
    expr = parsed(text)
    moment = Moment(source, at_ms, at_ms, at_ms, lookback_ms)
    match type_of(expr):
        case Type.STRING:
            return text_of(expr)
        case Type.SCALAR:
            return scalar_plan(expr)(moment)
        case Type.MATRIX:
            return window_plan(expr)(moment)
    return vector_query(text)(moment)


def along(
    text: str, source: Source, start_ms: int, end_ms: int, step_ms: int, *, lookback_ms: int = LOOKBACK_MS
) -> list[Points]:
    """One series per label set, with the query's value at every step, ordered by labels."""
    plan = vector_query(text)
    moment = Moment(source, start_ms, start_ms, end_ms, lookback_ms)
    collected: dict[Labels, tuple[list[int], list[float]]] = {}
    for at_ms in range(start_ms, end_ms + 1, step_ms):
        for labels, value in plan(moment.moved(at_ms)):
            times, values = collected.setdefault(labels, ([], []))
            times.append(at_ms)
            values.append(value)
    return [Points(labels, *collected[labels]) for labels in sorted(collected)]
