"""Whether a node suits a pod's words: node selectors, node affinity, taints, tolerations. Pure functions."""

from collections.abc import Iterable, Mapping

from sandbox.fields import Obj

HARD_EFFECTS = ("NoSchedule", "NoExecute")


def tolerates(tolerations: Iterable[Obj], taint: Obj) -> bool:
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Obj, taint: Obj) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")


def untolerated(
    tolerations: list[Obj], taints: Iterable[Obj], effects: tuple[str, ...] = HARD_EFFECTS
) -> Obj | None:
    """The first taint with one of the effects that nothing tolerates."""
    return next((t for t in taints if t.get("effect") in effects and not tolerates(tolerations, t)), None)


def suits(spec: Obj, node_name: str, labels: Mapping[str, str]) -> bool:
    """Whether nodeSelector and required node affinity of a pod's spec let it onto the node."""
    selector = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return required is None or matches_terms(required.get("nodeSelectorTerms") or (), node_name, labels)


def matches_terms(terms: Iterable[Obj], node_name: str, labels: Mapping[str, str]) -> bool:
    """Terms are alternatives; within a term everything must hold; an empty term matches nothing."""
    return any(_matches_term(term, node_name, labels) for term in terms)


def preference(spec: Obj, node_name: str, labels: Mapping[str, str]) -> int:
    """The summed weights of the preferred node affinities that the node fulfils."""
    preferred = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "preferredDuringSchedulingIgnoredDuringExecution"
    )
    return sum(p["weight"] for p in preferred or () if _matches_term(p["preference"], node_name, labels))


def _matches_term(term: Obj, node_name: str, labels: Mapping[str, str]) -> bool:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    named = {"metadata.name": node_name}
    return all(_holds(e, labels) for e in expressions) and all(_holds(f, named) for f in fields)


def _holds(expression: Obj, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case operator:
            return _compares(operator, labels.get(key), values)


def _compares(operator: str, found: str | None, values: Iterable[str]) -> bool:
    limit = next(iter(values), None)
    if found is None or limit is None or not found.lstrip("-").isdigit():
        return False
    return int(found) > int(limit) if operator == "Gt" else int(found) < int(limit)
