"""Label selectors of objects as the text that list calls take."""

from mcp_servers.kube.doc import Doc


def selector_text(selector: Doc) -> str:
    """`app=web,tier in (a,b)` for a LabelSelector; empty selects everything."""
    parts = [f"{key}={value}" for key, value in sorted(selector.texts("matchLabels").items())]
    parts += [_requirement(requirement) for requirement in selector.parts("matchExpressions")]
    return ",".join(parts)


def _requirement(requirement: Doc) -> str:
    key = requirement.text("key")
    values = requirement.at("values")
    listed = f"({','.join(map(str, values))})" if isinstance(values, list) else "()"
    match requirement.text("operator"):
        case "Exists":
            return key
        case "DoesNotExist":
            return f"!{key}"
        case "NotIn":
            return f"{key} notin {listed}"
        case _:
            return f"{key} in {listed}"
