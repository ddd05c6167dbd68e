"""Posts notifications to a webhook, one after the other, and tries again as Alertmanager does."""

import asyncio
from types import TracebackType

import aiohttp
import structlog

log = structlog.get_logger(__name__)

WAITING_COUNT = 256  # bodies; when more wait, the oldest is given up
POST_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
SERVER_ERROR = 500


class WebhookPoster:
    """An async context manager whose `send` may be called at any time from the same thread."""

    def __init__(self, url: str, *, token: str = "", first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._url = url
        self._first_pause_s = first_pause_s
        self._headers = {"Content-Type": "application/json", "User-Agent": "Alertmanager/sandbox"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING_COUNT)
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting_count(self) -> int:
        return self._waiting.qsize()

    def send(self, body: bytes) -> None:
        """Queues a body; it is posted in turn."""
        if self._waiting.full():
            self._waiting.get_nowait()
            log.warning("notification_given_up", url=self._url, waiting_count=WAITING_COUNT)
        self._waiting.put_nowait(body)

    async def __aenter__(self) -> "WebhookPoster":
        self._task = asyncio.create_task(self._work(), name="webhook-poster")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        timeout = aiohttp.ClientTimeout(total=POST_S)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session:
            while True:
                await self._deliver(session, await self._waiting.get())

    async def _deliver(self, session: aiohttp.ClientSession, body: bytes) -> None:
        """Until the receiver takes or refuses it: 5xx and no answer are tried again, 4xx are not."""
        pause_s = self._first_pause_s
        while not await self._posted(session, body):
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _posted(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        try:
            async with session.post(self._url, data=body) as answer:
                if answer.status >= SERVER_ERROR:
                    return False
                if not answer.ok:
                    log.warning("notification_refused", url=self._url, status=answer.status)
                return True
        except (aiohttp.ClientError, TimeoutError):
            return False
