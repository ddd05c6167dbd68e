"""What `incidents` prints for people: foreign titles as they are, and nothing that commands a terminal."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.incidents import incidents
from journal.sqlite import SqliteJournal
from tests.fakes import FakeClock
from tests.journal import samples


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings whose journal holds one incident with a hostile title."""
    journal, file = tmp_path / "journal.db", tmp_path / "config.yaml"
    file.write_text(f"files: {{journal: {journal}}}\n")

    async def fill() -> None:
        async with SqliteJournal(journal, clock=FakeClock()) as opened:
            await opened.save(replace(samples.incident(), title="[/red] \x1b[2Jweb [bold]"))

    asyncio.run(fill())
    return file


def test_a_title_is_neither_markup_nor_a_command_to_the_terminal(config: Path) -> None:
    result = CliRunner().invoke(incidents, ["--config", str(config)])
    assert result.exit_code == 0, result.exception
    assert "[/red] [2Jweb" in " ".join(result.output.split())
    assert "\x1b" not in result.output
