"""Objects of one cluster, read and changed as raw JSON. It knows nothing of what the objects mean."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from domain.errors import Transient
from mcp_servers.kube.api_errors import refusal
from mcp_servers.kube.connection import Access, Connection
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.kinds import KINDS, Kind

CONNECT_S = 20.0  # importing the client takes a second, credential plugins a few more
PAGE_SIZE = 500  # what kubectl asks for
MAX_ITEMS = 5000
FIELD_MANAGER = "alert-agent"
LOGS = Kind("Pod", "/api/v1", "pods/log")  # the resource that the right to read logs is granted on


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects of one kind; `truncated` when there were more than asked for."""

    items: tuple[Doc, ...]
    truncated: bool


class ClusterApi:
    """Reads and writes objects. Raises Transient, ToolTimeout, NotFound, Conflict or Permanent.

    The connection is opened by the first call and closed when the last user leaves `lifespan`.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._users_count = 0

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Hold the connection; over HTTP there may be several holders at a time."""
        self._users_count += 1
        try:
            yield
        finally:
            self._users_count -= 1
            if not self._users_count:
                await self._close()

    async def get(self, kind: str, namespace: str, name: str) -> Doc:
        """One object."""
        place = KINDS[kind]
        return Doc(_parse(await self._send("GET", place, place.path(namespace, name), verb="get")), kind)

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", limit: int = MAX_ITEMS
    ) -> Listing:
        """Objects of a namespace, or of all when it is empty; page by page up to `limit`."""
        place, items, more = KINDS[kind], list[Doc](), ""
        while True:
            asked = {"limit": str(min(PAGE_SIZE, limit - len(items))), "continue": more}
            asked |= {"labelSelector": labels, "fieldSelector": fields}
            page = Doc(
                _parse(await self._send("GET", place, place.path(namespace), verb="list", query=asked))
            )
            items += (Doc(item.raw, kind) for item in page.parts("items"))
            more = page.text("metadata", "continue")
            if not more or len(items) >= limit:
                return Listing(tuple(items), bool(more))

    async def patch(
        self, kind: str, namespace: str, name: str, ops: Sequence[Mapping[str, object]], *, dry_run: bool
    ) -> Doc:
        """Apply a JSON patch; returns the object as it then is. ToolTimeout: it may have been applied."""
        place = KINDS[kind]
        query = {"fieldManager": FIELD_MANAGER, "dryRun": "All" if dry_run else ""}
        path = place.path(namespace, name)
        body = await self._send("PATCH", place, path, verb="patch", query=query, body=list(ops))
        return Doc(_parse(body), kind)

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str, dry_run: bool) -> None:
        """Delete exactly the object with this uid; Conflict when the name now belongs to another."""
        place = KINDS[kind]
        options: dict[str, object] = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": uid},
        }
        if dry_run:
            options["dryRun"] = ["All"]
        await self._send("DELETE", place, place.path(namespace, name), verb="delete", body=options)

    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> bytes:
        """A container's log as bytes; `query` as the API's log endpoint takes it."""
        path = KINDS["Pod"].path(namespace, pod, "log")
        return await self._send("GET", LOGS, path, verb="get", query=query)

    async def _send(
        self,
        method: str,
        kind: Kind,
        path: str,
        *,
        verb: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> bytes:
        connection = await self._connected()
        status, answer = await connection.exchange(method, path, query or {}, body)
        if status == 401:  # credential plugins hand out tokens of minutes: load the configuration anew, once
            connection = await self._reopened(connection)
            status, answer = await connection.exchange(method, path, query or {}, body)
        if status >= 400:
            raise refusal(status, answer, verb=verb, kind=kind)
        return answer

    async def _connected(self) -> Connection:
        async with self._opening:
            if self._connection is None:
                try:
                    async with asyncio.timeout(CONNECT_S):
                        self._connection = await Connection.open(self._access)
                except TimeoutError as error:
                    raise Transient("Loading the cluster's credentials took too long; try again.") from error
            return self._connection

    async def _reopened(self, refused: Connection) -> Connection:
        if self._connection is refused:  # another call may have replaced it already
            await self._close()
        return await self._connected()

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _parse(body: bytes) -> Mapping[str, object]:
    """A JSON object. Raises Transient for anything else, such as a proxy's error page."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Transient("The API server's answer is no JSON; is there a proxy in between?") from error
    if not isinstance(found, dict):
        raise Transient("The API server's answer is no JSON object; is there a proxy in between?")
    return found
