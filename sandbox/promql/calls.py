"""Function calls: each name with what it makes of its arguments."""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import promql_parser as ast

from sandbox.promql import functions, selectors
from sandbox.promql.arithmetic import quantile
from sandbox.promql.errors import CannotEvaluate
from sandbox.promql.histogram import histogram_quantile
from sandbox.promql.moment import Moment, ScalarPlan, VectorPlan, WindowPlan
from sandbox.promql.over_time import OVER_TIME
from sandbox.promql.rates import RATES, Measure, regression
from sandbox.promql.values import Points, Sample, Vector, Window, labels_from, nameless

Args = Sequence[ast.Expr]
MEASURES: dict[str, Measure] = {**RATES, **OVER_TIME}


class Compiles(Protocol):
    """How arguments become plans."""

    def scalar(self, expr: ast.Expr, /) -> ScalarPlan: ...

    def vector(self, expr: ast.Expr, /) -> VectorPlan: ...

    def window(self, expr: ast.Expr, /) -> WindowPlan: ...

    def text(self, expr: ast.Expr, /) -> str: ...


def scalar_call(name: str, args: Args, make: Compiles) -> ScalarPlan:
    """`time`, `pi` and `scalar`."""
    if name == "time":
        return lambda moment: moment.at_ms / 1000
    if name == "pi":
        return lambda moment: math.pi
    if name == "scalar":
        vector = make.vector(args[0])
        return lambda moment: functions.scalar_of(vector(moment))
    raise CannotEvaluate(f"the function {name!r} cannot be evaluated here")


def vector_call(name: str, args: Args, make: Compiles) -> VectorPlan:
    """Any function that gives a vector. Raises CannotEvaluate for one that is not known here."""
    if name in MEASURES:
        return _measured(make.window(args[0]), MEASURES[name], named=name == "last_over_time")
    if name in functions.ELEMENTS:
        return _elements(name, args, make)
    special = SPECIAL.get(name)
    if special is None:
        raise CannotEvaluate(f"the function {name!r} cannot be evaluated here")
    return special(args, make)


def _measured(window: WindowPlan, measure: Measure, *, named: bool = False) -> VectorPlan:
    def plan(moment: Moment) -> Vector:
        seen = window(moment)
        numbers = ((points.labels, measure(points, seen)) for points in seen.series)
        vector = [Sample(labels, number) for labels, number in numbers if number is not None]
        return vector if named else functions.distinct(functions.unnamed(vector))

    return plan


def _elements(name: str, args: Args, make: Compiles) -> VectorPlan:
    """Dates without an argument speak of the moment itself."""
    fn = functions.ELEMENTS[name]
    if not args:
        return lambda moment: [Sample((), fn(moment.at_ms / 1000))]
    vector = make.vector(args[0])
    return lambda moment: functions.distinct(functions.each(fn, vector(moment)))


def _with_numbers(fn: Callable[..., Vector], *defaults: float) -> "Special":
    """A function of a vector and numbers; `defaults` stand for those that are left out."""

    def compile_call(args: Args, make: Compiles) -> VectorPlan:
        vector = make.vector(args[0])
        numbers = [make.scalar(arg) for arg in args[1:]]
        rest = defaults[len(numbers) :]
        return lambda moment: functions.distinct(
            fn(vector(moment), *(number(moment) for number in numbers), *rest)
        )

    return compile_call


def _sorted(*, descending: bool) -> "Special":
    def compile_call(args: Args, make: Compiles) -> VectorPlan:
        vector = make.vector(args[0])
        return lambda moment: functions.ordered(vector(moment), descending=descending)

    return compile_call


def _sorted_by_label(*, descending: bool) -> "Special":
    def compile_call(args: Args, make: Compiles) -> VectorPlan:
        vector, names = make.vector(args[0]), [make.text(arg) for arg in args[1:]]
        return lambda moment: functions.ordered_by_labels(vector(moment), names, descending=descending)

    return compile_call


