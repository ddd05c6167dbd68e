"""The doors for alerts. What is answered with 200 is in the journal; everything else the sender may repeat.

Alertmanager drops a notification on 429 and other 4xx, so "come back later" is always 503. Nothing here
looks at what the alerts mean.
"""

import asyncio
import secrets
from typing import Protocol

import structlog
from aiohttp import web

from domain.alert import Delivery
from domain.clock import Clock
from domain.errors import BadInput, JournalUnavailable
from journal.queue import Wake, WorkQueue
from receive.parcel import Parcel
from receive.triage import ALERTMANAGER, HINTS, PARSERS, PROMETHEUS
from utils.http_answers import (
    DEFAULT_MAX_BODY_BYTES,
    Rejected,
    json_answer,
    read_body,
    reject,
    require_json,
    require_token,
)

COMMIT_S = 10.0  # Alertmanager waits no longer for an answer
INLINE_PARSE_BYTES = 128 * 1024  # about 4 ms; larger bodies are parsed off the loop
ALERTMANAGER_PATHS = ("/webhook", "/", "/alerts")
EITHER_PATH = "/api/v1/alerts"
PROMETHEUS_PATH = "/api/v2/alerts"
TOO_LARGE_HINT = "set max_alerts for this receiver in Alertmanager, or raise server.max_body_bytes here"
SEND_AGAIN_HINT = "send it again; a repeat does no harm"

log = structlog.get_logger()


class DeliveryStore(Protocol):
    """What the doors need of the journal."""

    async def keep_delivery(self, delivery: Delivery) -> None:
        """Store a raw delivery as not yet handled; raises JournalUnavailable."""
        ...


class IntakeMetrics(Protocol):
    """Who counts what came in."""

    def count_delivery(self, *, source: str, status: int, alerts_count: int = 0) -> None:
        """One request, by the HTTP status it was answered with."""
        ...


class Webhook:
    """The handlers for all doors; `token` empty means that anybody may send."""

    def __init__(
        self,
        journal: DeliveryStore,
        queue: WorkQueue,
        *,
        clock: Clock,
        metrics: IntakeMetrics,
        token: str = "",
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        self._journal = journal
        self._queue = queue
        self._clock = clock
        self._metrics = metrics
        self._token = token
        self._max_body_bytes = max_body_bytes

    def routes(self) -> list[web.RouteDef]:
        """POST only; aiohttp answers other methods with 405."""
        return [
            *(web.post(path, self._from_alertmanager) for path in ALERTMANAGER_PATHS),
            web.post(EITHER_PATH, self._from_either),
            web.post(PROMETHEUS_PATH, self._from_prometheus),
        ]

    async def _from_alertmanager(self, request: web.Request) -> web.Response:
        return await self._counted(request, ALERTMANAGER)

    async def _from_prometheus(self, request: web.Request) -> web.Response:
        return await self._counted(request, PROMETHEUS)

    async def _from_either(self, request: web.Request) -> web.Response:
        return await self._counted(request, "")

    async def _counted(self, request: web.Request, source: str) -> web.Response:
        """Take the request in; whatever it is answered, it is counted once."""
        status, alerts_count = 500, 0
        try:
            body = await self._admit(request)
            source = source or (PROMETHEUS if body.lstrip()[:1] == b"[" else ALERTMANAGER)
            delivery, parcel = await self._understand(request, body, source)
            await self._keep(delivery)
            status, alerts_count = 200, len(parcel.alerts)
        except Rejected as rejected:
            status = rejected.response.status
            raise
        finally:
            self._metrics.count_delivery(
                source=source or ALERTMANAGER, status=status, alerts_count=alerts_count
            )
        return json_answer(
            {"delivery": delivery.id, "alerts": alerts_count, "truncated": parcel.truncated_count}
        )

    async def _admit(self, request: web.Request) -> bytes:
        """The body, once its sender, type and size are in order."""
        require_token(request, self._token)
        require_json(request)
        return await read_body(request, max_bytes=self._max_body_bytes, hint=TOO_LARGE_HINT)

    async def _understand(self, request: web.Request, body: bytes, source: str) -> tuple[Delivery, Parcel]:
        delivery = Delivery(
            id=f"dlv-{secrets.token_hex(8)}",
            source=source,
            body=body,
            received_at=self._clock.now(),
            sender=request.remote or "",
        )
        try:
            return delivery, await _parse(delivery)
        except BadInput as error:
            log.info("delivery_rejected", source=source, sender=delivery.sender, reason=str(error))
            raise reject(400, str(error), field=error.field, hint=HINTS[source]) from error

    async def _keep(self, delivery: Delivery) -> None:
        """Commit the delivery, then tell the worker. Raises Rejected (503) when it may not be kept."""
        if self._queue.full:
            raise reject(503, "the queue is full", hint=SEND_AGAIN_HINT)
        try:
            async with asyncio.timeout(COMMIT_S):
                await self._journal.keep_delivery(delivery)
        except JournalUnavailable as error:
            raise reject(503, str(error), hint=SEND_AGAIN_HINT) from error
        except TimeoutError as error:
            raise reject(503, f"the journal took more than {COMMIT_S:g} s", hint=SEND_AGAIN_HINT) from error
        if not self._queue.offer(Wake(delivery=delivery)):
            log.info("delivery_waits_in_journal", delivery=delivery.id)  # the feeder brings it later


async def _parse(delivery: Delivery) -> Parcel:
    parse = PARSERS[delivery.source]
    if len(delivery.body) <= INLINE_PARSE_BYTES:
        return parse(delivery.body, received_at=delivery.received_at)
    return await asyncio.to_thread(parse, delivery.body, received_at=delivery.received_at)
