"""SQL by name: `sql/alerts.sql` holds the statements that are asked for as `alerts.add`, `alerts.repeat` …

The files carry no logic; whoever runs a statement binds its named parameters.
"""

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"
_HEADING = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def sql(name: str) -> str:
    """The statement called `file.name`. Raises KeyError for one that does not exist."""
    file, _, statement = name.partition(".")
    return _statements(file)[statement]


@cache
def _statements(file: str) -> dict[str, str]:
    _, *parts = _HEADING.split((_FOLDER / f"{file}.sql").read_text(encoding="utf-8"))
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
