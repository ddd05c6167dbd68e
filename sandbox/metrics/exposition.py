"""The text format in which targets are scraped: HELP, TYPE and one line a reading."""

from collections.abc import Iterable, Mapping

from sandbox.metrics.family import Described, Group
from sandbox.promql.values import number_text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(groups: Iterable[Group], extra: Mapping[str, str] | None = None) -> str:
    """All readings of a target, family by family; `extra` labels are added to those of each reading."""
    families: dict[str, Described] = {}
    lines: dict[str, list[str]] = {}
    for group in groups:
        for family, reading in group.take():
            families[family.name] = family
            labels = {**(extra or {}), **reading.labels}
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
