"""What several commands share: options, settings, and how an error reaches the terminal."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import click

from domain.errors import LoopError
from utils.settings import Settings, load_settings

T = TypeVar("T")

config_option = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings file; default config.yaml."
)
sandbox_option = click.option("--sandbox", is_flag=True, help="Look into the sandbox's journal.")


class Stopped(click.ClickException):
    """One of our errors at the command line: its text, no traceback, exit code 1."""

    def show(self, file: object = None) -> None:
        """Print it to standard error."""
        click.echo(f"error: {self.message}", err=True)


def settings_from(config: Path | None) -> Settings:
    """Read the settings; a mistake in them ends the command with its place and the next step."""
    try:
        return load_settings(config)
    except LoopError as error:
        raise Stopped(str(error)) from error


def stop_signal() -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set, instead of ending the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def run(work: Coroutine[object, object, T]) -> T:
    """Run a command's coroutine; our errors end it with their text."""
    try:
        return asyncio.run(work)
    except LoopError as error:
        raise Stopped(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
