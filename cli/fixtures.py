"""Alert fixtures on disk as webhook bodies. It reads files; it sends nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """One body with the path it belongs to on the server."""

    name: str
    path: str
    body: bytes


def read_fixtures(file: Path) -> list[Fixture]:
    """A webhook body, a captured request (`request_line`, `headers`, `body`), or a list of either.

    A list of plain alerts is what Prometheus itself sends. Raises BadInput naming the file.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}", field=str(file)) from error
    except ValueError as error:
        raise BadInput(f"{file} is not JSON: {error}", field=str(file)) from error
    return list(_fixtures(file.name, content))


def _fixtures(name: str, content: object) -> Iterator[Fixture]:
    if isinstance(content, list) and content and not _is_alert(content[0]):
        for number, item in enumerate(content, start=1):
            yield from _fixtures(f"{name}[{number}]", item)
    elif isinstance(content, dict) and "request_line" in content and "body" in content:
        path = str(content["request_line"]).split()[1]
        yield Fixture(name=name, path=path, body=json.dumps(content["body"]).encode())
    else:
        path = "/api/v2/alerts" if isinstance(content, list) else "/webhook"
        yield Fixture(name=name, path=path, body=json.dumps(content).encode())


def _is_alert(item: object) -> bool:
    return isinstance(item, dict) and "labels" in item and "alerts" not in item
