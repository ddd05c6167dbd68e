"""`replay`: alert fixtures posted to the embedded sandbox, or to a server that runs already."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from cli.alone import alone_on
from cli.common import Stopped, config_option, run, settings_from
from cli.fixtures import Fixture, read_fixtures
from journal.port import IncidentSummary
from utils.log_setup import set_up_logs
from utils.settings import Settings, journal_path
from utils.words import printable

POST_S = 15.0
LOOK_S = 0.2


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--url", help="A running server, such as http://127.0.0.1:10000; default the embedded sandbox.")
@click.option("--scenario", help="Without --url: a scenario that has happened in the sandbox (name or file).")
@click.option("--wait", "wait_s", default=120.0, show_default=True, help="Seconds for all incidents to end.")
@config_option
def replay(
    files: tuple[Path, ...], url: str | None, scenario: str | None, wait_s: float, config: Path | None
) -> None:
    """Post alert FILES and tell what became of each."""
    settings = settings_from(config)
    set_up_logs(level="error")
    fixtures = [fixture for file in files for fixture in read_fixtures(file)]
    if url:
        run(_to_server(settings, fixtures, url.rstrip("/")))
    else:
        run(_to_sandbox(settings, fixtures, scenario, wait_s))


async def _to_server(settings: Settings, fixtures: Sequence[Fixture], url: str) -> None:
    refused_count = await _post(settings, fixtures, url)
    click.echo(
        f"What becomes of them: {url}/api/incidents, or `python main.py incidents` beside that server."
    )
    if refused_count:
        raise Stopped(f"{refused_count} of {len(fixtures)} were not taken in")


async def _to_sandbox(
    settings: Settings, fixtures: Sequence[Fixture], scenario: str | None, wait_s: float
) -> None:
    from app import Service, open_place, open_service

    async def finished(service: Service) -> None:
        journal = service.journal
        while await journal.unhandled_deliveries(limit=1) or await journal.unfinished():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)

    settings.server.port = 0
    async with (
        alone_on(journal_path(settings, sandbox=True)),
        open_place(settings, sandbox=True, scenario=scenario) as place,
        open_service(settings, place) as service,
    ):
        earlier = {row.id for row in await service.journal.incidents(limit=1000)}
        await _post(settings, fixtures, service.url)
        try:
            async with asyncio.timeout(wait_s):
                await finished(service)
        except TimeoutError:
            click.echo(
                f"Not everything ended within {wait_s:g} s; the table shows how far it came.", err=True
            )
        _print([row for row in await service.journal.incidents(limit=1000) if row.id not in earlier])


def _print(opened: Sequence[IncidentSummary]) -> None:
    """Oldest first, as they were sent; the id is never cut, for it is what people copy."""
    if not opened:
        click.echo("No incident was opened: each alert was resolved, or known from an earlier delivery.")
        return
    kept = [Column(name, no_wrap=True) for name in ("incident", "alerts", "state", "result")]
    table = Table(*kept, Column("title", overflow="fold"), box=None)
    for row in reversed(opened):
        result = row.resolution.value if row.resolution else ""
        title = Text(printable(row.title))
        table.add_row(row.id, str(row.alerts_count), row.state.value, result, title)
    Console().print(table)
    click.echo("Read one with `python main.py report ID`.")


async def _post(settings: Settings, fixtures: Sequence[Fixture], url: str) -> int:
    """Post all, print each answer; returns how many were not taken in."""
    token = settings.webhook_token.get_secret_value()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    refused_count = 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=POST_S), headers=headers) as session:
        for fixture in fixtures:
            try:
                async with session.post(url + fixture.path, data=fixture.body) as answer:
                    click.echo(f"{fixture.name}: {answer.status} {await answer.text()}")
                    refused_count += answer.status != 200
            except aiohttp.ClientError as error:
                raise Stopped(f"{url} cannot be reached ({error}); is the service running?") from error
    return refused_count
