"""A Kubernetes object as the API sent it, read by path. It never changes the object."""

from collections.abc import Mapping
from datetime import UTC, datetime

from domain.alert import Target

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Doc:
    """One JSON object. Every getter takes a path and answers with an empty value where it leads nowhere."""

    __slots__ = ("kind", "raw")

    def __init__(self, raw: Mapping[str, object], kind: str = "") -> None:
        self.raw = raw
        self.kind = kind or str(raw.get("kind", ""))  # items of a list carry no kind of their own

    def at(self, *path: str) -> object:
        """Whatever is at the path, or None."""
        found: object = self.raw
        for key in path:
            if not isinstance(found, Mapping):
                return None
            found = found.get(key)
        return found

    def text(self, *path: str) -> str:
        """A string; numbers are written out."""
        found = self.at(*path)
        return "" if found is None or isinstance(found, Mapping | list) else str(found)

    def maybe_number(self, *path: str) -> int | None:
        """A whole number, None when it is not there: 0 and nothing differ for replicas."""
        found = self.at(*path)
        return found if isinstance(found, int) else None

    def number(self, *path: str) -> int:
        """A whole number, 0 when it is not there: the API leaves zeros out of a status."""
        return self.maybe_number(*path) or 0

    def flag(self, *path: str) -> bool:
        """Whether the path holds true."""
        return self.at(*path) is True

    def maybe_time(self, *path: str) -> datetime | None:
        """An RFC 3339 time as aware UTC."""
        found = self.text(*path)
        return datetime.fromisoformat(found).astimezone(UTC) if found else None

    def part(self, *path: str) -> "Doc":
        """The object at the path; an empty one when there is none."""
        found = self.at(*path)
        return Doc(found if isinstance(found, Mapping) else {})

    def has(self, *path: str) -> bool:
        """Whether there is an object at the path, even an empty one."""
        return isinstance(self.at(*path), Mapping)

    def parts(self, *path: str) -> list["Doc"]:
        """The objects of the list at the path."""
        found = self.at(*path)
        return [Doc(item) for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []

    def texts(self, *path: str) -> dict[str, str]:
        """The string-to-string mapping at the path, such as labels."""
        found = self.at(*path)
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}

    def condition(self, kind: str) -> "Doc":
        """The status condition of this type; an empty object when there is none."""
        found = (c for c in self.parts("status", "conditions") if c.text("type") == kind)
        return next(found, Doc({}))

    @property
    def name(self) -> str:
        """metadata.name"""
        return self.text("metadata", "name")

    @property
    def namespace(self) -> str:
        """metadata.namespace, empty for cluster-wide objects"""
        return self.text("metadata", "namespace")

    @property
    def uid(self) -> str:
        """metadata.uid"""
        return self.text("metadata", "uid")

    @property
    def version(self) -> str:
        """metadata.resourceVersion"""
        return self.text("metadata", "resourceVersion")

    @property
    def labels(self) -> dict[str, str]:
        """metadata.labels"""
        return self.texts("metadata", "labels")

    @property
    def annotations(self) -> dict[str, str]:
        """metadata.annotations"""
        return self.texts("metadata", "annotations")

    @property
    def created_at(self) -> datetime:
        """metadata.creationTimestamp"""
        return self.maybe_time("metadata", "creationTimestamp") or EPOCH

    @property
    def target(self) -> Target:
        """The object's name in this house."""
        return Target(kind=self.kind, namespace=self.namespace, name=self.name)

    @property
    def controller(self) -> "Doc":
        """The owner reference with `controller: true`; an empty object when there is none."""
        found = (ref for ref in self.parts("metadata", "ownerReferences") if ref.flag("controller"))
        return next(found, Doc({}))
