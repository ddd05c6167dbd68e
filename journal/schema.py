"""Opens the journal's file and brings its tables up to date.

Migrations are `migrations/NNNN_name.sql`, applied in order, each in one transaction with its version row.
A file that a newer release wrote is refused rather than guessed at.
"""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from domain.errors import Permanent

WAL_PAUSE_MS = 20
BUSY_TIMEOUT_MS = 5_000  # a command-line call beside the service holds the lock for milliseconds
_FOLDER = Path(__file__).parent / "migrations"


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes, with every commit on disk before it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, mode="rwc")
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    """The switch to WAL does not heed the busy timeout where two processes make the file at once."""
    for _ in range(BUSY_TIMEOUT_MS // WAL_PAUSE_MS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(WAL_PAUSE_MS / 1000)
    connection.execute("PRAGMA journal_mode = WAL")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = _connect(path, mode="ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path, *, mode: str) -> sqlite3.Connection:
    # isolation_level None: transactions begin and end only where this package says so
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> int:
    """Apply what is missing and return the version. Raises Permanent when the file is newer than the code."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL)"
    )
    scripts = sorted(_FOLDER.glob("[0-9]*.sql"))
    found = _version(connection)
    _refuse_newer(found, newest=len(scripts), path=path)
    for version, script in enumerate(scripts[found:], start=found + 1):
        _apply(connection, version, script)
    return len(scripts)


def _version(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return int(row[0])


def _refuse_newer(found: int, *, newest: int, path: Path) -> None:
    if found > newest:
        raise Permanent(
            f"{path} has schema version {found}, this release knows {newest}: "
            "start the newer release or name another journal file"
        )


def _apply(connection: sqlite3.Connection, version: int, script: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")  # asked again under the lock: two processes may start together
    try:
        if _version(connection) < version:
            for statement in _statements(script.read_text(encoding="utf-8")):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?, datetime('now'))", (version,))
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit by itself, so the script is cut where SQLite says a statement is complete
    waiting = ""
    for line in script.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""
