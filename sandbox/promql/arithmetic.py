"""Numbers as Go calculates with them: division by zero, overflow and undefined results are values."""

import math
from collections.abc import Callable

NAN = math.nan


def divide(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return NAN
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(left: float, right: float) -> float:
    if right == 0 or math.isinf(left):
        return NAN
    return math.fmod(left, right)


def power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 == 1 else math.inf
    except ValueError:  # a root of a negative number, or zero to a negative power
        return math.inf if left == 0 else NAN


def defined(fn: Callable[[float], float], *, overflow: float = math.inf) -> Callable[[float], float]:
    """The function with NaN where Python refuses, and `overflow` where the result is too large."""

    def calculate(value: float) -> float:
        try:
            return fn(value)
        except OverflowError:
            return overflow
        except ValueError:
            return NAN

    return calculate


def logarithm(fn: Callable[[float], float]) -> Callable[[float], float]:
    safe = defined(fn)
    return lambda value: -math.inf if value == 0 else safe(value)


def whole(fn: Callable[[float], int]) -> Callable[[float], float]:
    """Rounding that leaves infinities and NaN alone."""
    return lambda value: float(fn(value)) if math.isfinite(value) else value


def rounded(value: float, to: float) -> float:
    """To the nearest multiple; ties go up."""
    inverse = divide(1.0, to)
    scaled = value * inverse + 0.5
    return divide(float(math.floor(scaled)), inverse) if math.isfinite(scaled) else scaled


def sign(value: float) -> float:
    return value if math.isnan(value) or value == 0 else math.copysign(1.0, value)


def quantile(share: float, values: list[float]) -> float:
    """The φ-quantile with linear interpolation between neighbours."""
    if not values or math.isnan(share):
        return NAN
    if share < 0 or share > 1:
        return math.copysign(math.inf, share - 0.5)
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = share * (len(ordered) - 1)
    low = max(0, math.floor(rank))
    high = min(len(ordered) - 1, low + 1)
    weight = rank - math.floor(rank)
    return ordered[low] * (1 - weight) + ordered[high] * weight


def total(values: list[float]) -> float:
    """The exact sum; infinities and NaN as they come."""
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


def mean(values: list[float]) -> float:
    return total(values) / len(values)


def variance(values: list[float]) -> float:
    """Of the whole population."""
    middle = mean(values)
    return total([(value - middle) ** 2 for value in values]) / len(values)


def smallest(values: list[float]) -> float:
    """Ignores NaN unless there is nothing else."""
    return min((value for value in values if not math.isnan(value)), default=NAN)


def largest(values: list[float]) -> float:
    """Ignores NaN unless there is nothing else."""
    return max((value for value in values if not math.isnan(value)), default=NAN)
