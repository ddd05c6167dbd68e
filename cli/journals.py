"""Opening the journal from a command, beside a service that may be running on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from domain.errors import BadInput
from journal.sqlite import SqliteJournal
from utils.settings import Settings, journal_path
from utils.timing import SystemClock


@asynccontextmanager
async def open_journal(settings: Settings, *, sandbox: bool) -> AsyncIterator[SqliteJournal]:
    """The journal of the cluster or of the sandbox. Raises BadInput when there is none yet."""
    path, other = journal_path(settings, sandbox=sandbox), journal_path(settings, sandbox=True)
    if not path.exists() and other.exists():
        click.echo(f"There is no journal at {path} yet; this is the sandbox's.", err=True)
        path = other
    if not path.exists():
        raise BadInput(
            f"there is no journal at {path} yet; start with `python main.py demo`", field="files.journal"
        )
    async with SqliteJournal(path, clock=SystemClock()) as journal:
        yield journal
