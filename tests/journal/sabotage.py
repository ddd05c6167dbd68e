"""Ways to break a journal that is open."""

from journal.sqlite import SqliteJournal


async def set_pragma(journal: SqliteJournal, setting: str) -> None:
    """Change how SQLite behaves on the writer's connection, outside of any transaction."""

    def work() -> None:
        connection = journal._writer._connection
        assert connection is not None
        connection.execute(f"PRAGMA {setting}")

    await journal._writer._in_thread(work)
