"""Reads beside the writer, on a thread and a read-only connection of its own: it never waits for commits.

It answers questions that others put as functions; it knows no table.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from domain.errors import JournalUnavailable
from journal.faults import as_ours
from journal.schema import open_reader

T = TypeVar("T")


class Reader:
    """Open after the writer, which creates the file; close before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Answer `question` from one consistent view of the file."""
        if self._closed:
            raise JournalUnavailable(f"the journal {self._path} is closed; open it first")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question)

    async def close(self) -> None:
        """Close the connection; whoever still asks gets JournalUnavailable."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    # From here on: the reader's thread only.

    def _answer(self, question: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._opened()
            connection.execute("BEGIN")
            try:
                return question(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise as_ours(error, self._path) from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_reader(self._path)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
