"""`demo`: break something in the sandbox, send the alert, and watch the incident station by station."""

import asyncio
from pathlib import Path

import aiohttp
import click
from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from app import Place, open_place, open_service, scenario_file
from cli.alone import alone_on
from cli.common import Stopped, config_option, run, settings_from
from domain.evidence import Evidence
from domain.incident import Entry, Incident
from utils.log_setup import set_up_logs
from utils.settings import Settings, journal_path

STYLES = {"receive": "cyan", "analyze": "magenta", "execute": "yellow", "report": "green"}
PATIENCE_S = 120.0  # for the whole incident; a healthy demo takes about ten seconds
POST_S = 10.0


@click.command()
@click.argument("scenario", default="bad-image")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any free one.")
@config_option
def demo(scenario: str, port: int | None, config: Path | None) -> None:
    """Play SCENARIO (default bad-image) in the embedded cluster and mend it before your eyes."""
    settings = settings_from(config)
    settings.server.port = settings.server.port if port is None else port
    set_up_logs(level="error")
    run(_demo(settings, scenario))


async def _demo(settings: Settings, scenario: str) -> None:
    console, title = Console(), title_of(scenario)  # a wrong name ends the command before anything is shown
    console.print(Rule("Alert Agent: from an alert to a verified fix"))
    console.print(f"Scenario [bold]{scenario}[/]: {title}")
    async with (
        alone_on(journal_path(settings, sandbox=True)),
        open_place(settings, sandbox=True, scenario=scenario) as place,
        open_service(settings, place) as service,
    ):
        console.print(f"Sandbox cluster: {settings.sandbox.nodes_count} nodes; service on {service.url}\n")
        film = Film(console)
        service.worker.listen(film.show)
        with console.status("working …"):
            await _send(service.url, place, settings, console)
            incident = await film.end(PATIENCE_S)
    path = Path(incident.report_path)
    console.print(Rule(f"Report: {path}"))
    console.print(Markdown(path.read_text(encoding="utf-8")))  # noqa: ASYNC240 - the last thing a command does
    console.print(Rule())
    console.print(f"Written to [bold]{path}[/]. Again: [bold]python main.py report {incident.id}[/]")


def title_of(scenario: str) -> str:
    """The scenario's own title, from its file."""
    import yaml

    return str(yaml.safe_load(scenario_file(scenario).read_text(encoding="utf-8"))["title"])


async def _send(url: str, place: Place, settings: Settings, console: Console) -> None:
    token = settings.webhook_token.get_secret_value()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    timeout = aiohttp.ClientTimeout(total=POST_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(f"{url}/webhook", data=place.alert, headers=headers) as answer,
    ):
        console.print(Text(f"POST /webhook → {answer.status} {await answer.text()}\n", style="dim"))


class Film:
    """Prints what is new on an incident's timeline after every station."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_count = 0
        self._ended: asyncio.Future[Incident] = asyncio.get_running_loop().create_future()
        self._incident_id = ""

    def show(self, incident: Incident) -> None:
        """Called by the worker after every node; follows the first incident that it sees."""
        self._incident_id = self._incident_id or incident.id
        if incident.id != self._incident_id:
            return
        for entry in incident.timeline[self._shown_count :]:
            self._console.print(self._line(incident, entry))
        self._shown_count = len(incident.timeline)
        if incident.closed and not self._ended.done():
            self._ended.set_result(incident)

    def _line(self, incident: Incident, entry: Entry) -> Table:
        """Time, station and text side by side; what was seen stands below its line."""
        style = STYLES.get(entry.station, "white")
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(f"{entry.at:%H:%M:%S}", "dim"),
            Text(f"{entry.station:<7}", f"bold {style}"),
            Text(entry.text, style),
        )
        for item in _evidence(incident, entry):
            line.add_row("", "", Text(f"{item.id:<3} {item.text}", "dim"))
        return line

    async def end(self, within_s: float) -> Incident:
        """The closed incident. Raises Stopped when it takes too long."""
        try:
            async with asyncio.timeout(within_s):
                return await self._ended
        except TimeoutError:
            raise Stopped(f"incident {self._incident_id} is not finished after {within_s:g} s") from None


def _evidence(incident: Incident, entry: Entry) -> list[Evidence]:
    ids = entry.details.get("evidence")
    return [item for item in incident.evidence if isinstance(ids, list) and item.id in ids]
