"""Incidents to read and approvals to give, as JSON under /api.

A person's answer is journalled first and wakes the incident then. Whether that person may approve is
policy's to say, later, when the action is judged again.
"""

import asyncio
from pathlib import Path
from typing import Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.attempt import Approval, Attempt
from domain.clock import Clock
from domain.errors import BadInput
from domain.incident import Incident, IncidentState
from journal.pending import waiting_attempt
from journal.port import IncidentSummary, NotWaiting, UnknownIncident
from journal.queue import Wake
from utils.http_answers import json_answer, read_body, reject, require_json, require_token
from utils.http_server import Handler
from web.views import approval_json, incident_json, pending_json, summary_json

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_ANSWER_BYTES = 16 * 1024  # an approver and a reason


class ApiJournal(Protocol):
    """What the API needs of the journal; described in `journal/port.py`."""

    async def load(self, incident_id: str) -> Incident: ...
    async def incidents(
        self, *, state: IncidentState | None = None, limit: int = 50
    ) -> list[IncidentSummary]: ...
    async def decide(self, approval: Approval) -> Approval: ...
    async def approval_of(self, action_key: str) -> Approval | None: ...


class Waker(Protocol):
    """The worker's queue."""

    def offer(self, wake: Wake) -> bool: ...


class _Answer(BaseModel):
    """What a person sends."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    approver: str = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=2000)


class Api:
    """The handlers under /api; `token` empty means that anybody may read and approve."""

    def __init__(self, journal: ApiJournal, queue: Waker, *, clock: Clock, token: str = "") -> None:
        self._journal = journal
        self._queue = queue
        self._clock = clock
        self._token = token

    def routes(self) -> list[web.RouteDef]:
        """Reading by GET, answering by POST."""
        return [
            web.get("/api/incidents", self._guarded(self._list)),
            web.get("/api/incidents/{id}", self._guarded(self._show)),
            web.get("/api/incidents/{id}/report", self._guarded(self._report)),
            web.get("/api/approvals/pending", self._guarded(self._pending)),
            web.post("/api/approvals/{id}/approve", self._guarded(self._approve)),
            web.post("/api/approvals/{id}/reject", self._guarded(self._reject)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        """`handler` behind the token, with the journal's refusals as 404 and 409."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            require_token(request, self._token)
            try:
                return await handler(request)
            except UnknownIncident as error:
                raise reject(404, str(error), field="id", hint="see GET /api/incidents") from error
            except NotWaiting as error:
                raise reject(409, str(error), hint="see GET /api/approvals/pending") from error

        return guarded

    async def _list(self, request: web.Request) -> web.Response:
        state = _state(request.query.get("state", ""))
        rows = await self._journal.incidents(state=state, limit=_limit(request.query.get("limit", "")))
        return json_answer({"incidents": [summary_json(row) for row in rows]})

    async def _show(self, request: web.Request) -> web.Response:
        incident = await self._journal.load(request.match_info["id"])
        return web.Response(body=incident_json(incident), content_type="application/json", charset="utf-8")

    async def _report(self, request: web.Request) -> web.Response:
        incident = await self._journal.load(request.match_info["id"])
        text = await asyncio.to_thread(_read, incident.report_path) if incident.report_path else None
        if text is None:
            hint = (
                "it is written when the incident closes" if not incident.closed else "its file was moved away"
            )
            raise reject(404, f"incident {incident.id} has no report", field="id", hint=hint)
        return web.Response(text=text, content_type="text/markdown")

    async def _pending(self, request: web.Request) -> web.Response:
        parked = await self._journal.incidents(state=IncidentState.PARKED, limit=MAX_LIMIT)
        asked = [await self._question(row.id) for row in parked]
        return json_answer({"pending": [pending_json(*question) for question in asked if question]})

    async def _question(self, incident_id: str) -> tuple[Incident, Attempt] | None:
        """The incident and what it asks; None when somebody has answered already."""
        incident = await self._journal.load(incident_id)
        attempt = waiting_attempt(incident)
        if attempt is None or await self._journal.approval_of(attempt.action.key):
            return None
        return incident, attempt

    async def _approve(self, request: web.Request) -> web.Response:
        return await self._decide(request, granted=True)

    async def _reject(self, request: web.Request) -> web.Response:
        return await self._decide(request, granted=False)

    async def _decide(self, request: web.Request, *, granted: bool) -> web.Response:
        answer = await _read_answer(request)
        incident = await self._journal.load(request.match_info["id"])
        given = Approval(
            incident_id=incident.id,
            action_key=_asked_action(incident),
            approver=answer.approver,
            granted=granted,
            decided_at=self._clock.now(),
            reason=answer.reason,
        )
        standing = await self._journal.decide(given)
        if standing != given:
            raise _already(standing)
        self._queue.offer(Wake(incident_id=incident.id))  # when it is full, the feeder brings it later
        return json_answer({"approval": approval_json(given)})


def _asked_action(incident: Incident) -> str:
    """The key of the action that a person is asked about. Raises Rejected (409) when none is."""
    attempt = waiting_attempt(incident)
    if attempt is not None:
        return attempt.action.key
    last = incident.last_attempt
    if last is not None and last.approval is not None:
        raise _already(last.approval)
    raise NotWaiting(f"incident {incident.id} does not wait for an answer")


def _already(standing: Approval) -> Exception:
    said = "approved" if standing.granted else "rejected"
    when = standing.decided_at.isoformat(timespec="seconds")
    message = f"{standing.approver} has {said} {standing.action_key} at {when}"
    return reject(409, message, hint="the first answer stands")


async def _read_answer(request: web.Request) -> _Answer:
    require_json(request, said=True)  # a page of another origin cannot send this type without being asked
    body = await read_body(request, max_bytes=MAX_ANSWER_BYTES)
    try:
        return _Answer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"{field}: {first['msg']}", field=field) from error


def _state(text: str) -> IncidentState | None:
    if not text:
        return None
    try:
        return IncidentState(text)
    except ValueError:
        names = ", ".join(state.value for state in IncidentState)
        raise BadInput(f"state: expected one of {names}, got {text!r}", field="state") from None


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise BadInput(f"limit: expected a number from 1 to {MAX_LIMIT}, got {text[:40]!r}", field="limit")


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
