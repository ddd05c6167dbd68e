"""Label selectors (`app=web,tier in (a,b),!old`) and field selectors (`spec.nodeName=n1`).

Parsing and matching only; which fields a kind may be selected by is in `SELECTABLE`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.errors import BadRequest
from sandbox.fields import Obj, get_in
from sandbox.kinds import Kind

_KEY = re.compile(r"^(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
_SET = re.compile(r"^(\S+)\s+(in|notin)\s*\(([^()]*)\)$")
_EQUAL = re.compile(r"^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$")
_COMMAS = re.compile(r",(?![^()]*\))")  # commas outside parentheses


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand on one label; `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values if self.key in labels else False
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case _:
                return self.key not in labels


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; an empty selector matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        return not self.requirements

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Reads the query parameter's syntax; raises BadRequest with the place that is wrong."""
        parts = (part.strip() for part in _COMMAS.split(text))
        return cls(tuple(_requirement(part, text) for part in parts if part))

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> "Selector":
        """The plain map of a Service or a `nodeSelector`."""
        return cls(tuple(Requirement(key, "In", frozenset((value,))) for key, value in labels.items()))

    @classmethod
    def from_obj(cls, selector: Obj | None) -> "Selector":
        """A `LabelSelector` object (matchLabels, matchExpressions); null matches everything too."""
        selector = selector or {}
        equal = cls.from_labels(selector.get("matchLabels") or {}).requirements
        more = tuple(
            Requirement(item["key"], item["operator"], frozenset(item.get("values") or ()))
            for item in selector.get("matchExpressions") or ()
        )
        return cls(equal + more)


def _requirement(part: str, text: str) -> Requirement:
    if found := _SET.match(part):
        values = frozenset(value.strip() for value in found[3].split(","))
        return Requirement(_key(found[1], text), "In" if found[2] == "in" else "NotIn", values)
    if found := _EQUAL.match(part):
        operator = "NotIn" if found[2] == "!=" else "In"
        return Requirement(_key(found[1], text), operator, frozenset((found[3],)))
    if part.startswith("!"):
        return Requirement(_key(part[1:].strip(), text), "DoesNotExist")
    return Requirement(_key(part, text), "Exists")


def _key(key: str, text: str) -> str:
    if not _KEY.match(key):
        raise BadRequest(f"unable to parse requirement: invalid label key in selector {text!r}: {key!r}")
    return key


_COMMON = ("metadata.name", "metadata.namespace")
SELECTABLE: dict[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Node": ("spec.unschedulable",),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "Secret": ("type",),
    "Namespace": ("status.phase",),
    "ReplicaSet": ("status.replicas",),
    "ReplicationController": ("status.replicas",),
    "Job": ("status.successful",),
    "Service": ("spec.clusterIP", "spec.type"),
}
"""Fields besides metadata.name and metadata.namespace by which each kind's lists may be selected."""

_READ_FROM = {"source": "source.component", "status.successful": "status.succeeded"}
_UNSET = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.successful": "0"}


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Pairs of (field, value, equal?) that must all hold; a missing field reads as empty."""

    terms: tuple[tuple[str, str, bool], ...] = ()

    @classmethod
    def parse(cls, text: str, kind: Kind) -> "FieldSelector":
        """Raises BadRequest for a field by which `kind` cannot be selected."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        selector = cls(tuple(_term(part) for part in parts))
        selector.check(kind)
        return selector

    def check(self, kind: Kind) -> None:
        special = SELECTABLE.get(kind.kind, ())
        for path, _, _ in self.terms:
            if path in _COMMON or path in special:
                continue
            if special:
                raise BadRequest(f"field label not supported: {path}")
            known = ", ".join(f'"{name}"' for name in _COMMON)
            raise BadRequest(f'"{path}" is not a known field selector: only {known}')

    def matches(self, obj: Obj) -> bool:
        return all((_read(obj, path) == value) is equal for path, value, equal in self.terms)

    def exact(self, path: str) -> str | None:
        """The value that `path` must have, if the selector says so: lets the store use an index."""
        return next((value for field, value, equal in self.terms if equal and field == path), None)

    def __str__(self) -> str:
        return ",".join(f"{path}{'=' if equal else '!='}{value}" for path, value, equal in self.terms)


def _term(part: str) -> tuple[str, str, bool]:
    found = _EQUAL.match(part)
    if not found:
        raise BadRequest(f"invalid selector: '{part}'; can't understand '{part}'")
    return found[1], found[3], found[2] != "!="


def _read(obj: Obj, path: str) -> str:
    value = get_in(obj, _path(path))
    if value is None:
        return _UNSET.get(path, "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _path(path: str) -> Sequence[str]:
    return _READ_FROM.get(path, path).split(".")
