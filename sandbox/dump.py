"""A copy of a real cluster on disk, read back: objects and Lists in JSON or YAML, and container logs.

The folder is as `kubectl cluster-info dump --output-directory` and `kubectl get … -o json|yaml` write it.
Logs lie at `<namespace>/<pod>/logs.txt`, `logs-<container>.txt` and `logs-<container>-previous.txt`. Nothing
is changed in what was read; a file that cannot be used is named in `problems` and left out.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from domain.errors import BadInput
from sandbox.fields import Obj, name_of, namespace_of
from sandbox.kinds import Kind, Registry, kind_of
from sandbox.logs import LogOptions
from sandbox.store import Store
from sandbox.yaml_loader import PlainLoader

NAMESPACE = kind_of("Namespace")
OBJECT_FILES = frozenset({".json", ".yaml", ".yml"})
LOG_FILE = re.compile(r"logs(?:-(?P<container>.+?))?(?P<previous>-previous)?\.txt")
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) ?")
START, END = "==== START logs for container", "==== END logs for container"
MAX_FILE_BYTES = 256 * 2**20
FIRST = ("Namespace", "Node", "CustomResourceDefinition")  # others refer to them

LogKey = tuple[str, str, str, bool]  # namespace, pod, container ("" for the only one), previous


@dataclass(slots=True)
class Dump:
    """What was read, newest version of each object, and what could not be read."""

    objects: list[Obj] = field(default_factory=list)
    logs: dict[LogKey, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_dump(folder: Path) -> Dump:
    """Read everything below `folder`. Raises BadInput when there is no Kubernetes object in it."""
    dump = Dump()
    found: dict[tuple[str, str, str, str], Obj] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix in OBJECT_FILES:
            for obj in _objects(path, dump):
                found[(obj["apiVersion"], obj["kind"], namespace_of(obj), name_of(obj))] = obj
        elif (match := LOG_FILE.fullmatch(path.name)) and len(path.relative_to(folder).parts) >= 3:
            pod, namespace = path.parent.name, path.parent.parent.name
            dump.logs[(namespace, pod, match["container"] or "", bool(match["previous"]))] = path
    dump.objects = sorted(found.values(), key=lambda obj: obj["kind"] not in FIRST)
    if not dump.objects:
        raise BadInput(
            f"{folder} holds no Kubernetes object in JSON or YAML; name the dump's folder", field="--from"
        )
    return dump


def fill(store: Store, dump: Dump, registry: Registry) -> None:
    """Put the objects into a store exactly as they were; kinds that nobody defined are made up from them."""
    for obj in dump.objects:
        kind = registry.by_kind(obj["apiVersion"], obj["kind"])
        if kind is None:
            kind = _custom(obj)
            registry.add(kind)
        store.restore(registry.stored(kind), obj)
    for name in sorted({namespace_of(obj) for obj in dump.objects} - {""}):
        if store.find(NAMESPACE, None, name) is None:  # `cluster-info dump` leaves them out
            store.create(NAMESPACE, {"metadata": {"name": name}, "status": {"phase": "Active"}})


class DumpLogs:
    """Serves the logs of a dump, each line as it stands in its file."""

    def __init__(self, dump: Dump) -> None:
        self._logs = dump.logs

    def read(self, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The end of the container's log; empty when the dump has none."""
        lines = self._lines(namespace, pod, container, previous=options.previous)
        if options.tail_lines is not None:
            lines = lines[-options.tail_lines :] if options.tail_lines else []
        if not options.timestamps:
            lines = [STAMP.sub("", line) for line in lines]
        text = "".join(f"{line}\n" for line in lines)
        return text if options.limit_bytes is None else text[: options.limit_bytes]

    def _lines(self, namespace: str, pod: str, container: str, *, previous: bool) -> list[str]:
        own = self._logs.get((namespace, pod, container, previous))
        shared = self._logs.get((namespace, pod, "", previous))
        path = own or shared
        if path is None:
            return []
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines if own else _section(lines, container)


def _section(lines: list[str], container: str) -> list[str]:
    """The part of one container, where `cluster-info dump` has put several into one file."""
    start = next((n for n, line in enumerate(lines) if line.startswith(f"{START} {container} of pod ")), None)
    if start is None:
        return [] if any(line.startswith(START) for line in lines) else lines
    end = next((n for n, line in enumerate(lines) if n > start and line.startswith(END)), len(lines))
    return lines[start + 1 : end]


def _objects(path: Path, dump: Dump) -> Iterator[Obj]:
    """Every object of a file, Lists unpacked; a broken file is noted and left out."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            dump.problems.append(f"{path}: larger than {MAX_FILE_BYTES} bytes")
            return
        text = path.read_text(encoding="utf-8")
        documents = [json.loads(text)] if path.suffix == ".json" else list(yaml.load_all(text, PlainLoader))
    except (OSError, ValueError, yaml.YAMLError) as error:
        dump.problems.append(f"{path}: {str(error).splitlines()[0]}")
        return
    for document in documents:
        yield from _unpacked(document)


def _unpacked(document: Any) -> Iterator[Obj]:
    if not isinstance(document, dict):
        return
    kind = document.get("kind")
    if isinstance(kind, str) and isinstance(document.get("items"), list):
        for item in document["items"]:
            if isinstance(item, dict):  # items of a typed list do not repeat what they are
                typed = {
                    "apiVersion": document.get("apiVersion", "v1"),
                    "kind": kind.removesuffix("List"),
                    **item,
                }
                yield from _unpacked(typed)
    elif (
        isinstance(kind, str) and document.get("apiVersion") and (document.get("metadata") or {}).get("name")
    ):
        yield document


def _custom(obj: Obj) -> Kind:
    group, _, version = obj["apiVersion"].rpartition("/")
    name = obj["kind"]
    plural = f"{name.lower()}s"
    return Kind(
        group=group, version=version, kind=name, plural=plural, namespaced=bool(namespace_of(obj)),
        subresources=("status",), custom=True,
    )  # fmt: skip
