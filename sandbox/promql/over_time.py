"""Aggregations of one series over its window: the `…_over_time` functions without further parameters."""

from collections.abc import Callable

from sandbox.promql.arithmetic import largest, mean, quantile, smallest, total, variance
from sandbox.promql.rates import Measure
from sandbox.promql.values import Points, Window


def _of_values(fn: Callable[[list[float]], float]) -> Measure:
    def measure(points: Points, window: Window) -> float:
        return fn(list(points.values))

    return measure


def _median_deviation(values: list[float]) -> float:
    middle = quantile(0.5, values)
    return quantile(0.5, [abs(value - middle) for value in values])


def _last(points: Points, window: Window) -> float:
    return points.values[-1]


def _present(points: Points, window: Window) -> float:
    return 1.0


OVER_TIME: dict[str, Measure] = {
    "avg_over_time": _of_values(mean),
    "min_over_time": _of_values(smallest),
    "max_over_time": _of_values(largest),
    "sum_over_time": _of_values(total),
    "count_over_time": _of_values(lambda values: float(len(values))),
    "stddev_over_time": _of_values(lambda values: variance(values) ** 0.5),
    "stdvar_over_time": _of_values(variance),
    "mad_over_time": _of_values(_median_deviation),
    "last_over_time": _last,
    "present_over_time": _present,
}
