"""`serve`: the service on its port, against the user's cluster or the embedded sandbox, until stopped."""

import asyncio
from pathlib import Path

import click

from app import Service, open_place, open_service, sandbox_alerts
from cli.alone import alone_on
from cli.common import config_option, run, settings_from, stop_signal
from domain.errors import LoopError
from utils.log_setup import set_up_logs
from utils.settings import Settings, journal_path
from utils.words import counted


@click.command()
@click.option("--sandbox", is_flag=True, help="Use the embedded cluster instead of a real one.")
@click.option("--scenario", help="With --sandbox: a scenario that has just happened there (name or file).")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any free one.")
@click.option(
    "--kubeconfig", default="", help="Cluster access; default $KUBECONFIG, ~/.kube/config or in-cluster."
)
@click.option("--context", help="Context of the kubeconfig; default its current one.")
@config_option
def serve(
    sandbox: bool,
    scenario: str | None,
    host: str | None,
    port: int | None,
    kubeconfig: str,
    context: str | None,
    config: Path | None,
) -> None:
    """Take alerts on port 10000 and work on them until stopped."""
    settings = settings_from(config)
    settings.server.host = host or settings.server.host
    settings.server.port = settings.server.port if port is None else port
    settings.kubeconfig = kubeconfig or settings.kubeconfig
    settings.context = context or settings.context
    set_up_logs(level=settings.log.level, as_json=settings.log.json_lines)
    run(_serve(settings, sandbox=sandbox or scenario is not None, scenario=scenario))


async def _serve(settings: Settings, *, sandbox: bool, scenario: str | None) -> None:
    stop = stop_signal()
    async with (
        alone_on(journal_path(settings, sandbox=sandbox)),
        open_place(settings, sandbox=sandbox, scenario=scenario) as place,
        open_service(settings, place) as service,
        sandbox_alerts(settings, place, service),
    ):
        click.echo(f"Alert Agent listens on {service.url} and works on {place.title}.")
        click.echo(f"Decisions by: {service.analyst.name}.")
        if place.kubeconfig and sandbox:
            click.echo(f"Look into the sandbox with: kubectl --kubeconfig {place.kubeconfig} get pods -A")
        click.echo("Stop with Ctrl-C.")
        looking = asyncio.create_task(_say_what_is_seen(service))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([stopped, service.working], return_when=asyncio.FIRST_COMPLETED)
        for task in (looking, stopped):
            task.cancel()
        await asyncio.gather(looking, stopped, return_exceptions=True)
        if service.working.done():
            await service.working  # the worker never ends by itself: this raises why it did
        click.echo("Stopping: steps in hand may finish.")


async def _say_what_is_seen(service: Service) -> None:
    """One look at the cluster: better to hear now than with the first alert that nothing can be seen."""
    try:
        nodes = await service.reader.nodes()
    except LoopError as error:
        click.echo(f"Warning: the cluster cannot be seen: {error}", err=True)
        click.echo("Alerts are taken in all the same; incidents will be handed to people.", err=True)
        return
    ready_count = sum(node.ready for node in nodes)
    click.echo(f"Seen: {counted(len(nodes), 'node')}, {ready_count} ready.")
