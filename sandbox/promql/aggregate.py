"""Aggregations: samples are grouped by labels, and each group becomes one sample, or its k best."""

import math
from collections.abc import Callable
from functools import partial

import promql_parser as ast

from sandbox.promql.arithmetic import largest, mean, quantile, smallest, total, variance
from sandbox.promql.errors import BadQuery, CannotEvaluate
from sandbox.promql.moment import Moment, ScalarPlan, VectorPlan
from sandbox.promql.values import (
    NAME,
    Labels,
    Sample,
    Vector,
    number_text,
    only,
    with_label,
    without,
)

Grouping = Callable[[Labels], Labels]
Fold = Callable[[list[float]], float]

FOLDS: dict[str, Fold] = {
    "sum": total,
    "avg": mean,
    "min": smallest,
    "max": largest,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0,
    "stddev": lambda values: variance(values) ** 0.5,
    "stdvar": variance,
}


def folded(op: str, grouping: Grouping, inner: VectorPlan) -> VectorPlan:
    """One sample a group. Raises CannotEvaluate for an operator that is not known here."""
    fold = FOLDS.get(op)
    if fold is None:
        raise CannotEvaluate(f"the aggregation {op!r} cannot be evaluated here")

    def plan(moment: Moment) -> Vector:
        groups = _grouped(inner(moment), grouping)
        return [Sample(labels, fold([s.value for s in group])) for labels, group in groups.items()]

    return plan


def quantiles(share: ScalarPlan, grouping: Grouping, inner: VectorPlan) -> VectorPlan:
    def plan(moment: Moment) -> Vector:
        groups, wanted = _grouped(inner(moment), grouping), share(moment)
        return [Sample(labels, quantile(wanted, [s.value for s in g])) for labels, g in groups.items()]

    return plan


def best(count: ScalarPlan, grouping: Grouping, inner: VectorPlan, *, largest_first: bool) -> VectorPlan:
    """`topk` and `bottomk`: samples keep their labels; NaN comes last."""

    def plan(moment: Moment) -> Vector:
        wanted = count(moment)
        if math.isnan(wanted):
            raise CannotEvaluate(f"Scalar value {wanted} overflows int64")
        groups = _grouped(inner(moment), grouping).values()
        rank = partial(_rank, largest_first=largest_first)
        return [sample for group in groups for sample in sorted(group, key=rank)[: max(0, int(wanted))]]

    return plan


def count_values(label: str, grouping: Grouping, inner: VectorPlan) -> VectorPlan:
    """How often each value occurs; the value becomes a label."""

    def plan(moment: Moment) -> Vector:
        counts: dict[Labels, int] = {}
        for labels, value in inner(moment):
            key = with_label(grouping(labels), label, number_text(value))
            counts[key] = counts.get(key, 0) + 1
        return [Sample(labels, float(count)) for labels, count in counts.items()]

    return plan


def grouping_of(modifier: ast.AggModifier | None, op: str) -> Grouping:
    """By which labels is grouped. Raises BadQuery for a modifier without labels that cannot be read."""
    if modifier is None:
        return lambda labels: ()
    names = frozenset(modifier.labels)
    if modifier.type == ast.AggModifierType.By:
        return lambda labels: only(labels, names)
    if modifier.type == ast.AggModifierType.Without:
        return lambda labels: without(labels, names | {NAME})
    raise BadQuery(f"unexpected modifier of {op}")


def _grouped(vector: Vector, grouping: Grouping) -> dict[Labels, list[Sample]]:
    groups: dict[Labels, list[Sample]] = {}
    for sample in vector:
        groups.setdefault(grouping(sample.labels), []).append(sample)
    return groups


def _rank(sample: Sample, *, largest_first: bool) -> tuple[bool, float]:
    value = sample.value
    return math.isnan(value), (-value if largest_first else value)
