"""`sandbox`: the simulated cluster alone, for kubectl or any other client; or a copy of a real one."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import click

from app import scenario_file
from cli.common import Stopped, config_option, run, settings_from, stop_signal
from sandbox.copied import open_copy
from sandbox.embedded import open_embedded
from sandbox.scenario import load_scenario
from utils.settings import Settings


@click.command()
@click.option(
    "--port", default=16000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--nodes", type=click.IntRange(1, 1000), help="Nodes of the simulated cluster.")
@click.option("--scenario", help="A scenario that has just happened (name or file).")
@click.option(
    "--from", "source", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Serve a copy of a real cluster: a folder as `kubectl cluster-info dump` writes it.",
)  # fmt: skip
@click.option("--live", is_flag=True, help="With --from: let controllers and kubelets act on the copy.")
@click.option("--speed", type=click.FloatRange(0.0, 1000.0), help="Seconds of the cluster per real second.")
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path, dir_okay=False), default=Path("sandbox.kubeconfig"),
    show_default=True, help="Where to write the access.",
)  # fmt: skip
@config_option
def sandbox(
    port: int,
    nodes: int | None,
    scenario: str | None,
    source: Path | None,
    live: bool,
    speed: float | None,
    kubeconfig: Path,
    config: Path | None,
) -> None:
    """Start the sandbox cluster alone, until stopped."""
    if source is not None and scenario is not None:
        raise Stopped("--from and --scenario exclude each other: a copy is as it is")
    settings = settings_from(config)
    settings.sandbox.nodes_count = nodes or settings.sandbox.nodes_count
    settings.sandbox.speed = settings.sandbox.speed if speed is None else speed
    run(_sandbox(settings, port, scenario, source, live, kubeconfig))


async def _sandbox(
    settings: Settings, port: int, scenario: str | None, source: Path | None, live: bool, kubeconfig: Path
) -> None:
    stop = stop_signal()
    async with AsyncExitStack() as stack:
        if source is not None:
            await _copy(stack, source, port, live, settings.sandbox.speed, kubeconfig)
        else:
            await _simulation(stack, settings, port, scenario, kubeconfig)
        click.echo(f"Try: kubectl --kubeconfig {kubeconfig} get pods -A     Stop with Ctrl-C.")
        await stop.wait()


async def _simulation(
    stack: AsyncExitStack, settings: Settings, port: int, scenario: str | None, kubeconfig: Path
) -> None:
    part = settings.sandbox
    played = load_scenario(scenario_file(scenario)) if scenario else None
    embedded = await stack.enter_async_context(
        open_embedded(kubeconfig, nodes_count=part.nodes_count, speed=part.speed, port=port, scenario=played)
    )
    click.echo(f"Kubernetes: {embedded.url}     {part.nodes_count} nodes, speed {part.speed:g}")
    click.echo(f"Prometheus: {embedded.prometheus_url}     Loki: {embedded.loki_url}")
    if played is not None:
        click.echo(f"Happened there: {played.title}")


async def _copy(
    stack: AsyncExitStack, source: Path, port: int, live: bool, speed: float, kubeconfig: Path
) -> None:
    copied = await stack.enter_async_context(open_copy(source, port=port, live=live, speed=speed))
    await asyncio.to_thread(copied.server.write_kubeconfig, kubeconfig)
    how = "living on" if live else "frozen"
    click.echo(f"Kubernetes: {copied.url}     {copied.objects_count} objects from {source}, {how}")
    for problem in copied.problems:
        click.echo(f"left out: {problem}", err=True)
