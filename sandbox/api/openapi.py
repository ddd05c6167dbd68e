"""As much OpenAPI as clients need to write: paths whose parameters say that the server checks fields itself.

Schemas are left out, so `kubectl explain` has nothing to show.
"""

from collections.abc import Iterable

from sandbox.fields import Obj
from sandbox.kinds import Kind, Registry

PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def index(registry: Registry) -> Obj:
    """The groups and where each one's document is."""
    roots = dict.fromkeys(_root(kind) for kind in registry)
    return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}


def document(registry: Registry, root: str) -> Obj | None:
    """OpenAPI 3 of one group and version; None when nobody serves it."""
    kinds = [kind for kind in registry if _root(kind) == root]
    if not kinds:
        return None
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.32.0"},
        "paths": {_path(kind): _item(kind) for kind in kinds},
        "components": {"schemas": {}},
    }


def swagger(kinds: Iterable[Kind]) -> Obj:
    """OpenAPI 2 for older clients."""
    paths = {_path(kind): _item(kind) for kind in kinds}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.32.0"},
        "paths": paths,
        "definitions": {},
    }


def _root(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"


def _path(kind: Kind) -> str:
    namespace = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"/{_root(kind)}{namespace}/{kind.plural}/{{name}}"


def _item(kind: Kind) -> Obj:
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in PARAMETERS]
    which = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    return {
        "patch": {
            "parameters": parameters,
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": which,
            "responses": {"200": {"description": "OK"}},
        }
    }
