"""Carries out LogQL: lines of a time, or numbers at a moment."""

from collections.abc import Callable, Iterator

from sandbox.logql.logs import LogStore
from sandbox.logql.query import Aggregation, Comparison, Entry, LogQuery, MetricQuery, RangeQuery
from sandbox.promql.aggregate import FOLDS
from sandbox.promql.binary import COMPARISONS
from sandbox.promql.values import Labels, Sample, Vector, labels_from, only, without

NANO = 1_000_000_000
PER_RANGE: dict[str, Callable[[list[Entry], float], float]] = {
    "count_over_time": lambda entries, range_s: float(len(entries)),
    "rate": lambda entries, range_s: len(entries) / range_s,
    "bytes_over_time": lambda entries, range_s: float(sum(len(entry.text.encode()) for entry in entries)),
    "bytes_rate": lambda entries, range_s: sum(len(entry.text.encode()) for entry in entries) / range_s,
}

Streams = dict[Labels, list[Entry]]


def streams(logs: LogStore, query: LogQuery, start_ns: int, end_ns: int) -> Streams:
    """Entries from start (included) to end (excluded), oldest first, by their labels."""
    found: Streams = {}
    for entry in _entries(logs, query, start_ns, end_ns):
        found.setdefault(labels_from(entry.fields), []).append(entry)
    return found


def latest(found: Streams, limit: int, *, backward: bool) -> Streams:
    """The newest or oldest so many entries of all streams together, in that order."""
    every = [(entry.at_ns, labels, entry) for labels, entries in found.items() for entry in entries]
    every.sort(key=lambda item: item[0], reverse=backward)
    kept: Streams = {}
    for _, labels, entry in every[:limit]:
        kept.setdefault(labels, []).append(entry)
    return kept


def numbers(logs: LogStore, query: MetricQuery, at_ns: int) -> Vector:
    """The value of a metric query at a moment."""
    match query:
        case RangeQuery():
            return _range(logs, query, at_ns)
        case Comparison():
            compare = COMPARISONS[query.op]
            return [s for s in numbers(logs, query.inner, at_ns) if compare(s.value, query.number)]
        case Aggregation():
            return _aggregated(numbers(logs, query.inner, at_ns), query)


def _range(logs: LogStore, query: RangeQuery, at_ns: int) -> Vector:
    fold = PER_RANGE[query.function]
    found = streams(logs, query.logs, at_ns - query.range_ns + 1, at_ns + 1)  # the beginning is left out
    return [Sample(labels, fold(entries, query.range_ns / NANO)) for labels, entries in found.items()]


def _aggregated(vector: Vector, query: Aggregation) -> Vector:
    groups: dict[Labels, list[Sample]] = {}
    for sample in vector:
        key = (without if query.without else only)(sample.labels, query.labels)
        groups.setdefault(key, []).append(sample)
    if query.op in ("topk", "bottomk"):
        sign = -1 if query.op == "topk" else 1
        ranked = (sorted(group, key=lambda sample: sign * sample.value) for group in groups.values())
        return [sample for group in ranked for sample in group[: query.count]]
    fold = FOLDS[query.op]
    return [Sample(labels, fold([sample.value for sample in group])) for labels, group in groups.items()]


def _entries(logs: LogStore, query: LogQuery, start_ns: int, end_ns: int) -> Iterator[Entry]:
    for stream in logs.select(query.matchers):
        fields = dict(stream.labels)
        for line in stream.lines:
            at_ns = round(line.at * 1e6) * 1000  # a float of unix seconds is exact to microseconds
            if start_ns <= at_ns < end_ns:
                entry = _through(Entry(at_ns, line.text, fields), query)
                if entry is not None:
                    yield entry


def _through(entry: Entry, query: LogQuery) -> Entry | None:
    passed: Entry | None = entry
    for stage in query.stages:
        if passed is None:
            return None
        passed = stage(passed)
    return passed
