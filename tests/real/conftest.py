"""The service in this process, on an empty sandbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import Service, open_place, open_service
from utils.settings import Settings, load_settings

CONFIG = """\
server: {{port: 0}}
analyst: rules
files: {{journal: {folder}/journal.db, reports: {folder}/reports}}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything under the test's own folder, and nothing of the tester's environment."""
    for name in ("WEBHOOK_TOKEN", "API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return load_settings(config)


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """A service for which nothing exists that alerts may name."""
    async with open_place(settings, sandbox=True) as place, open_service(settings, place) as service:
        yield service
