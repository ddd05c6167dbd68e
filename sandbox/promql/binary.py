"""Binary operators between scalars and vectors, with vector matching and set operators."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import promql_parser as ast

from sandbox.promql.arithmetic import divide, modulo, power
from sandbox.promql.errors import CannotEvaluate
from sandbox.promql.moment import Moment, ScalarPlan, VectorPlan
from sandbox.promql.values import (
    NAME,
    Labels,
    Sample,
    Vector,
    metric_text,
    nameless,
    only,
    value_of,
    with_label,
    without,
)

ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divide,
    "%": modulo,
    "^": power,
    "atan2": math.atan2,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
SETS = ("and", "or", "unless")


@dataclass(frozen=True, slots=True)
class Matching:
    """How elements of two vectors find each other, and what the result is called."""

    names: frozenset[str]
    on: bool
    many: str  # "", "left" or "right": the side that may have several elements in a group
    include: tuple[str, ...]

    @classmethod
    def of(cls, modifier: ast.BinModifier | None) -> "Matching":
        if modifier is None:
            return cls(frozenset(), False, "", ())
        matching = modifier.matching
        on = matching is not None and matching.type == ast.LabelModifierType.Include
        names = frozenset(matching.labels) if matching is not None else frozenset()
        return cls(names, on, _many_side(modifier.card), tuple(modifier.group_labels or ()))

    def signature(self, labels: Labels) -> Labels:
        return only(labels, self.names) if self.on else without(labels, self.names | {NAME})

    def result(self, many: Labels, one: Labels, *, named: bool) -> Labels:
        labels = many if named else nameless(many)
        if not self.many:
            labels = only(labels, self.names) if self.on else without(labels, self.names)
        for name in self.include:
            labels = with_label(labels, name, value_of(one, name))
        return labels


def scalars(op: str, left: ScalarPlan, right: ScalarPlan) -> ScalarPlan:
    calculate = ARITHMETIC.get(op) or COMPARISONS[op]
    return lambda moment: float(calculate(left(moment), right(moment)))


def vector_scalar(
    op: str, vector: VectorPlan, scalar: ScalarPlan, *, scalar_first: bool, truth: bool
) -> VectorPlan:
    """Every element with the same number; a comparison filters, or gives 0 and 1 with `bool`."""
    combine = _combination(op, truth=truth)
    named = op in COMPARISONS and not truth

    def plan(moment: Moment) -> Vector:
        number, result = scalar(moment), []
        for labels, value in vector(moment):
            combined = combine(number, value) if scalar_first else combine(value, number)
            if combined is not None:
                kept = value if named else combined  # a filter keeps the element's own value
                result.append(Sample(labels if named else nameless(labels), kept))
        return result

    return plan


def vectors(op: str, left: VectorPlan, right: VectorPlan, matching: Matching, *, truth: bool) -> VectorPlan:
    """Elements with the same signature. Raises CannotEvaluate where the match is not unique."""
    combine = _combination(op, truth=truth)
    named = op in COMPARISONS and not truth
    swapped = matching.many == "right"

    def plan(moment: Moment) -> Vector:
        many, one = (right, left) if swapped else (left, right)
        elements = many(moment)
        partners = _unique(one(moment), matching, side="left" if swapped else "right") if elements else {}
        result: dict[Labels, Sample] = {}
        seen: set[Labels] = set()
        for labels, value in elements:
            signature = matching.signature(labels)
            partner = partners.get(signature)
            if partner is None:
                continue
            pair = (partner.value, value) if swapped else (value, partner.value)
            combined = combine(*pair)
            if combined is None:
                continue
            metric = matching.result(labels, partner.labels, named=named)
            _check_unique(matching, signature, metric, seen, result)
            seen.add(signature)
            result[metric] = Sample(metric, combined)
        return list(result.values())

    return plan


def sets(op: str, left: VectorPlan, right: VectorPlan, matching: Matching) -> VectorPlan:
    """`and`, `or` and `unless`."""

    def plan(moment: Moment) -> Vector:
        ours, theirs = left(moment), right(moment)
        if op == "or":
            known = {matching.signature(sample.labels) for sample in ours}
            return ours + [sample for sample in theirs if matching.signature(sample.labels) not in known]
        known = {matching.signature(sample.labels) for sample in theirs}
        return [sample for sample in ours if (matching.signature(sample.labels) in known) == (op == "and")]

    return plan


def _many_side(card: ast.VectorMatchCardinality) -> str:
    if card == ast.VectorMatchCardinality.ManyToOne:
        return "left"
    return "right" if card == ast.VectorMatchCardinality.OneToMany else ""


def _combination(op: str, *, truth: bool) -> Callable[[float, float], float | None]:
    """The operator on two values; None where a comparison lets nothing through."""
    if op in ARITHMETIC:
        return ARITHMETIC[op]
    compare = COMPARISONS[op]
    if truth:
        return lambda left, right: float(compare(left, right))
    return lambda left, right: left if compare(left, right) else None


def _unique(vector: Vector, matching: Matching, *, side: str) -> dict[Labels, Sample]:
    partners: dict[Labels, Sample] = {}
    for sample in vector:
        signature = matching.signature(sample.labels)
        if signature in partners:
            both = f"[{metric_text(sample.labels)}, {metric_text(partners[signature].labels)}]"
            raise CannotEvaluate(
                f"found duplicate series for the match group {metric_text(signature)} on the {side} "
                f"hand-side of the operation: {both};many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
        partners[signature] = sample
    return partners


def _check_unique(
    matching: Matching, signature: Labels, metric: Labels, seen: set[Labels], result: dict[Labels, Sample]
) -> None:
    if not matching.many and signature in seen:
        raise CannotEvaluate(
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        )
    if matching.many and metric in result:
        raise CannotEvaluate("multiple matches for labels: grouping labels must ensure unique matches")
