"""The text format in which targets are scraped: HELP, TYPE and one line a reading."""

from collections.abc import Iterable, Mapping

from sandbox.metrics.family import Described, Group
from sandbox.promql.values import number_text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(parts: Iterable[tuple[Iterable[Group], Mapping[str, str]]]) -> str:
    """All readings, family by family; each part's labels are added to those of its readings."""
    families: dict[str, Described] = {}
    lines: dict[str, list[str]] = {}
    for groups, extra in parts:
        for family, reading in (taken for group in groups for taken in group.take()):
            families[family.name] = family
            labels = {**extra, **reading.labels}
            line = f"{family.name}{reading.suffix}{_labels(labels)} {number_text(reading.value)}\n"
            lines.setdefault(family.name, []).append(line)
    return "".join(_head(families[name]) + "".join(lines[name]) for name in families)


def _head(family: Described) -> str:
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {family.name} {text}\n# TYPE {family.name} {family.kind}\n"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items() if value != "")
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
