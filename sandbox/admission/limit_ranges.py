"""LimitRanges: defaults for containers that ask for nothing, and bounds for those that do."""

from sandbox.amounts import amount
from sandbox.errors import Forbidden
from sandbox.fields import Obj, annotations_of, get_in, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.store import Store

ANNOTATION = "kubernetes.io/limit-ranger"


class LimitRanges:
    """The LimitRanger plugin on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kind = kind_of("LimitRange")
        self._pods = kind_of("Pod")

    def defaulted(self, pod: Obj) -> Obj:
        """The pod with missing requests and limits filled in, and an annotation that says so."""
        told: list[str] = []
        for limit in self._limits(pod, "Container"):
            pod = _with_limit(pod, limit, told)
        if not told:
            return pod
        text = "LimitRanger plugin set: " + "; ".join(told)
        annotations = {**annotations_of(pod), ANNOTATION: text}
        return {**pod, "metadata": {**meta(pod), "annotations": annotations}}

    def check(self, pod: Obj) -> None:
        """Raises Forbidden with every bound that a container breaks."""
        containers = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
        found = [
            text
            for limit in self._limits(pod, "Container")
            for item in containers
            for text in _broken(item.get("resources") or {}, limit)
        ]
        if found:
            why = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            raise Forbidden.because(self._pods, name_of(pod), why)

    def _limits(self, pod: Obj, type_: str) -> list[Obj]:
        ranges = self._store.list(self._kind, namespace_of(pod))
        return [
            limit
            for item in ranges
            for limit in get_in(item, ("spec", "limits"), [])
            if limit["type"] == type_
        ]


def _with_limit(pod: Obj, limit: Obj, told: list[str]) -> Obj:
    spec = dict(pod["spec"])
    for group, word in (("containers", "container"), ("initContainers", "init container")):
        if spec.get(group):
            spec[group] = [_completed(item, limit, word, told) for item in spec[group]]
    return {**pod, "spec": spec}


def _completed(container: Obj, limit: Obj, word: str, told: list[str]) -> Obj:
    resources = dict(container.get("resources") or {})
    for field, source, what in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
        has, offered = resources.get(field) or {}, limit.get(source) or {}
        missing = sorted(name for name in offered if name not in has)
        if missing:
            resources[field] = {**has, **{name: offered[name] for name in missing}}
            told.append(f"{', '.join(missing)} {what} for {word} {container['name']}")
    return {**container, "resources": resources}


def _broken(resources: Obj, limit: Obj) -> list[str]:
    """Sentences about the bounds that these resources break."""
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return [
        *_below(limit.get("min") or {}, requests),
        *_above(limit.get("max") or {}, limits),
        *_over_ratio(limit.get("maxLimitRequestRatio") or {}, requests, limits),
    ]


def _below(least: dict[str, str], requests: dict[str, str]) -> list[str]:
    found = []
    for name, bound in sorted(least.items()):
        head = f"minimum {name} usage per Container is {bound}"
        if name not in requests:
            found.append(f"{head}.  No request is specified")
        elif amount(requests[name]) < amount(bound):
            found.append(f"{head}, but request is {requests[name]}")
    return found


def _above(most: dict[str, str], limits: dict[str, str]) -> list[str]:
    found = []
    for name, bound in sorted(most.items()):
        head = f"maximum {name} usage per Container is {bound}"
        if name not in limits:
            found.append(f"{head}.  No limit is specified")
        elif amount(limits[name]) > amount(bound):
            found.append(f"{head}, but limit is {limits[name]}")
    return found


def _over_ratio(ratios: dict[str, str], requests: dict[str, str], limits: dict[str, str]) -> list[str]:
    found = []
    for name, bound in sorted(ratios.items()):
        if name not in requests or name not in limits or not amount(requests[name]):
            continue
        ratio = amount(limits[name]) / amount(requests[name])
        if ratio > amount(bound):
            found.append(
                f"{name} max limit to request ratio per Container is {bound}, "
                f"but provided ratio is {ratio:.6f}"
            )
    return found
