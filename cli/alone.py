"""One service a journal: two would run the same incidents and lose lines of each other's timelines.

Only commands that work on incidents need this; those that read or answer may run beside a service.
"""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from domain.errors import Permanent


@asynccontextmanager
async def alone_on(journal: Path) -> AsyncIterator[None]:
    """Hold the journal for this process as long as the block lasts; the system frees it after any death.

    Raises Permanent naming the process that holds it, or why the lock cannot be made.
    """
    descriptor = _opened(journal.with_name(f"{journal.name}.lock"))
    try:
        _take(descriptor, journal)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        text = f"{path}: {error.strerror}; set files.journal to a place that can be written"
        raise Permanent(text) from error


def _take(descriptor: int, journal: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        text = (
            f"another service (process {holder}) works on {journal}: stop it or set files.journal elsewhere"
        )
        raise Permanent(text) from error
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
