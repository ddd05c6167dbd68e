"""Reading a table's changes as they come: a cursor into the shared history, not a queue a watcher."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType

from sandbox.errors import Gone
from sandbox.tables import Change, Table


class Watch:
    """Changes after a revision, in order; used as a context manager and iterated, or read in batches."""

    def __init__(self, table: Table, since: int) -> None:
        self._table = table
        self._cursor = since
        self._woken = asyncio.Event()

    def __enter__(self) -> "Watch":
        self._table.waiting.add(self._woken.set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._table.waiting.discard(self._woken.set)

    def pending(self) -> list[Change]:
        """Changes not read yet; raises Gone when the reader was slower than the history is long."""
        if self._cursor < self._table.forgotten:
            raise Gone(f"too old resource version: {self._cursor} ({self._table.forgotten})")
        changes = list(self._table.changes_since(self._cursor))
        if changes:
            self._cursor = changes[-1].revision
        return changes

    async def batch(self) -> list[Change]:
        """Waits until there is at least one change; needs the context to be entered."""
        while not (changes := self.pending()):
            self._woken.clear()
            await self._woken.wait()
        return changes

    async def __aiter__(self) -> AsyncIterator[Change]:
        with self:
            while True:
                for change in await self.batch():
                    yield change
