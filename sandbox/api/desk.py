"""The API's front desk: every HTTP request comes in here and is handed to whoever answers it."""

import logging
from collections.abc import Callable

from aiohttp import web

from sandbox.api import openapi
from sandbox.api.call import Call, parse_call
from sandbox.api.discovery import AGGREGATED, VERSION, Discovery
from sandbox.api.log_door import LogDoor
from sandbox.api.pod_doors import PodDoors
from sandbox.api.read import encode, get_json, list_json
from sandbox.api.review import ANSWERS, answer
from sandbox.api.watch import WatchStream
from sandbox.api.write import Writes
from sandbox.errors import ApiError, InternalError, MethodNotAllowed, NotAcceptable, PageNotFound
from sandbox.fields import Obj
from sandbox.kinds import Kind, Registry
from sandbox.logs import LogSource
from sandbox.store import Store

JSON = "application/json"
HEALTH = ("/healthz", "/livez", "/readyz")
log = logging.getLogger(__name__)


class Api:
    """Kubernetes' HTTP API on one store."""

    def __init__(self, store: Store, registry: Registry, logs: LogSource) -> None:
        self._store = store
        self._registry = registry
        self._writes = Writes(store)
        self._pods = PodDoors(store)
        self._logs = LogDoor(store, logs)
        self._discovery = Discovery(registry)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request; refusals become Status objects with their HTTP code."""
        try:
            return await self._answer(request)
        except ApiError as error:
            return _refused(error)
        except Exception:
            log.exception("api_request_failed path=%s", request.path)
            return _refused(InternalError("the sandbox failed to answer; its log says why"))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in HEALTH:
            return web.Response(text="ok")
        if (found := self._about(request)) is not None:
            return _described(request, found)
        plural = request.path.rstrip("/").rsplit("/", 1)[-1]
        if plural in ANSWERS and request.method == "POST":
            return _json(answer(plural, await request.read()), 201)
        call = parse_call(request.method, request.path, request.query, request.headers, self._registry)
        return await self._resource(request, call)

    def _about(self, request: web.Request) -> Obj | None:
        """Discovery and OpenAPI; None for paths of resources."""
        parts = [part for part in request.path.split("/") if part]
        match parts:
            case ["version"]:
                return VERSION
            case ["openapi", *rest]:
                return self._openapi(request, rest)
            case ["api" | "apis" as root]:
                return self._root(request, core=root == "api")
            case ["apis", group]:
                return _found(self._discovery.group(group))
            case ["api", version]:
                return _found(self._discovery.resources(version))
            case ["apis", group, version]:
                return _found(self._discovery.resources(f"{group}/{version}"))
            case _:
                return None

    def _root(self, request: web.Request, *, core: bool) -> Obj:
        version = _aggregated_version(request)
        if version:
            return self._discovery.aggregated(version, core=core)
        return self._discovery.core_versions() if core else self._discovery.groups()

    def _openapi(self, request: web.Request, rest: list[str]) -> Obj:
        if rest == ["v3"]:
            return openapi.index(self._registry)
        if rest == ["v2"]:
            if JSON not in request.headers.get("Accept", JSON) and "*/*" not in request.headers["Accept"]:
                raise NotAcceptable("only application/json is served")
            return openapi.swagger(self._registry)
        return _found(openapi.document(self._registry, "/".join(rest[1:])) if rest[0] == "v3" else None)

    async def _resource(self, request: web.Request, call: Call) -> web.StreamResponse:
        if call.subresource in ("log", "eviction", "binding"):
            return await self._pod_door(request, call)
        match call.method:
            case "GET" | "HEAD":
                return await self._read(request, call)
            case "POST" if call.name is None and (call.namespace is not None) == call.kind.namespaced:
                return await self._write(request, call, self._writes.create)
            case "PUT" if call.name:
                return await self._write(request, call, self._writes.replace)
            case "PATCH" if call.name:
                return await self._write(request, call, self._writes.patch)
            case "DELETE" if call.subresource is None:
                return await self._write(
                    request, call, self._writes.delete if call.name else self._writes.delete_collection
                )
            case _:
                raise MethodNotAllowed("the server does not allow this method on the requested resource", {})

    async def _read(self, request: web.Request, call: Call) -> web.StreamResponse:
        stored = self._registry.stored(call.kind)
        if call.flag("watch"):
            return await WatchStream(call, self._store, stored).run(request)
        if call.name is None:
            return _bytes(list_json(call, self._store, stored))
        if call.subresource == "scale":
            return _json(self._writes.scale_of(call, stored))
        return _bytes(get_json(call, self._store, stored))

    async def _write(
        self, request: web.Request, call: Call, verb: Callable[[Call, Kind, bytes], tuple[int, Obj]]
    ) -> web.Response:
        status, obj = verb(call, self._registry.stored(call.kind), await request.read())
        return _json(obj, status)

    async def _pod_door(self, request: web.Request, call: Call) -> web.StreamResponse:
        if call.method == "GET" and call.subresource == "log":
            return await self._logs.serve(request, call)
        doors: dict[str | None, Callable[[Call, bytes], tuple[int, Obj]]] = {
            "eviction": self._pods.evict,
            "binding": self._pods.bind,
        }
        if call.method != "POST" or call.subresource not in doors:
            raise MethodNotAllowed("the server does not allow this method on the requested resource", {})
        status, obj = doors[call.subresource](call, await request.read())
        return _json(obj, status)


def _aggregated_version(request: web.Request) -> str | None:
    """Which aggregated discovery the client understands; None for the old form only."""
    accepted = request.headers.get("Accept", "").replace(" ", "")
    return next(
        (version for version in ("v2", "v2beta1") if f"g={AGGREGATED};v={version};" in accepted), None
    )


def _described(request: web.Request, found: Obj) -> web.Response:
    response = _json(found)
    if found.get("kind") == "APIGroupDiscoveryList":
        version = _aggregated_version(request)
        response.headers["Content-Type"] = f"{JSON};g={AGGREGATED};v={version};as=APIGroupDiscoveryList"
    return response


def _found(answered: Obj | None) -> Obj:
    if answered is None:
        raise PageNotFound
    return answered


def _refused(error: ApiError) -> web.Response:
    response = _json(error.status(), error.code)
    retry_s = (error.details or {}).get("retryAfterSeconds")
    if retry_s:
        response.headers["Retry-After"] = str(retry_s)
    return response


def _json(obj: Obj, status: int = 200) -> web.Response:
    return _bytes(encode(obj), status)


def _bytes(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type=JSON)
