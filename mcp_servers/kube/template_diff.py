"""What changed between two pod templates, in short sentences. Credentials are never quoted."""

from collections.abc import Iterator

from mcp_servers.kube.doc import Doc
from mcp_servers.kube.secrecy import HIDDEN, shown

MAX_CHANGES = 20
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
TOLD_APART = ("name", "image", "env", "resources")  # what has sentences of its own
LABEL_OF_REPLICA_SET = "pod-template-hash"


def template_changes(before: Doc, after: Doc) -> tuple[str, ...]:
    """Sentences such as `web image app:1 -> app:2`, at most `MAX_CHANGES`."""
    found = [*_containers(before, after), *_marks(before, after), *_rest(before, after)]
    return tuple(found[:MAX_CHANGES])


def _containers(before: Doc, after: Doc) -> Iterator[str]:
    for side in ("initContainers", "containers"):
        old = {container.text("name"): container for container in before.parts("spec", side)}
        new = {container.text("name"): container for container in after.parts("spec", side)}
        for name in sorted(old.keys() | new.keys()):
            if name not in new:
                yield f"{name} removed"
            elif name not in old:
                yield f"{name} added with image {new[name].text('image')}"
            else:
                yield from _container(name, old[name], new[name])


def _container(name: str, old: Doc, new: Doc) -> Iterator[str]:
    if old.text("image") != new.text("image"):
        yield f"{name} image {old.text('image')} -> {new.text('image')}"
    for side in ("limits", "requests"):
        yield from _entries(
            f"{name} {side}.", old.texts("resources", side), new.texts("resources", side), secret=False
        )
    yield from _entries(f"{name} env ", _environment(old), _environment(new), secret=True)
    for key in sorted((old.raw.keys() | new.raw.keys()) - set(TOLD_APART)):
        if old.at(key) != new.at(key):
            yield f"{name} {key} changed"


def _environment(container: Doc) -> dict[str, str]:
    """Values as given; references by what they refer to, which is no secret."""
    found = {}
    for entry in container.parts("env"):
        found[entry.text("name")] = entry.text("value") or _reference(entry.part("valueFrom"))
    return found


def _reference(source: Doc) -> str:
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if source.has(kind):
            return f"<{kind} {source.text(kind, 'name')}/{source.text(kind, 'key')}>"
    return "<from the pod>" if source.raw else ""


def _entries(prefix: str, old: dict[str, str], new: dict[str, str], *, secret: bool) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        said = [_quoted(key, value, secret) for value in (was, now)]
        yield f"{prefix}{key} {said[0]} -> {said[1]}" if set(said) != {HIDDEN} else f"{prefix}{key} changed"


def _quoted(key: str, value: str | None, secret: bool) -> str:
    if value is None:
        return "(none)"
    return shown(key, value) if secret and not value.startswith("<") else value


def _marks(before: Doc, after: Doc) -> Iterator[str]:
    """Labels and annotations of the template."""
    for part in ("labels", "annotations"):
        old, new = before.texts("metadata", part), after.texts("metadata", part)
        old.pop(LABEL_OF_REPLICA_SET, None)
        new.pop(LABEL_OF_REPLICA_SET, None)
        if (
            part == "annotations"
            and old.pop(RESTARTED_AT, "") != (when := new.pop(RESTARTED_AT, ""))
            and when
        ):
            yield f"restarted at {when}"
        yield from _entries(f"{part[:-1]} ", old, new, secret=True)


def _rest(before: Doc, after: Doc) -> Iterator[str]:
    old, new = before.part("spec").raw, after.part("spec").raw
    for key in sorted((old.keys() | new.keys()) - {"containers", "initContainers"}):
        if old.get(key) != new.get(key):
            yield f"{key} changed"
