"""One API request, understood: which kind, which object, which subresource, which options.

Reads paths and query strings only; bodies are `api_bodies`'.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.errors import BadRequest, Cause, Invalid, PageNotFound
from sandbox.kinds import Kind, Registry
from sandbox.selectors import FieldSelector, Selector

TRUE = ("1", "true", "True")
OPTIONS_OF = {
    "POST": "CreateOptions",
    "PUT": "UpdateOptions",
    "PATCH": "PatchOptions",
    "DELETE": "DeleteOptions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request for a resource; `namespace` is None for cluster-wide kinds and for all namespaces."""

    method: str
    kind: Kind
    namespace: str | None
    name: str | None
    subresource: str | None
    query: Mapping[str, str]
    headers: Mapping[str, str]

    def flag(self, name: str) -> bool:
        return self.query.get(name, "") in TRUE

    def number(self, name: str) -> int | None:
        """A whole number from the query; raises BadRequest for anything else."""
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error

    @property
    def labels(self) -> Selector | None:
        text = self.query.get("labelSelector", "")
        return Selector.parse(text) if text else None

    @property
    def fields(self) -> FieldSelector | None:
        """The field selector; a name in the path of a watch selects that one object."""
        text = self.query.get("fieldSelector", "")
        if self.name:
            text = f"{text},metadata.name={self.name}"
        return FieldSelector.parse(text, self.kind) if text else None

    @property
    def dry_run(self) -> bool:
        """Raises Invalid for any value but All."""
        value = self.query.get("dryRun")
        if value is None or value == "All":
            return value is not None
        message = f'Unsupported value: []string{{"{value}"}}: supported values: "All"'
        raise invalid_options(OPTIONS_OF[self.method], Cause("dryRun", message, "FieldValueNotSupported"))

    @property
    def manager(self) -> str:
        """Who writes: the named field manager, else the first word of the User-Agent."""
        agent = self.headers.get("User-Agent", "") or "unknown"
        return self.query.get("fieldManager") or agent.split("/", 1)[0][:128]

    def accepts(self, shape: str) -> bool:
        """Whether the client asked for `Table` or `PartialObjectMetadata`, and not only for the object."""
        return f"as={shape};" in self.headers.get("Accept", "").replace(" ", "") + ";"


def invalid_options(kind: str, cause: Cause) -> Invalid:
    """Wrong options are refused as if they were an object of meta.k8s.io."""
    options = Kind(group="meta.k8s.io", version="v1", kind=kind, plural="", namespaced=False)
    return Invalid.because(options, "", [cause])


def parse_call(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], registry: Registry
) -> Call:
    """Reads `/api/v1/namespaces/x/pods/y/log` and the like; raises PageNotFound for what nobody serves."""
    group, version, rest = _split(path)
    namespace = None
    if len(rest) >= 3 and rest[0] == "namespaces" and registry.by_path(group, version, rest[2]):
        namespace, rest = rest[1], rest[2:]
    kind = registry.by_path(group, version, rest[0]) if rest else None
    if kind is None or len(rest) > 3:
        raise PageNotFound
    name = rest[1] if len(rest) > 1 else None
    if kind.namespaced != (namespace is not None) and (namespace is not None or name is not None):
        raise PageNotFound
    subresource = rest[2] if len(rest) > 2 else None
    if subresource and subresource not in kind.subresources:
        raise PageNotFound
    return Call(
        method=method,
        kind=kind,
        namespace=namespace,
        name=name,
        subresource=subresource,
        query=query,
        headers=headers,
    )


def _split(path: str) -> tuple[str, str, list[str]]:
    parts = [part for part in path.split("/") if part]
    if len(parts) > 2 and parts[0] == "api":
        return "", parts[1], parts[2:]
    if len(parts) > 3 and parts[0] == "apis":
        return parts[1], parts[2], parts[3:]
    raise PageNotFound
