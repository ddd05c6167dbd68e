"""Getting the one object that was asked for, with names close to it when there is none."""

from difflib import get_close_matches

from domain.errors import BadInput, LoopError
from mcp_servers.kube.api_errors import NotFound, NotServed
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.doc import Doc

NEAR_COUNT = 5
LOOKED_THROUGH_COUNT = 1000  # enough for suggestions; the answer must stay quick


async def find(api: ClusterApi, kind: str, namespace: str, name: str) -> Doc:
    """The object. Raises NotFound with near names and what to call next."""
    try:
        return await api.get(kind, namespace, name)
    except NotServed:
        raise
    except NotFound as error:
        raise NotFound(await _not_found(api, kind, namespace, name)) from error


async def _not_found(api: ClusterApi, kind: str, namespace: str, name: str) -> str:
    where = f" in namespace {namespace}" if namespace else ""
    said = f"There is no {kind} {name!r}{where}."
    try:
        names = await _names(api, kind, namespace)
        if namespace and not names:
            spaces = await _names(api, "Namespace", "")
            if namespace not in spaces:
                return f"There is no namespace {namespace!r}. {_near(namespace, spaces)}".strip()
    except LoopError:  # the suggestion is a courtesy; the plain answer stands without it
        return said
    known = api.kind(kind)
    plural = known.plural if known else kind
    return f"{said} {_near(name, names) or f'List the {plural} there first.'}"


async def _names(api: ClusterApi, kind: str, namespace: str) -> list[str]:
    listing = await api.list(kind, namespace, limit=LOOKED_THROUGH_COUNT)
    return [item.name for item in listing.items]


def _near(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=NEAR_COUNT, cutoff=0.5)
    near = near or [other for other in names if name in other or other in name][:NEAR_COUNT]
    return f"Near names: {', '.join(near)}." if near else ""


def pick_container(owner: str, names: list[str], asked: str) -> str:
    """The container that was asked for, or the only one. Raises BadInput naming what there is."""
    if asked in names:
        return asked
    if not asked and len(names) == 1:
        return names[0]
    said = f"has no container {asked!r}" if asked else "has several containers"
    raise BadInput(f"{owner} {said}; choose one of: {', '.join(names)}.", field="container")
