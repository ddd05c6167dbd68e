"""Group commit: whatever waits for the disk is committed together, so a storm costs few disk waits.

One thread owns the writing connection. Each operation runs under its own savepoint; one that fails
spoils nothing for the others. It knows nothing about incidents.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from domain.errors import JournalUnavailable, LoopError
from journal.faults import as_ours
from journal.schema import migrate, open_writer

T = TypeVar("T")

MAX_WAITING_COUNT = 10_000  # at 1 KB an operation about 10 MB; beyond that the caller is told to come back
MAX_BATCH_COUNT = 500  # keeps one transaction, and so the wait of the last caller, in the milliseconds


@dataclass(frozen=True, slots=True)
class _Operation:
    """Work to run on the connection (again from the start if its batch is lost) and who waits for it."""

    work: Callable[[sqlite3.Connection], Any]
    waiter: asyncio.Future[Any]


class Writer:
    """Open with `open()`, then `submit()` from any task of the same loop, end with `close()`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-writer")
        self._waiting: asyncio.Queue[_Operation | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file and migrate it. Raises JournalUnavailable or Permanent."""
        with ExitStack() as on_failure:
            on_failure.callback(self._thread.shutdown)
            await self._in_thread(self._open)
            on_failure.pop_all()
        self._task = asyncio.create_task(self._run(), name="journal-writer")

    async def submit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction and return its result once it is on disk."""
        if self._task is None:
            raise JournalUnavailable(f"the journal {self._path} is closed; open it first")
        if self._waiting.qsize() >= MAX_WAITING_COUNT:
            raise JournalUnavailable(f"{MAX_WAITING_COUNT} writes wait for the journal; come back later")
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Operation(work, waiter))
        return await waiter

    async def close(self) -> None:
        """Commit what still waits, then close the file."""
        if self._task is None:
            return
        task, self._task = self._task, None
        self._waiting.put_nowait(None)
        await task
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def _run(self) -> None:
        while (first := await self._waiting.get()) is not None:
            batch = [first]
            ended = self._take_waiting(batch)
            await self._commit(batch)
            if ended:
                return

    def _take_waiting(self, batch: list[_Operation]) -> bool:
        """Fill the batch with what waits now; returns whether the end mark was met."""
        while len(batch) < MAX_BATCH_COUNT and not self._waiting.empty():
            operation = self._waiting.get_nowait()
            if operation is None:
                return True
            batch.append(operation)
        return False

    async def _commit(self, batch: Sequence[_Operation]) -> None:
        """Commit a batch; one that is lost as a whole is gone through again one by one."""
        together = asyncio.get_running_loop().run_in_executor(self._thread, self._transact, batch)
        await asyncio.wait([together])
        fault = together.exception()
        if fault is None:
            for operation, result in zip(batch, together.result(), strict=True):
                _tell(operation.waiter, result)
        elif len(batch) == 1:
            _tell(batch[0].waiter, fault)
        else:
            for operation in batch:
                await self._commit([operation])

    async def _in_thread(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise as_ours(error, self._path) from error
        except OSError as error:
            raise JournalUnavailable(f"the journal {self._path} cannot be opened: {error}") from error

    # From here on: the writer's thread only.

    def _open(self) -> None:
        self._connection = open_writer(self._path)
        try:
            migrate(self._connection, self._path)
        except (LoopError, sqlite3.Error):
            self._close()
            raise

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _transact(self, batch: Sequence[_Operation]) -> list[Any]:
        """Run the batch in one transaction; returns a result or an error of ours for each operation."""
        connection = self._connection
        assert connection is not None
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # nothing can begin now, so nobody is asked to try alone
            return [self._ours(error) for _ in batch]
        try:
            return self._commit_all(connection, batch)
        except sqlite3.Error as error:
            raise as_ours(error, self._path) from error

    def _commit_all(self, connection: sqlite3.Connection, batch: Sequence[_Operation]) -> list[Any]:
        try:
            results = [self._attempt(connection, operation) for operation in batch]
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return results

    def _attempt(self, connection: sqlite3.Connection, operation: _Operation) -> Any:
        connection.execute("SAVEPOINT operation")
        try:
            result = operation.work(connection)
        except (LoopError, sqlite3.Error) as error:
            if not connection.in_transaction:
                raise  # SQLite gave up the whole transaction, as it does when the disk is full
            connection.execute("ROLLBACK TO operation")
            result = self._ours(error)
        connection.execute("RELEASE operation")
        return result

    def _ours(self, error: LoopError | sqlite3.Error) -> LoopError:
        if isinstance(error, LoopError):
            return error
        ours = as_ours(error, self._path)
        ours.__cause__ = error
        return ours


def _tell(waiter: asyncio.Future[Any], result: Any) -> None:
    if waiter.done():  # the caller was cancelled; what it asked for is committed all the same
        return
    if isinstance(result, BaseException):
        waiter.set_exception(result)
    else:
        waiter.set_result(result)
