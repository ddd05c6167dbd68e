"""Label selectors held against labels, as the API server would. Pure; it reads nothing."""

from collections.abc import Mapping

from mcp_servers.kube.doc import Doc


def selects(selector: Doc, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches; an empty one matches everything."""
    wanted = selector.texts("matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(requirement, labels) for requirement in selector.parts("matchExpressions"))


def nearly(wanted: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    """What differs where labels have the wanted keys, but not all values; empty when they are far from it."""
    differing = [key for key, value in wanted.items() if labels.get(key) != value]
    if not wanted.keys() & labels.keys() or len(differing) == len(wanted) > 1:
        return []
    return [f"{key} is {labels.get(key, '(none)')!r}, not {wanted[key]!r}" for key in differing]


def _holds(requirement: Doc, labels: Mapping[str, str]) -> bool:
    key = requirement.text("key")
    values = requirement.at("values")
    allowed = [str(value) for value in values] if isinstance(values, list) else []
    match requirement.text("operator"):
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case "NotIn":
            return labels.get(key) not in allowed
        case _:
            return labels.get(key) in allowed
