"""Two services never share a journal; the lock of a killed one is free at once."""

import os
from pathlib import Path

import pytest

from cli.alone import alone_on
from domain.errors import Permanent
from tests.crash.child import command
from tests.crash.world import write_settings


async def test_a_second_service_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    write_settings(tmp_path, mode="auto")
    async with alone_on(tmp_path / "journal.db"):
        second = await command(tmp_path, "serve", "--port", "0")
    assert second.code == 1
    said = (tmp_path / "service.log").read_text(encoding="utf-8")
    assert f"another service (process {os.getpid()}) works on journal.db" in said


async def test_the_lock_is_free_again_once_its_holder_is_gone(tmp_path: Path) -> None:
    journal = tmp_path / "data" / "journal.db"
    async with alone_on(journal):
        with pytest.raises(Permanent, match="another service"):
            async with alone_on(journal):
                raise AssertionError("two hold it")
    async with alone_on(journal):
        assert not journal.exists(), "the lock leaves the journal itself alone"


async def test_a_lock_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(Permanent, match=r"set files\.journal"):
        async with alone_on(tmp_path / "data" / "journal.db"):
            raise AssertionError("it cannot be held")
