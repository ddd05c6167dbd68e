"""`incidents` and `report`: what the journal holds, for people and for scripts."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from cli.common import Stopped, config_option, run, sandbox_option, settings_from
from cli.journals import open_journal, open_journal_of
from domain.incident import IncidentState
from journal.port import IncidentSummary
from report.markdown import render
from utils.settings import Settings
from utils.words import printable


@click.command()
@click.option("--state", type=click.Choice([state.value for state in IncidentState]), help="Only these.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@sandbox_option
@config_option
def incidents(state: str | None, limit: int, as_json: bool, sandbox: bool, config: Path | None) -> None:
    """List incidents, newest first."""
    settings = settings_from(config)
    found = run(_incidents(settings, sandbox, IncidentState(state) if state else None, limit))
    if as_json:
        click.echo(json.dumps([asdict(summary) for summary in found], default=str, indent=2))
        return
    _print(found)


@click.command()
@click.argument("incident_id", metavar="ID")
@sandbox_option
@config_option
def report(incident_id: str, sandbox: bool, config: Path | None) -> None:
    """Print an incident's report as Markdown, also while it is open."""
    settings = settings_from(config)
    click.echo(run(_report(settings, sandbox, incident_id)), nl=False)


async def _incidents(
    settings: Settings, sandbox: bool, state: IncidentState | None, limit: int
) -> list[IncidentSummary]:
    async with open_journal(settings, sandbox=sandbox) as journal:
        return await journal.incidents(state=state, limit=limit)


async def _report(settings: Settings, sandbox: bool, incident_id: str) -> str:
    """The file as it was written; rendered from the journal while there is none."""
    async with open_journal_of(settings, incident_id, sandbox=sandbox) as journal:
        incident = await journal.load(incident_id)
    written = Path(incident.report_path) if incident.report_path else None
    if written is not None and written.exists():
        return written.read_text(encoding="utf-8")
    return render(incident)


def _print(found: list[IncidentSummary]) -> None:
    """A table for 80 columns. The id is never cut, for it is what people copy; it tells the time, too."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    if not found:
        raise Stopped("no incidents yet; `python main.py demo` makes one")
    kept = [Column(name, no_wrap=True) for name in ("id", "severity", "state", "result")]
    table = Table(*kept, Column("title", overflow="fold"), box=None)
    for row in found:
        result = row.resolution.value if row.resolution else ""
        table.add_row(row.id, row.severity.value, row.state.value, result, Text(printable(row.title)))
    Console().print(table)
