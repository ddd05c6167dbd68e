"""One change at a time per target: a lock for each target in use, forgotten when nobody holds it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TargetLocks:
    """Locks by name. Holds at most one entry for each change under way or waiting."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Wait for the target and keep it until the block ends."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        self._users[name] = self._users.get(name, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._locks[name]
