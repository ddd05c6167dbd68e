"""The service as a process of its own, started, killed and stopped by its pid."""

import asyncio
import os
import re
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals

from utils.settings import HOME

START_S = 20.0  # a start takes about one second on an idle machine
END_S = 15.0

LISTENS = re.compile(r"listens on (http://\S+) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended: its exit code, how long that took, and what it had left to say."""

    code: int
    took_s: float
    out: str


@dataclass(frozen=True, slots=True)
class Child:
    """A running service and where it listens."""

    process: Process
    url: str

    async def kill(self) -> None:
        """End it as a power cut would: nothing is said, nothing is flushed."""
        self.process.send_signal(SIGKILL)
        await self.process.communicate()

    async def stop(self, number: Signals) -> Ended:
        """Ask it to end and wait until it has."""
        started_s = time.monotonic()
        self.process.send_signal(number)
        return await _end(self.process, started_s)


@asynccontextmanager
async def serving(folder: Path, *options: str) -> AsyncIterator[Child]:
    """`main.py serve` on a free port, with `folder` as its working directory; killed when the block ends."""
    process = await _start(folder, "serve", "--port", "0", *options)
    try:
        yield Child(process, await _url(process, folder))
    finally:
        if process.returncode is None:
            process.send_signal(SIGKILL)
            await process.communicate()


async def command(folder: Path, *arguments: str) -> Ended:
    """Run one command of the command line to its end."""
    started_s = time.monotonic()
    process = await _start(folder, *arguments)
    try:
        return await _end(process, started_s)
    finally:
        if process.returncode is None:
            process.send_signal(SIGKILL)
            await process.communicate()


async def _start(folder: Path, *arguments: str) -> Process:
    # the log goes to a file: a pipe that nobody reads would fill up and stop the service
    with (folder / "service.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, str(HOME / "main.py"), *arguments,
            cwd=folder, env=environment(folder), stdout=PIPE, stderr=log,
        )  # fmt: skip


def environment(folder: Path) -> Mapping[str, str]:
    """What the service sees: none of the tester's own settings, clusters or keys."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "LANG": "C.UTF-8"}


async def _url(process: Process, folder: Path) -> str:
    """Where it listens, from the first line that it prints."""
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        line = (await process.stdout.readline()).decode()
    said = LISTENS.search(line)
    assert said, f"it did not start: {line!r}\n{(folder / 'service.log').read_text()}"
    return said.group(1)


async def _end(process: Process, started_s: float) -> Ended:
    async with asyncio.timeout(END_S):
        out, _ = await process.communicate()
    code = process.returncode
    assert code is not None
    return Ended(code=code, took_s=time.monotonic() - started_s, out=out.decode())
