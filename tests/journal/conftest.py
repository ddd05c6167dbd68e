from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from journal.sqlite import SqliteJournal
from tests.fakes import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(path, clock=FakeClock()) as opened:
        yield opened
