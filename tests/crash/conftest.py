"""Worlds in which a rollout asks for an image that does not exist."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import scenario_file
from sandbox.scenario import load_scenario
from tests.crash.world import World, open_world

HERE = Path(__file__).parent


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """One broken deployment; changes are applied at once."""
    scenario = load_scenario(scenario_file("bad-image"))
    async with open_world(tmp_path, scenario, mode="auto") as opened:
        yield opened


@pytest.fixture
async def cautious_world(tmp_path: Path) -> AsyncIterator[World]:
    """Four broken deployments; every change waits for a person."""
    scenario = load_scenario(HERE / "four-bad-images.yaml")
    async with open_world(tmp_path, scenario, mode="approve") as opened:
        yield opened
