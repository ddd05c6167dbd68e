"""SQLite's errors as ours: what may the caller do now?

It knows result codes only; which file and which operation it was comes from the caller.
"""

import sqlite3
from pathlib import Path

from domain.errors import JournalUnavailable, LoopError, Permanent

_PRIMARY_MASK = 0xFF  # extended result codes keep the primary one in their low byte

_NEXT_STEPS = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space and the next write works",
    sqlite3.SQLITE_BUSY: "another process holds the file: it is tried again",
    sqlite3.SQLITE_LOCKED: "another process holds the file: it is tried again",
    sqlite3.SQLITE_READONLY: "the file is read-only: give the service write access",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: check that its folder exists and is writable",
    sqlite3.SQLITE_IOERR: "the disk reports an error: check it",
}
_BROKEN_FILE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BROKEN_CALL = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_RANGE,
)


def as_ours(error: sqlite3.Error, path: Path) -> LoopError:
    """The error to raise `from` this one."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_MASK
    if code in _BROKEN_FILE:
        return Permanent(f"{path} is damaged or no journal ({error}): restore a copy or move it away")
    if code in _BROKEN_CALL:
        return Permanent(f"the journal {path} refused a statement: {error}")
    next_step = _NEXT_STEPS.get(code, "it is tried again")
    return JournalUnavailable(f"the journal {path} cannot be used now ({error}); {next_step}")
