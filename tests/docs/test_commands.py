"""Every shell command on the pages is run as a reader would type it, against files and a port of its own."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from domain.attempt import Answer, Attempt, Verdict
from domain.decision import Action
from domain.incident import Incident, IncidentState, Station
from journal.sqlite import SqliteJournal
from tests.builders import NOW, WEB
from tests.docs.pages import ROOT, Found, blocks, commands
from utils.timing import SystemClock

pytestmark = pytest.mark.slow

PATIENCE_S = 30.0  # for a service to start, be asked and stop; usually two
INCIDENT_ID = "inc-20261120-0300-cafe"
ACTION_KEY = f"{INCIDENT_ID}-1"
QUICK = {"POLL_S": "0.05", "SETTLE_S": "0.2", "DEADLINE_S": "10"}
FOREIGN = ("docker",)  # checked in test_pages.py, for there may be none on this machine
SHORT = ("incidents", "report", "approve", "reject")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A reader's environment: no cluster, no LLM, a free port, and folders that nobody else uses."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return kept | {
        "HOME": str(tmp_path),
        "COLUMNS": "300",
        "ALERT_AGENT_SERVER__PORT": "0",
        "ALERT_AGENT_FILES__JOURNAL": str(tmp_path / "data" / "journal.db"),
        "ALERT_AGENT_FILES__REPORTS": str(tmp_path / "reports"),
        "ALERT_AGENT_SANDBOX__SPEED": "8",
        **{f"ALERT_AGENT_SANDBOX__VERIFY__{name}": value for name, value in QUICK.items()},
    }


def test_every_command_is_run_by_a_test_here() -> None:
    known = (
        "make",
        *(f"python main.py {name}" for name in ("serve", "sandbox", "replay", "drill")),
        *FOREIGN,
    )
    for line in commands():
        short = [f"python main.py {name}" for name in SHORT]
        words = re.sub(r"^(\w+=\S+ )+", "", line.text)
        assert words.startswith((*known, *short)), line
    assert len(commands()) >= 15


@pytest.mark.parametrize("line", commands("make"), ids=str)
def test_make_knows_its_target(line: Found, environ: dict[str, str]) -> None:
    _run(line.text.replace("make ", "make --dry-run ", 1), environ)


@pytest.mark.parametrize("line", commands("python main.py serve"), ids=str)
def test_the_service_starts_says_where_and_stops(line: Found, environ: dict[str, str]) -> None:
    with _serving(line.text, environ) as url, urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("line", commands("python main.py sandbox"), ids=str)
def test_the_sandbox_alone_is_a_cluster_for_kubectl(line: Found, environ: dict[str, str]) -> None:
    access = Path(environ["HOME"]) / "kubeconfig"
    with (
        _serving(f"{line.text} --port 0 --kubeconfig {access}", environ) as url,
        urllib.request.urlopen(f"{url}/version", timeout=5) as answer,
    ):
        assert answer.status == 200
        assert url in access.read_text()


@pytest.mark.parametrize("line", commands("python main.py replay"), ids=str)
def test_alerts_are_replayed(line: Found, environ: dict[str, str]) -> None:
    if "--url" not in line.text:
        assert "inc-" in _run(line.text, environ)
        return
    with _serving("python main.py serve", environ) as url:
        assert ": 200 " in _run(re.sub(r"--url \S+", f"--url {url}", line.text), environ)


@pytest.mark.parametrize("line", commands("python main.py drill"), ids=str)
def test_a_drill_is_scored(line: Found, environ: dict[str, str]) -> None:
    assert re.search(r"\b\d drills?, analyst rules", _run(line.text, environ))


@pytest.mark.parametrize(
    "line", [line for name in SHORT for line in commands(f"python main.py {name}")], ids=str
)
def test_people_see_and_answer_what_waits(line: Found, environ: dict[str, str]) -> None:
    asyncio.run(_park(Path(environ["ALERT_AGENT_FILES__JOURNAL"])))
    said = _run(re.sub(r"\bID\b", INCIDENT_ID, line.text), environ)
    granted = asyncio.run(_granted(Path(environ["ALERT_AGENT_FILES__JOURNAL"])))
    if "approve" in line.text or "reject" in line.text:
        assert granted is ("approve" in line.text)
    else:
        assert INCIDENT_ID in said
        assert granted is None


def test_an_incident_of_the_sandbox_is_found_without_saying_so(environ: dict[str, str]) -> None:
    journal = Path(environ["ALERT_AGENT_FILES__JOURNAL"])
    asyncio.run(_park(journal, incident_id="inc-of-the-cluster"))
    asyncio.run(_park(journal.with_name(f"sandbox-{journal.name}")))
    assert INCIDENT_ID in _run(f"python main.py report {INCIDENT_ID}", environ)


def test_the_demo_shows_what_the_readme_quotes(environ: dict[str, str]) -> None:
    """Numbers differ from run to run, and "…" stands for what was left out."""
    said = _run("python main.py demo", environ)
    (quoted,) = blocks("demo")
    lines = quoted.text.splitlines()
    assert len(lines) > 5
    assert not [line for line in lines if not re.search(_pattern(line), said)]


def _pattern(line: str) -> str:
    text = re.escape(" ".join(line.split())).replace("…", ".*").replace(r"\ ", r"\s+")
    return re.sub(r"\d+(\\\.\d+)*", r"[\\d.]+", text)


def _words(command: str) -> str:
    """The command for a shell, on this Python, replacing the shell so that its pid is the program's."""
    return "exec env " + re.sub(r"\bpython\b", sys.executable, command, count=1)


def _run(command: str, environ: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", _words(command)], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def _serving(command: str, environ: dict[str, str]) -> Iterator[str]:
    """The URL that the command says it listens on; it is stopped as an operator does."""
    process = subprocess.Popen(
        ["bash", "-c", _words(command)], cwd=ROOT, env=environ | {"PYTHONUNBUFFERED": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    patience = Timer(PATIENCE_S, process.kill)  # ends the wait below as well
    patience.start()
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"(?:listens on|Kubernetes:) (http://\S+)", first)
        assert found, first
        yield found[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    finally:
        patience.cancel()
        process.kill()
        process.communicate()


async def _park(path: Path, incident_id: str = INCIDENT_ID) -> None:
    """A journal with one incident that waits for a person."""
    action = Action(key=f"{incident_id}-1", tool="restart_workload", target=WEB)
    verdict = Verdict(answer=Answer.ASK, rule="defaults.cluster", reason="needs a person's approval here")
    incident = Incident(
        id=incident_id, group_key="workload//shop/web", target=WEB, opened_at=NOW, title="Down on web",
        state=IncidentState.PARKED, next=Station.EXECUTE, attempts=[Attempt(action=action, verdict=verdict)],
    )  # fmt: skip
    async with SqliteJournal(path, clock=SystemClock()) as journal:
        await journal.save(incident)


async def _granted(path: Path) -> bool | None:
    async with SqliteJournal(path, clock=SystemClock()) as journal:
        approval = await journal.approval_of(ACTION_KEY)
    return None if approval is None else approval.granted
