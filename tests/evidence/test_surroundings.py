"""Looks around a target: what fails costs only itself."""

import pytest

from domain.errors import ToolFailed, ToolUnavailable
from evidence.surroundings import those_seen


async def seen(value: int) -> int:
    return value


async def gone(error: Exception) -> int:
    raise error


async def test_a_thing_that_is_gone_does_not_cost_the_others() -> None:
    assert await those_seen([seen(1), gone(ToolFailed("not found")), seen(3)]) == [1, 3]
    assert await those_seen([]) == []


async def test_when_nothing_can_be_seen_it_is_said_why() -> None:
    with pytest.raises(ToolUnavailable, match="kube-read is gone"):
        await those_seen(
            [gone(ToolUnavailable("kube-read is gone")), gone(ToolUnavailable("kube-read is gone"))]
        )


async def test_a_defect_is_not_taken_for_something_that_is_gone() -> None:
    with pytest.raises(ZeroDivisionError):
        await those_seen([seen(1), gone(ZeroDivisionError())])
