"""The commands, one file a group. A command's file is imported only when it is called."""

from importlib import import_module

import click

COMMANDS = {
    "serve": "cli.serve",
    "demo": "cli.demo",
    "replay": "cli.replay",
    "drill": "cli.drill",
    "sandbox": "cli.sandbox",
    "incidents": "cli.incidents",
    "report": "cli.incidents",
    "approve": "cli.approvals",
    "reject": "cli.approvals",
}


class LazyGroup(click.Group):
    """Knows its commands by name, so that `--help` of one does not load the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table above: what a new user needs first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Alert Agent closes the loop from an alert to a verified fix."""
