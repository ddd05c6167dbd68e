"""From the parser's tree to plans: functions that give a scalar, a vector or a window for a moment.

The parser has checked types and numbers of arguments; what it knows and this module does not is refused with
CannotEvaluate.
"""

from enum import Enum
from typing import cast

import promql_parser as ast

from sandbox.promql import aggregate, binary, selectors
from sandbox.promql.calls import scalar_call, vector_call
from sandbox.promql.errors import CannotEvaluate
from sandbox.promql.functions import distinct, each
from sandbox.promql.moment import ScalarPlan, VectorPlan, WindowPlan
from sandbox.promql.values import Sample


class Type(Enum):
    """What an expression gives, in the words of Prometheus' messages."""

    SCALAR = "scalar"
    STRING = "string"
    VECTOR = "instant vector"
    MATRIX = "range vector"


def type_of(expr: ast.Expr) -> Type:
    """What evaluating the expression gives."""
    match expr:
        case ast.NumberLiteral():
            return Type.SCALAR
        case ast.StringLiteral():
            return Type.STRING
        case ast.MatrixSelector() | ast.SubqueryExpr():
            return Type.MATRIX
        case ast.ParenExpr() | ast.UnaryExpr():
            return type_of(expr.expr)
        case ast.Call():
            return Type.SCALAR if expr.func.return_type == ast.ValueType.Scalar else Type.VECTOR
        case ast.BinaryExpr():
            both = type_of(expr.lhs) == type_of(expr.rhs) == Type.SCALAR
            return Type.SCALAR if both else Type.VECTOR
    return Type.VECTOR


def scalar_plan(expr: ast.Expr) -> ScalarPlan:
    match expr:
        case ast.NumberLiteral():
            number = expr.val
            return lambda moment: number
        case ast.ParenExpr():
            return scalar_plan(expr.expr)
        case ast.UnaryExpr():
            positive = scalar_plan(expr.expr)
            return lambda moment: -positive(moment)
        case ast.BinaryExpr():
            return binary.scalars(str(expr.op), scalar_plan(expr.lhs), scalar_plan(expr.rhs))
        case ast.Call():
            return scalar_call(expr.func.name, expr.args, COMPILER)
    raise CannotEvaluate(f"no number can be made of {expr}")


def vector_plan(expr: ast.Expr) -> VectorPlan:
    match expr:
        case ast.VectorSelector():
            return selectors.vector_selector(expr)
        case ast.ParenExpr():
            return vector_plan(expr.expr)
        case ast.UnaryExpr():
            return _negated(vector_plan(expr.expr))
        case ast.AggregateExpr():
            return _aggregation(expr)
        case ast.BinaryExpr():
            return _binary(expr)
        case ast.Call():
            return vector_call(expr.func.name, expr.args, COMPILER)
    raise CannotEvaluate(f"no vector can be made of {expr}")


def window_plan(expr: ast.Expr) -> WindowPlan:
    match expr:
        case ast.MatrixSelector():
            return selectors.matrix_selector(expr)
        case ast.SubqueryExpr():
            return selectors.subquery(expr, as_vector(expr.expr))
        case ast.ParenExpr():
            return window_plan(expr.expr)
    raise CannotEvaluate(f"no range vector can be made of {expr}")


def text_of(expr: ast.Expr) -> str:
    """The value of a string literal."""
    while isinstance(expr, ast.ParenExpr):
        expr = expr.expr
    return cast(ast.StringLiteral, expr).val


class Compiler:
    """What calls need to compile their arguments; handed over, as arguments are expressions themselves."""

    scalar = staticmethod(scalar_plan)
    vector = staticmethod(vector_plan)
    window = staticmethod(window_plan)
    text = staticmethod(text_of)


COMPILER = Compiler()


def as_vector(expr: ast.Expr) -> VectorPlan:
    """A vector, or a scalar as a vector of one element without labels."""
    if type_of(expr) != Type.SCALAR:
        return vector_plan(expr)
    number = scalar_plan(expr)
    return lambda moment: [Sample((), number(moment))]


def _negated(inner: VectorPlan) -> VectorPlan:
    return lambda moment: distinct(each(lambda value: -value, inner(moment)))


def _aggregation(expr: ast.AggregateExpr) -> VectorPlan:
    op, inner = str(expr.op), vector_plan(expr.expr)
    grouping = aggregate.grouping_of(expr.modifier, op)
    match op:
        case "topk" | "bottomk":
            count = scalar_plan(_param(expr))
            return aggregate.best(count, grouping, inner, largest_first=op == "topk")
        case "quantile":
            return aggregate.quantiles(scalar_plan(_param(expr)), grouping, inner)
        case "count_values":
            return aggregate.count_values(text_of(_param(expr)), grouping, inner)
    return aggregate.folded(op, grouping, inner)


def _param(expr: ast.AggregateExpr) -> ast.Expr:
    return cast(ast.Expr, expr.param)


def _binary(expr: ast.BinaryExpr) -> VectorPlan:
    op, modifier = str(expr.op), expr.modifier
    if modifier is not None and (modifier.fill_values.lhs, modifier.fill_values.rhs) != (None, None):
        raise CannotEvaluate("fill modifiers cannot be evaluated here")
    truth = modifier is not None and modifier.return_bool
    if type_of(expr.lhs) == Type.SCALAR:
        left, right = scalar_plan(expr.lhs), vector_plan(expr.rhs)
        return _checked(binary.vector_scalar(op, right, left, scalar_first=True, truth=truth))
    if type_of(expr.rhs) == Type.SCALAR:
        vector, number = vector_plan(expr.lhs), scalar_plan(expr.rhs)
        return _checked(binary.vector_scalar(op, vector, number, scalar_first=False, truth=truth))
    both = vector_plan(expr.lhs), vector_plan(expr.rhs)
    matching = binary.Matching.of(modifier)
    if op in binary.SETS:
        return binary.sets(op, *both, matching)
    return binary.vectors(op, *both, matching, truth=truth)


def _checked(plan: VectorPlan) -> VectorPlan:
    return lambda moment: distinct(plan(moment))
