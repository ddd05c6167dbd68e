"""`approve` and `reject`: a person's answer to the change that an incident waits with.

The answer goes into the journal, so it also counts when the service is not running at that moment.
"""

import getpass
from pathlib import Path

import click

from cli.common import Stopped, config_option, run, sandbox_option, settings_from
from cli.journals import open_journal_of
from domain.attempt import Approval
from journal.pending import waiting_attempt
from utils.settings import Settings
from utils.timing import SystemClock

by_option = click.option("--by", "approver", help="Who answers; default the user of this shell.")
reason_option = click.option("--reason", default="", help="Why; it goes into the report.")


@click.command()
@click.argument("incident_id", metavar="ID")
@by_option
@reason_option
@sandbox_option
@config_option
def approve(incident_id: str, approver: str | None, reason: str, sandbox: bool, config: Path | None) -> None:
    """Allow the change that incident ID waits with."""
    run(_answer(settings_from(config), sandbox, incident_id, True, approver or _user(), reason))


@click.command()
@click.argument("incident_id", metavar="ID")
@by_option
@reason_option
@sandbox_option
@config_option
def reject(incident_id: str, approver: str | None, reason: str, sandbox: bool, config: Path | None) -> None:
    """Refuse the change that incident ID waits with; a person takes over."""
    run(_answer(settings_from(config), sandbox, incident_id, False, approver or _user(), reason))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container's user often has no name; which one depends on Python
        raise Stopped("this shell's user has no name; say who answers with --by NAME") from error


async def _answer(
    settings: Settings, sandbox: bool, incident_id: str, granted: bool, approver: str, reason: str
) -> None:
    async with open_journal_of(settings, incident_id, sandbox=sandbox) as journal:
        waiting = waiting_attempt(await journal.load(incident_id))
        if waiting is None:
            raise Stopped(
                f"{incident_id} waits for nobody's answer; see `python main.py report {incident_id}`"
            )
        asked = Approval(
            incident_id=incident_id, action_key=waiting.action.key, approver=approver, granted=granted,
            decided_at=SystemClock().now(), reason=reason,
        )  # fmt: skip
        stands = await journal.decide(asked)
    word = "approved" if stands.granted else "rejected"
    if stands != asked:
        text = (
            f"Already {word} by {stands.approver} at {stands.decided_at:%Y-%m-%d %H:%M:%S} UTC; that stands."
        )
        if stands.granted != granted:
            raise Stopped(text)  # who said the opposite must not believe that it counts
        click.echo(text)
        return
    click.echo(f"{word.capitalize()}: {waiting.action}. A running service goes on within seconds.")
