"""Objects of one cluster, read and changed as raw JSON. It knows nothing of what the objects mean."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from domain.errors import Transient
from mcp_servers.kube.api_errors import NotServed, refusal
from mcp_servers.kube.connection import Access, Connection
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.kinds import KINDS, Kind

CONNECT_S = 20.0  # importing the client takes a second, credential plugins a few more
PAGE_SIZE = 250  # parsing as many large pods holds the loop up for 10 ms; a connection is kept between pages
MAX_ITEMS = 5000
FIELD_MANAGER = "alert-agent"


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
        self._kinds = dict(KINDS)

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

    def learn(self, kind: Kind) -> None:
        """Make a kind known that is not in `KINDS`, such as that of a custom resource."""
        self._kinds.setdefault(kind.name, kind)

    def kind(self, name: str) -> Kind | None:
        """A known kind, at the version that this cluster was found to serve."""
        return self._kinds.get(name)

    async def get(self, kind: str, namespace: str, name: str) -> Doc:
        """One object."""
        return Doc(_parse(await self._at(kind, "GET", "get", namespace, name)), kind)

    async def pages(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[Listing, None]:
        """Objects of a namespace, or of all when it is empty, page by page; `truncated` when more follow."""
        more = ""
        while True:
            asked = {"limit": str(PAGE_SIZE), "continue": more}
            asked |= {"labelSelector": labels, "fieldSelector": fields}
            page = Doc(_parse(await self._at(kind, "GET", "list", namespace, query=asked)))
            more = page.text("metadata", "continue")
            yield Listing(tuple(_lean(item, kind) for item in page.parts("items")), bool(more))
            if not more:
                return

    async def list(
        self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "", limit: int = MAX_ITEMS
    ) -> Listing:
        """Objects of a namespace, or of all when it is empty, up to `limit`."""
        items = list[Doc]()
        async with aclosing(self.pages(kind, namespace, labels=labels, fields=fields)) as pages:
            async for page in pages:
                items += page.items
                if len(items) >= limit:
                    return Listing(tuple(items[:limit]), page.truncated or len(items) > limit)
        return Listing(tuple(items), False)

    async def read(self, path: str) -> Doc:
        """What is at a path that belongs to no kind, such as the list of API groups."""
        return Doc(_parse(await self._send("GET", Kind(path, "", path), path, verb="get")))

    async def patch(
        self, kind: str, namespace: str, name: str, ops: Sequence[Mapping[str, object]], *, dry_run: bool
    ) -> Doc:
        """Apply a JSON patch; returns the object as it then is. ToolTimeout: it may have been applied."""
        query = _writing(dry_run)
        body = await self._at(kind, "PATCH", "patch", namespace, name, query=query, body=list(ops))
        return Doc(_parse(body), kind)

    async def create(
        self, kind: str, namespace: str, manifest: Mapping[str, object], *, dry_run: bool
    ) -> Doc:
        """Create an object; returns it as the API made it. Conflict when there is one of that name."""
        query = _writing(dry_run)
        answer = await self._at(kind, "POST", "create", namespace, query=query, body=dict(manifest))
        return Doc(_parse(answer), kind)

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str, dry_run: bool) -> None:
        """Delete exactly the object with this uid; Conflict when the name now belongs to another."""
        options = _delete_options(uid, dry_run) | {"kind": "DeleteOptions", "apiVersion": "v1"}
        options["propagationPolicy"] = "Background"  # what it owns goes, too, as with kubectl
        await self._at(kind, "DELETE", "delete", namespace, name, body=options)

    async def evict(self, pod: Doc, *, dry_run: bool) -> None:
        """Delete a pod as far as disruption budgets allow. Raises Blocked when one does not."""
        budgets = self._kinds["PodDisruptionBudget"]
        body = {
            "apiVersion": budgets.api_version,
            "kind": "Eviction",
            "metadata": {"namespace": pod.namespace, "name": pod.name},
            "deleteOptions": _delete_options(pod.uid, dry_run),
        }
        await self._at("Pod", "POST", "create", pod.namespace, pod.name, "eviction", body=body)

    async def log(self, namespace: str, pod: str, query: Mapping[str, str], *, most_bytes: int) -> bytes:
        """The last bytes of a container's log; `query` as the API's log endpoint takes it."""
        return await self._at("Pod", "GET", "get", namespace, pod, "log", query=query, keep_bytes=most_bytes)

    async def _at(
        self,
        kind: str,
        method: str,
        verb: str,
        namespace: str = "",
        name: str = "",
        part: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        keep_bytes: int = 0,
    ) -> bytes:
        """Send to where the kind lives, in the newest version that this cluster serves."""
        newest = self._kinds[kind]
        older = (replace(newest, root=root, older=()) for root in newest.older)
        refused: NotServed | None = None
        for place in (newest, *older):
            asked = replace(place, plural=f"{place.plural}/{part}") if part else place
            path = place.path(namespace, name, part)
            try:
                answer = await self._send(
                    method, asked, path, verb=verb, query=query, body=body, keep_bytes=keep_bytes
                )
            except NotServed as error:
                refused = error
                continue
            self._kinds[kind] = place
            return answer
        raise refused or NotServed(f"This cluster does not serve {newest.resource}.")

    async def _send(
        self,
        method: str,
        kind: Kind,
        path: str,
        *,
        verb: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        keep_bytes: int = 0,
    ) -> bytes:
        connection = await self._connected()
        asked = (method, path, query or {}, body)
        status, answer = await connection.exchange(*asked, keep_bytes=keep_bytes)
        if status == 401:  # credential plugins hand out tokens of minutes: load the configuration anew, once
            connection = await self._reopened(connection)
            status, answer = await connection.exchange(*asked, keep_bytes=keep_bytes)
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


def _writing(dry_run: bool) -> dict[str, str]:
    return {"fieldManager": FIELD_MANAGER, "dryRun": "All" if dry_run else ""}


def _delete_options(uid: str, dry_run: bool) -> dict[str, object]:
    options: dict[str, object] = {"preconditions": {"uid": uid}}
    return options | ({"dryRun": ["All"]} if dry_run else {})


def _lean(item: Doc, kind: str) -> Doc:
    """An item of a list without the record of who set which field, which is half of its size."""
    metadata = {key: value for key, value in item.part("metadata").raw.items() if key != "managedFields"}
    return Doc({**item.raw, "metadata": metadata}, kind)


def _parse(body: bytes) -> Mapping[str, object]:
    """A JSON object. Raises Transient for anything else, such as a proxy's error page."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Transient("The API server's answer is no JSON; is there a proxy in between?") from error
    if not isinstance(found, dict):
        raise Transient("The API server's answer is no JSON object; is there a proxy in between?")
    return found
