"""The writer's thread: many callers at once, one failing among many, a disk that fills up and heals."""

import asyncio
import sqlite3
import sys
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from domain.errors import JournalUnavailable, Permanent
from journal import schema
from journal.port import Journal
from journal.sqlite import SqliteJournal
from journal.writer import Writer
from tests.fakes import START, FakeClock
from tests.journal import samples
from tests.journal.sabotage import set_pragma

ROOT = Path(__file__).parents[2]


async def test_two_hundred_writes_at_once_are_all_kept(journal: SqliteJournal) -> None:
    ids = {f"d{n}" for n in range(200)}
    async with asyncio.TaskGroup() as callers:
        for delivery_id in ids:
            callers.create_task(journal.keep_delivery(samples.delivery(delivery_id)))
    found = await journal.unhandled_deliveries(limit=500)
    assert {one.id for one in found} == ids


async def test_one_failure_in_a_batch_spoils_nothing_for_the_others(journal: SqliteJournal) -> None:
    results = await asyncio.gather(
        journal.keep_delivery(samples.delivery("d1")),
        journal.file_groups("never kept", [], at=START),
        journal.keep_delivery(samples.delivery("d2")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), Permanent, type(None)]
    assert len(await journal.unhandled_deliveries(limit=9)) == 2


async def test_a_defect_in_one_operation_reaches_its_caller_alone(path: Path) -> None:
    def defect(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half_done (x)")
        raise ZeroDivisionError

    def count(connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])

    writer = Writer(path)
    await writer.open()
    before = await writer.submit(count)
    results = await asyncio.gather(
        writer.submit(count), writer.submit(defect), writer.submit(count), return_exceptions=True
    )
    await writer.close()
    assert isinstance(results[1], ZeroDivisionError)
    assert [results[0], results[2]] == [before, before]


async def test_a_full_disk_is_said_and_heals(path: Path) -> None:
    big = samples.delivery("big", b"x" * 200_000)
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        await set_pragma(journal, "max_page_count = 60")  # as if the disk ended after 240 KiB
        results = await asyncio.gather(
            journal.keep_delivery(big),
            journal.keep_delivery(samples.delivery("small")),
            return_exceptions=True,
        )
        assert isinstance(results[0], JournalUnavailable) and "full" in str(results[0])
        assert results[1] is None
        await set_pragma(journal, "max_page_count = 10000")
        await journal.keep_delivery(big)
        assert len(await journal.unhandled_deliveries(limit=9)) == 2


async def test_a_journal_that_may_not_be_written_is_said_and_heals(path: Path) -> None:
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        await set_pragma(journal, "query_only = ON")
        with pytest.raises(JournalUnavailable, match="write access"):
            await journal.keep_delivery(samples.delivery())
        assert await journal.unhandled_deliveries(limit=9) == []
        await set_pragma(journal, "query_only = OFF")
        await journal.keep_delivery(samples.delivery())
        assert len(await journal.unhandled_deliveries(limit=9)) == 1


async def test_a_lock_held_by_another_process_is_said_and_heals(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 20)
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalUnavailable, match="another process"):
                await journal.ready()
            other.execute("ROLLBACK")
        await journal.ready()


async def test_a_closed_journal_says_so(path: Path) -> None:
    journal = SqliteJournal(path, clock=FakeClock())
    async with journal:
        await journal.ready()
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.ready()
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.incidents()


async def test_closing_commits_what_still_waits(path: Path) -> None:
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        waiting = [asyncio.ensure_future(journal.keep_delivery(samples.delivery(f"d{n}"))) for n in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        assert len(await journal.unhandled_deliveries(limit=99)) == 50


async def test_a_caller_that_went_away_harms_nobody(journal: SqliteJournal) -> None:
    gone = asyncio.ensure_future(journal.keep_delivery(samples.delivery("d1")))
    await asyncio.sleep(0)
    gone.cancel()
    await journal.keep_delivery(samples.delivery("d2"))
    assert "d2" in {one.id for one in await journal.unhandled_deliveries(limit=9)}


async def test_a_file_that_is_no_database_is_permanent(path: Path) -> None:
    await asyncio.to_thread(path.write_bytes, b"this is no database, just text that is long enough " * 40)
    with pytest.raises(Permanent, match="no journal"):
        async with SqliteJournal(path, clock=FakeClock()):
            pass


async def test_a_file_of_a_newer_release_is_refused(path: Path) -> None:
    async with SqliteJournal(path, clock=FakeClock()):
        pass
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO schema_version VALUES (99, 'tomorrow')")
    with pytest.raises(Permanent, match="version 99"):
        async with SqliteJournal(path, clock=FakeClock()):
            pass


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalUnavailable, match="cannot be opened"):
        async with SqliteJournal(tmp_path / "file" / "journal.db", clock=FakeClock()):
            pass


async def test_a_failed_migration_leaves_the_file_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE first (x);\nCREATE TABLE first (x);\n")
    with monkeypatch.context() as patched:
        patched.setattr(schema, "_FOLDER", folder)
        with pytest.raises(Permanent, match="already exists"):
            async with SqliteJournal(path, clock=FakeClock()):
                pass
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        await journal.ready()


CHILD = """
import asyncio, sys
from pathlib import Path
from journal.sqlite import SqliteJournal
from tests.fakes import FakeClock
from tests.journal import samples

async def main() -> None:
    async with SqliteJournal(Path(sys.argv[1]), clock=FakeClock()) as journal:
        for number in range(100_000):
            await journal.keep_delivery(samples.delivery(f"d{number}"))
            print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_confirmed_is_there_after_the_process_was_killed(path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    confirmed = [int(await child.stdout.readline()) for _ in range(50)]
    child.kill()
    confirmed += [
        int(line) for line in (await child.stdout.read()).splitlines(keepends=True) if b"\n" in line
    ]
    await child.wait()
    async with SqliteJournal(path, clock=FakeClock()) as journal:
        found = {one.id for one in await journal.unhandled_deliveries(limit=100_000)}
    assert {f"d{number}" for number in confirmed} <= found


def test_the_journal_keeps_what_the_port_promises(path: Path) -> None:
    promised: Journal = SqliteJournal(path, clock=FakeClock())
    assert promised


async def test_many_processes_may_open_a_new_file_at_once(path: Path) -> None:
    journals = [SqliteJournal(path, clock=FakeClock()) for _ in range(5)]
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(journal) for journal in journals))
        await asyncio.gather(*(journal.ready() for journal in journals))


async def test_a_second_process_sees_what_the_first_committed(path: Path) -> None:
    async with (
        SqliteJournal(path, clock=FakeClock()) as service,
        SqliteJournal(path, clock=FakeClock()) as command,
    ):
        parked = samples.parked()
        await service.save(parked)
        await command.decide(samples.approval(parked.id))
        assert await service.approval_of("inc-1/1") is not None
