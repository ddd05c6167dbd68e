"""What the server says about itself: version, groups, resources; in the old form and the aggregated one."""

from collections.abc import Iterable

from sandbox.fields import Obj
from sandbox.kinds import ALL_VERBS, Kind, Registry

VERSION: Obj = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0-sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
REVIEWS = {
    "authorization.k8s.io/v1": (
        ("SelfSubjectAccessReview", "selfsubjectaccessreviews", False),
        ("SelfSubjectRulesReview", "selfsubjectrulesreviews", False),
        ("SubjectAccessReview", "subjectaccessreviews", False),
        ("LocalSubjectAccessReview", "localsubjectaccessreviews", True),
    ),
    "authentication.k8s.io/v1": (
        ("SelfSubjectReview", "selfsubjectreviews", False),
        ("TokenReview", "tokenreviews", False),
    ),
}
"""Kinds that can only be posted: questions, not objects."""

_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
}
_SUBRESOURCE_VERBS = {
    "log": ("get",),
    "eviction": ("create",),
    "binding": ("create",),
    "finalize": ("update",),
}
AGGREGATED = "apidiscovery.k8s.io"


class Discovery:
    """Answers from the registry, so that custom kinds appear as soon as they are defined."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def core_versions(self) -> Obj:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}

    def groups(self) -> Obj:
        listed = [self.group(name) for name in self._group_names() if name]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group for group in listed if group]}

    def group(self, name: str) -> Obj | None:
        """One group; None when nobody serves it."""
        versions = [
            {"groupVersion": f"{name}/{version}", "version": version} for version in self._versions(name)
        ]
        if not versions:
            return None
        return {
            "kind": "APIGroup",
            "apiVersion": "v1",
            "name": name,
            "versions": versions,
            "preferredVersion": versions[0],
        }

    def resources(self, api_version: str) -> Obj | None:
        """Resources of one group and version with their subresources; None when nobody serves it."""
        found = [entry for kind in self._kinds(api_version) for entry in _entries(kind)]
        found += [_review(*review) for review in REVIEWS.get(api_version, ())]
        if not found:
            return None
        listed = sorted(found, key=lambda entry: str(entry["name"]))
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": api_version,
            "resources": listed,
        }

    def aggregated(self, version: str, *, core: bool) -> Obj:
        """All groups and resources in one answer: what kubectl asks for first."""
        names = [name for name in self._group_names() if (name == "") is core]
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"{AGGREGATED}/{version}",
            "metadata": {},
            "items": [self._aggregated_group(name) for name in names],
        }

    def _aggregated_group(self, name: str) -> Obj:
        versions = [
            {
                "version": version,
                "freshness": "Current",
                "resources": self._aggregated_resources(name, version),
            }
            for version in self._versions(name)
        ]
        return {"metadata": {"name": name, "creationTimestamp": None}, "versions": versions}

    def _aggregated_resources(self, group: str, version: str) -> list[Obj]:
        api_version = f"{group}/{version}" if group else version
        found = [_aggregated(kind) for kind in self._kinds(api_version)]
        return found + [_aggregated_review(api_version, *review) for review in REVIEWS.get(api_version, ())]

    def _kinds(self, api_version: str) -> Iterable[Kind]:
        return (kind for kind in self._registry if kind.api_version == api_version)

    def _group_names(self) -> list[str]:
        names = [kind.group for kind in self._registry] + [version.split("/")[0] for version in REVIEWS]
        return list(dict.fromkeys(names))

    def _versions(self, group: str) -> list[str]:
        mine = [kind.version for kind in self._registry if kind.group == group]
        asked = [version.split("/")[1] for version in REVIEWS if version.split("/")[0] == group]
        return list(dict.fromkeys(mine + asked))


def _entries(kind: Kind) -> list[Obj]:
    names: Obj = {"shortNames": list(kind.short_names)} if kind.short_names else {}
    groups: Obj = {"categories": list(kind.categories)} if kind.categories else {}
    main: Obj = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(ALL_VERBS),
        **names,
        **groups,
    }
    return [main, *(_subresource(kind, name) for name in kind.subresources)]


def _subresource(kind: Kind, name: str) -> Obj:
    entry: Obj = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
    if name in _SUBRESOURCE_KINDS:
        group, version, other = _SUBRESOURCE_KINDS[name]
        entry |= {"group": group, "version": version, "kind": other}
    else:
        entry["kind"] = kind.kind
    return entry | {"verbs": list(_SUBRESOURCE_VERBS.get(name, ("get", "patch", "update")))}


def _review(kind: str, plural: str, namespaced: bool) -> Obj:
    return {
        "name": plural,
        "singularName": kind.lower(),
        "namespaced": namespaced,
        "kind": kind,
        "verbs": ["create"],
    }


def _aggregated(kind: Kind) -> Obj:
    entry: Obj = {
        "resource": kind.plural,
        "responseKind": _response(kind.group, kind.version, kind.kind),
        "scope": _scope(kind.namespaced),
        "singularResource": kind.singular,
        "verbs": list(ALL_VERBS),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [_aggregated_subresource(kind, name) for name in kind.subresources]
    return entry


def _aggregated_subresource(kind: Kind, name: str) -> Obj:
    response = _SUBRESOURCE_KINDS.get(name, (kind.group, kind.version, kind.kind))
    verbs = list(_SUBRESOURCE_VERBS.get(name, ("get", "patch", "update")))
    return {"subresource": name, "responseKind": _response(*response), "verbs": verbs}


def _aggregated_review(api_version: str, kind: str, plural: str, namespaced: bool) -> Obj:
    group, version = api_version.split("/")
    return {
        "resource": plural,
        "responseKind": _response(group, version, kind),
        "scope": _scope(namespaced),
        "singularResource": kind.lower(),
        "verbs": ["create"],
    }


def _response(group: str, version: str, kind: str) -> Obj:
    return {"group": group, "version": version, "kind": kind}


def _scope(namespaced: bool) -> str:
    return "Namespaced" if namespaced else "Cluster"
