"""Who changed what through the API: every write that was accepted, in order. Reads are not noted."""

from dataclasses import dataclass

from aiohttp import web

from sandbox.api.call import parse_call
from sandbox.errors import ApiError
from sandbox.kinds import Registry

MAX_WRITES_COUNT = 10_000  # the oldest are forgotten
READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One accepted write; `target` is `Kind/namespace/name`, without the parts that do not apply."""

    method: str
    target: str
    subresource: str
    agent: str  # the client's User-Agent


class Audit:
    """Notes the writes of clients; controllers and kubelets write to the store and are not clients."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.writes: list[Write] = []

    def note(self, request: web.Request, status: int) -> None:
        """Keep it when it was a write, was accepted, and was no dry run."""
        if request.method in READING or status >= 300 or "dryRun" in request.query:
            return
        try:
            call = parse_call(request.method, request.path, request.query, request.headers, self._registry)
        except ApiError:
            return  # no object: a review of rights, for example
        parts = (call.kind.kind, call.namespace, call.name)
        self.writes.append(
            Write(
                method=request.method,
                target="/".join(part for part in parts if part),
                subresource=call.subresource or "",
                agent=request.headers.get("User-Agent", ""),
            )
        )
        del self.writes[:-MAX_WRITES_COUNT]
