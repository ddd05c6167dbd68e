"""Opening the journal from a command, beside a service that may be running on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from domain.errors import BadInput
from journal.port import UnknownIncident
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


@asynccontextmanager
async def open_journal_of(
    settings: Settings, incident_id: str, *, sandbox: bool
) -> AsyncIterator[SqliteJournal]:
    """The journal that holds this incident: the cluster's unless only the sandbox's knows it.

    A command line copied from a report or a demo so works without anybody remembering `--sandbox`.
    """
    if not sandbox and await _only_sandbox_knows(settings, incident_id):
        click.echo("This incident is the sandbox's.", err=True)
        sandbox = True
    async with open_journal(settings, sandbox=sandbox) as journal:
        yield journal


async def _only_sandbox_knows(settings: Settings, incident_id: str) -> bool:
    cluster, sandbox = (journal_path(settings, sandbox=flag) for flag in (False, True))
    return not await _knows(cluster, incident_id) and await _knows(sandbox, incident_id)


async def _knows(path: Path, incident_id: str) -> bool:
    if not path.exists():  # noqa: ASYNC240 - once, before a command does anything else
        return False
    async with SqliteJournal(path, clock=SystemClock()) as journal:
        try:
            await journal.load(incident_id)
        except UnknownIncident:
            return False
    return True
