"""The bounds of a row, checked against the arguments of an action."""

from collections.abc import Callable, Mapping

from domain.decision import Action
from policy.table import Row
from utils.quantity import UNLIMITED, parse_quantity


def broken_limit(action: Action, row: Row) -> str | None:
    """The first limit that the action's arguments break, in words; None when all hold."""
    for check in CHECKS:
        if broken := check(action.arguments, row):
            return broken
    return None


def _replicas(arguments: Mapping[str, object], row: Row) -> str | None:
    for name in ("replicas", "min_replicas", "max_replicas"):
        replicas = arguments.get(name)
        if replicas is None:
            continue
        if not isinstance(replicas, int):
            return f"{name} {replicas!r} is no whole number"
        if row.min_replicas is not None and replicas < row.min_replicas:
            return f"{name} {replicas} is below min_replicas {row.min_replicas}"
        if row.max_replicas is not None and replicas > row.max_replicas:
            return f"{name} {replicas} is above max_replicas {row.max_replicas}"
    return None


def _memory(arguments: Mapping[str, object], row: Row) -> str | None:
    return _above(arguments, ("memory_limit", "memory_request"), "max_memory", row.max_memory)


def _cpu(arguments: Mapping[str, object], row: Row) -> str | None:
    return _above(arguments, ("cpu_limit", "cpu_request"), "max_cpu", row.max_cpu)


def _storage(arguments: Mapping[str, object], row: Row) -> str | None:
    return _above(arguments, ("size",), "max_storage", row.max_storage)


def _above(
    arguments: Mapping[str, object], names: tuple[str, ...], limit: str, most: str | None
) -> str | None:
    for name in names:
        asked = arguments.get(name)
        if most is None or not asked:
            continue
        if asked == UNLIMITED or parse_quantity(str(asked)) > parse_quantity(most):
            return f"{name} {asked} is above {limit} {most}"
    return None


CHECKS: tuple[Callable[[Mapping[str, object], Row], str | None], ...] = (_replicas, _memory, _cpu, _storage)