def _label_replace(args: Args, make: Compiles) -> VectorPlan:
    vector = make.vector(args[0])
    target, replacement, source, pattern = (make.text(arg) for arg in args[1:])
    return lambda moment: functions.distinct(
        functions.label_replace(vector(moment), target, replacement, source, pattern)
    )


def _label_join(args: Args, make: Compiles) -> VectorPlan:
    vector, target, separator = make.vector(args[0]), make.text(args[1]), make.text(args[2])
    sources = [make.text(arg) for arg in args[3:]]
    return lambda moment: functions.distinct(functions.label_join(vector(moment), target, separator, sources))


def _vector(args: Args, make: Compiles) -> VectorPlan:
    number = make.scalar(args[0])
    return lambda moment: [Sample((), number(moment))]


def _timestamp(args: Args, make: Compiles) -> VectorPlan:
    """Of a plain selector the samples' own times, of anything else the moment."""
    selector = args[0]
    if isinstance(selector, ast.VectorSelector):
        times = selectors.sample_times(selector)
        return lambda moment: functions.distinct(functions.unnamed(times(moment)))
    vector = make.vector(selector)
    return lambda moment: functions.distinct(functions.each(lambda _: moment.at_ms / 1000, vector(moment)))


def _absent(args: Args, make: Compiles) -> VectorPlan:
    vector, labels = make.vector(args[0]), labels_from(_fixed_labels(args[0]))
    return lambda moment: [] if vector(moment) else [Sample(labels, 1.0)]


def _absent_over_time(args: Args, make: Compiles) -> VectorPlan:
    window, labels = make.window(args[0]), labels_from(_fixed_labels(args[0]))
    return lambda moment: [] if window(moment).series else [Sample(labels, 1.0)]


def _fixed_labels(expr: ast.Expr) -> dict[str, str]:
    if isinstance(expr, ast.MatrixSelector):
        return selectors.equal_labels(expr.vector_selector)
    return selectors.equal_labels(expr) if isinstance(expr, ast.VectorSelector) else {}


def _histogram_quantile(args: Args, make: Compiles) -> VectorPlan:
    share, vector = make.scalar(args[0]), make.vector(args[1])
    return lambda moment: functions.distinct(histogram_quantile(share(moment), vector(moment)))


def _quantile_over_time(args: Args, make: Compiles) -> VectorPlan:
    share, window = make.scalar(args[0]), make.window(args[1])

    def plan(moment: Moment) -> Vector:
        wanted, seen = share(moment), window(moment)
        return functions.distinct(
            [Sample(nameless(p.labels), quantile(wanted, list(p.values))) for p in seen.series]
        )

    return plan


def _predict_linear(args: Args, make: Compiles) -> VectorPlan:
    """The regression line, extended from the moment by so many seconds."""
    window, ahead = make.window(args[0]), make.scalar(args[1])

    def plan(moment: Moment) -> Vector:
        seconds = ahead(moment)

        def measure(points: Points, seen: Window) -> float | None:
            if len(points.times) < 2:
                return None
            slope, now = regression(points, moment.at_ms)
            return slope * seconds + now

        return _measured(window, measure)(moment)

    return plan


Special = Callable[[Args, Compiles], VectorPlan]
SPECIAL: dict[str, Special] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _with_numbers(functions.clamp),
    "clamp_max": _with_numbers(lambda vector, high: functions.clamp(vector, -math.inf, high)),
    "clamp_min": _with_numbers(lambda vector, low: functions.clamp(vector, low, math.inf)),
    "histogram_quantile": _histogram_quantile,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "predict_linear": _predict_linear,
    "quantile_over_time": _quantile_over_time,
    "round": _with_numbers(functions.round_to, 1.0),
    "sort": _sorted(descending=False),
    "sort_desc": _sorted(descending=True),
    "sort_by_label": _sorted_by_label(descending=False),
    "sort_by_label_desc": _sorted_by_label(descending=True),
    "timestamp": _timestamp,
    "vector": _vector,
}
