"""Answers in words: a summary line, then a line an item. The toolkit cuts what is too long."""

from collections.abc import Iterable, Mapping, Sequence

from mcp_servers.prom.shapes import (
    AlertsAnswer,
    ConfigAnswer,
    InstantAnswer,
    MetadataAnswer,
    NamesAnswer,
    Point,
    RangeAnswer,
    RangeSeries,
    RulesAnswer,
    SeriesAnswer,
    StatusAnswer,
    TargetsAnswer,
)

SHOWN_POINTS = 12
DECIMALS = 4  # significant digits: more are noise
STEPS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def tell_instant(answer: InstantAnswer) -> str:
    """One line a sample."""
    lines = [
        f"{name_of(item.labels)} {amount(item.value, answer.unit) or item.said}" for item in answer.items
    ]
    when = f" at {answer.items[0].at:%Y-%m-%dT%H:%M:%SZ}" if answer.items else ""
    return told(f"{len(lines)} values{when}", lines, answer.note)


def tell_range(answer: RangeAnswer) -> str:
    """One line of numbers a series, and one of a few points."""
    lines = [line for item in answer.items for line in _series_lines(item, answer.unit)]
    asked = f", from {answer.queries[0]}" if answer.queries else ""
    unit = f" in {answer.unit}" if answer.unit else ""
    return told(f"{len(answer.items)} series{unit}{asked}", lines, answer.note)


def tell_metadata(answer: MetadataAnswer) -> str:
    """One line a metric."""
    lines = [f"{item.name} ({item.type}): {item.help}" for item in answer.items]
    return told(f"{len(lines)} metrics", lines, answer.note)


def tell_targets(answer: TargetsAnswer) -> str:
    """One line a target."""
    lines = [
        f"{item.health} {item.pool} {name_of(item.labels)}" + (f": {item.error}" if item.error else "")
        for item in answer.items
    ]
    return told(f"{len(lines)} targets", lines, answer.note)


def tell_alerts(answer: AlertsAnswer) -> str:
    """One line an alert."""
    lines = []
    for item in answer.items:
        since = f" since {item.active_at:%Y-%m-%dT%H:%M:%SZ}" if item.active_at else ""
        words = item.annotations.get("description") or item.annotations.get("summary") or ""
        lines.append(f"{item.state} {item.name}{since} {name_of(item.labels)}: {words}".rstrip(": "))
    return told(f"{len(lines)} alerts", lines, answer.note)


def tell_rules(answer: RulesAnswer) -> str:
    """One line a rule."""
    lines = []
    for item in answer.items:
        hold = f" for {item.hold_s:g} s" if item.hold_s else ""
        state = f"{item.state} " if item.state else ""
        error = f" fails: {item.error}" if item.error else ""
        lines.append(f"{state}{item.kind} {item.group}/{item.name}: {item.query}{hold}{error}")
    return told(f"{len(lines)} rules", lines, answer.note)


def tell_config(answer: ConfigAnswer) -> str:
    """The lines as they are."""
    return told(f"{len(answer.lines)} lines of configuration", answer.lines, answer.note)


def tell_status(answer: StatusAnswer) -> str:
    """One line a value."""
    parts = (("build", answer.build), ("runtime", answer.runtime), ("storage", answer.storage))
    lines = [f"{part} {name}: {value}" for part, values in parts for name, value in values.items()]
    return told(f"version {answer.build.get('version', 'unknown')}", lines, answer.note)


def tell_names(answer: NamesAnswer) -> str:
    """Names in lines."""
    return told(f"{len(answer.items)} names", answer.items, answer.note)


def tell_series(answer: SeriesAnswer) -> str:
    """One line a label set."""
    return told(f"{len(answer.items)} series", [name_of(labels) for labels in answer.items], answer.note)


def told(summary: str, lines: Iterable[str], note: str) -> str:
    """The summary with its note, then the lines."""
    return "\n".join((f"{summary} ({note})" if note else summary, *lines))


def name_of(labels: Mapping[str, str]) -> str:
    """A series as PromQL writes it."""
    name = labels.get("__name__", "")
    rest = ", ".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    return f"{name}{{{rest}}}" if rest or not name else name


def amount(value: float | None, unit: str) -> str:
    """A number that a person can read, such as 512 MiB, 1.2k or 0.034; units but bytes stand in headings."""
    if value is None:
        return ""
    if unit.startswith("bytes"):
        step, sign = next((pair for pair in BYTES if abs(value) >= pair[0]), (1, "B"))
        return f"{value / step:.{DECIMALS}g} {sign}{unit.removeprefix('bytes')}"
    step, sign = next((pair for pair in STEPS if abs(value) >= pair[0]), (1, ""))
    return f"{value / step:.{DECIMALS}g}{sign}"


def _series_lines(series: RangeSeries, unit: str) -> list[str]:
    if not series.points:
        return [f"{name_of(series.labels)}: no values"]
    if amount(series.min, unit) == amount(series.max, unit):
        since = f"{series.points[0].at:%H:%M:%S}"
        return [f"{name_of(series.labels)}: {amount(series.last, unit)} all along, since {since}"]
    numbers = (("last", series.last), ("min", series.min), ("max", series.max))
    said = ", ".join(f"{name} {amount(value, unit)}" for name, value in numbers)
    slope = f", slope {amount(series.slope_per_h, unit)}/h" if series.slope_per_h is not None else ""
    return [f"{name_of(series.labels)}: {said}{slope}", f"  {_points(series.points, unit)}"]


def _points(points: Sequence[Point], unit: str) -> str:
    step = max(1, -(-len(points) // SHOWN_POINTS))
    shown = points[::-1][::step][::-1]  # counted from the end: the last one matters most
    return ", ".join(f"{point.at:%H:%M:%S} {amount(point.value, unit)}" for point in shown)
