"""Selectors: which series are meant, and which of their points; offset, `@` and subqueries."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as ast

from sandbox.promql.errors import BadQuery, CannotEvaluate
from sandbox.promql.moment import SUBQUERY_STEP_MS, Moment, VectorPlan, WindowPlan
from sandbox.promql.values import NAME, Labels, Points, Sample, Series, Window

Reference = Callable[[Moment], int]
"""The moment that a selector speaks of, in milliseconds."""
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class Finder:
    """The series of one selector; looked up once for all moments of a query."""

    matchers: "list[Wanted]"

    def __call__(self, moment: Moment) -> Sequence[Series]:
        found = moment.found.get(self)
        if found is None:
            found = moment.found[self] = moment.source.select(self.matchers)
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """A condition on one label."""

    name: str
    matches: Callable[[str], bool]
    exact: str | None = None


def matchers_of(selector: ast.VectorSelector) -> list[Wanted]:
    """Conditions of a selector, its metric name included. Raises CannotEvaluate for `or` between them."""
    if selector.matchers.or_matchers:
        raise CannotEvaluate("matchers joined by `or` cannot be evaluated here; use `or` between selectors")
    named = [_equal(NAME, selector.name)] if selector.name else []
    return [*named, *(_wanted(matcher) for matcher in selector.matchers.matchers)]


def equal_labels(selector: ast.VectorSelector) -> dict[str, str]:
    """Labels that the selector fixes to one value; what `absent` gives its result."""
    fixed: dict[str, str] = {}
    doubtful: set[str] = set()
    for matcher in selector.matchers.matchers:
        if matcher.op == ast.MatchOp.Equal and matcher.name not in fixed:
            fixed[matcher.name] = matcher.value
        else:
            doubtful.add(matcher.name)
    return {name: value for name, value in fixed.items() if name not in doubtful and name != NAME}


def vector_selector(selector: ast.VectorSelector) -> VectorPlan:
    find, reference = Finder(matchers_of(selector)), _reference(selector.offset, selector.at)

    def plan(moment: Moment) -> list[Sample]:
        at_ms = reference(moment)
        latest = ((series.labels, series.latest(at_ms, moment.lookback_ms)) for series in find(moment))
        return [Sample(labels, point[1]) for labels, point in latest if point is not None]

    return plan


def sample_times(selector: ast.VectorSelector) -> VectorPlan:
    """Like the selector, but the value is the sample's own time in seconds: what `timestamp` wants."""
    find, reference = Finder(matchers_of(selector)), _reference(selector.offset, selector.at)

    def plan(moment: Moment) -> list[Sample]:
        at_ms = reference(moment)
        latest = ((series.labels, series.latest(at_ms, moment.lookback_ms)) for series in find(moment))
        return [Sample(labels, point[0] / 1000) for labels, point in latest if point is not None]

    return plan


def matrix_selector(selector: ast.MatrixSelector) -> WindowPlan:
    inner = selector.vector_selector
    find, reference = Finder(matchers_of(inner)), _reference(inner.offset, inner.at)
    range_ms = selector.range // MILLISECOND

    def plan(moment: Moment) -> Window:
        end_ms = reference(moment)
        found = [_points(series, end_ms - range_ms, end_ms) for series in find(moment)]
        return Window(end_ms - range_ms, end_ms, [points for points in found if points.times])

    return plan


def subquery(query: ast.SubqueryExpr, inner: VectorPlan) -> WindowPlan:
    """The inner expression at every step of the range; steps are aligned to multiples of their length."""
    reference = _reference(query.offset, query.at)
    range_ms = (query.range or timedelta()) // MILLISECOND
    step_ms = query.step // MILLISECOND if query.step else SUBQUERY_STEP_MS

    def plan(moment: Moment) -> Window:
        end_ms = reference(moment)
        first_ms = -(-(end_ms - range_ms) // step_ms) * step_ms
        collected: dict[Labels, tuple[list[int], list[float]]] = {}
        for at_ms in range(first_ms, end_ms + 1, step_ms):
            for labels, value in inner(moment.moved(at_ms)):
                times, values = collected.setdefault(labels, ([], []))
                times.append(at_ms)
                values.append(value)
        series = [Points(labels, times, values) for labels, (times, values) in collected.items()]
        return Window(end_ms - range_ms, end_ms, series)

    return plan


def pattern_of(text: str) -> re.Pattern[str]:
    """A regular expression that has to fit the whole value. Raises BadQuery."""
    try:
        return re.compile(text)
    except re.error as error:
        raise BadQuery(f"error parsing regexp: {error}: `{text}`") from error


def _points(series: Series, start_ms: int, end_ms: int) -> Points:
    return Points(series.labels, *series.window(start_ms, end_ms))


def _reference(offset: timedelta | None, at: ast.AtModifier | None) -> Reference:
    offset_ms = (offset or timedelta()) // MILLISECOND
    if at is None:
        return lambda moment: moment.at_ms - offset_ms
    if at.type == ast.AtModifierType.Start:
        return lambda moment: moment.start_ms - offset_ms
    if at.type == ast.AtModifierType.End:
        return lambda moment: moment.end_ms - offset_ms
    fixed_ms = round(at.at.timestamp() * 1000) if at.at is not None else 0
    return lambda moment: fixed_ms - offset_ms


def _wanted(matcher: ast.Matcher) -> Wanted:
    name, value = matcher.name, matcher.value
    if matcher.op == ast.MatchOp.Equal:
        return _equal(name, value)
    if matcher.op == ast.MatchOp.NotEqual:
        return Wanted(name, value.__ne__)
    fits = pattern_of(value).fullmatch
    if matcher.op == ast.MatchOp.Re:
        return Wanted(name, lambda found: fits(found) is not None)
    return Wanted(name, lambda found: fits(found) is None)


def _equal(name: str, value: str) -> Wanted:
    return Wanted(name, value.__eq__, exact=value)
