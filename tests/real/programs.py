"""A real Prometheus and a real Alertmanager on loopback, with all they write under one folder."""

import asyncio
import shutil
import socket
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import yaml

PROMETHEUS = shutil.which("prometheus") or ""
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager") or ""
MISSING = [name for name, found in (("prometheus", PROMETHEUS), ("alertmanager", ALERTMANAGER)) if not found]

READY_S = 10.0
END_S = 5.0
LOOK_S = 0.05


def free_port() -> int:
    """A port that was free a moment ago; these programs cannot choose one themselves."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def alertmanager(folder: Path, *, webhook: str) -> AsyncIterator[str]:
    """An Alertmanager that posts to `webhook` without waiting; gives its address, `host:port`."""
    config = {
        "route": {"receiver": "agent", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"},
        "receivers": [
            {"name": "agent", "webhook_configs": [{"url": f"{webhook}/webhook", "send_resolved": True}]}
        ],
    }
    address = f"127.0.0.1:{free_port()}"
    options = (
        f"--config.file={_written(folder / 'alertmanager.yml', config)}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    async with _running(ALERTMANAGER, *options, log=folder / "alertmanager.log", address=address):
        yield address


@asynccontextmanager
async def prometheus(
    folder: Path, *, scraped: str, rule: dict[str, object], receivers: list[str]
) -> AsyncIterator[str]:
    """A Prometheus that scrapes one address and tells `receivers`, each `host:port`, what fires."""
    rules = {"groups": [{"name": "test", "rules": [rule]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(_written(folder / "rules.yml", rules))],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": receivers}]}]},
        "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [scraped]}]}],
    }
    address = f"127.0.0.1:{free_port()}"
    options = (
        f"--config.file={_written(folder / 'prometheus.yml', config)}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={address}",
        "--rules.alert.resend-delay=1s",  # else an alert from before its receivers were known comes late
    )
    async with _running(PROMETHEUS, *options, log=folder / "prometheus.log", address=address):
        yield address


def _written(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@asynccontextmanager
async def _running(program: str, *options: str, log: Path, address: str) -> AsyncIterator[None]:
    """The program, ready; ended by its pid when the block ends, however it ends."""
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            program, *options, stdin=DEVNULL, stdout=out, stderr=out
        )
    try:
        await _ready(address, log)
        yield
    finally:
        await _ended(process)


async def _ready(address: str, log: Path) -> None:
    deadline_s = time.monotonic() + READY_S
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline_s:
            try:
                async with session.get(f"http://{address}/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass  # not listening yet
            await asyncio.sleep(LOOK_S)
    raise AssertionError(f"not ready after {READY_S:g} s:\n{log.read_text()}")


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
