"""Series in memory, one track of scrape times a target, values kept as runs.

Most values are the same from scrape to scrape, so a series stores only where its value changes. Nothing is
scraped here. All is bounded: a track forgets its oldest scrapes, and a series that ended before is dropped.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from sandbox.promql.values import NAME, Labels, Matcher, value_of

SELECTIONS_COUNT = 512  # remembered answers of `select`
TRIM_EVERY = 64  # scrapes between two trims of a track: cutting a little at a time is dear


class Track:
    """When one target was scraped; scrapes are numbered from its first one on."""

    __slots__ = ("forgotten", "kept_count", "times")

    def __init__(self, kept_count: int) -> None:
        self.times = array("q")
        self.forgotten = 0
        self.kept_count = kept_count

    @property
    def next(self) -> int:
        """Number of the next scrape."""
        return self.forgotten + len(self.times)

    def scraped(self, at_ms: int) -> int:
        """Adds a scrape and returns its number."""
        self.times.append(at_ms)
        return self.next - 1

    def trim(self) -> bool:
        """Forgets what is too old, now and then; says whether it did."""
        surplus = len(self.times) - self.kept_count
        if surplus < TRIM_EVERY:
            return False
        del self.times[:surplus]
        self.forgotten += surplus
        return True


class StoredSeries:
    """One series of a track: the scrapes at which its value changed; None marks it as stale."""

    __slots__ = ("_starts", "_track", "_values", "labels")

    def __init__(self, labels: Labels, track: Track) -> None:
        self.labels = labels
        self._track = track
        self._starts: list[int] = []
        self._values: list[float | None] = []

    @property
    def value(self) -> float | None:
        """The newest value; None once the series is stale."""
        return self._values[-1] if self._values else None

    def write(self, scrape: int, value: float | None) -> None:
        """The value from that scrape on."""
        if not self._values or self._values[-1] != value:
            self._starts.append(scrape)
            self._values.append(value)

    def latest(self, at_ms: int, lookback_ms: int) -> tuple[int, float] | None:
        times = self._track.times
        place = bisect_right(times, at_ms) - 1
        if place < 0 or times[place] < at_ms - lookback_ms:
            return None
        run = bisect_right(self._starts, self._track.forgotten + place) - 1
        value = self._values[run] if run >= 0 else None
        return None if value is None else (times[place], value)

    def window(self, start_ms: int, end_ms: int) -> tuple[Sequence[int], Sequence[float]]:
        times, values = array("q"), array("d")
        for place, end, value in self._pieces(start_ms, end_ms):
            times.extend(self._track.times[place:end])
            values.extend([value] * (end - place))
        return times, values

    def forget(self) -> bool:
        """Drops runs that ended before the track begins; says whether nothing but staleness is left."""
        first = max(0, bisect_right(self._starts, self._track.forgotten) - 1)
        del self._starts[:first], self._values[:first]
        return self._values == [None]

    def _pieces(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, int, float]]:
        """Places in the track between which the value stays the same."""
        offset = self._track.forgotten
        place, last = bisect_left(self._track.times, start_ms), bisect_right(self._track.times, end_ms)
        run = bisect_right(self._starts, offset + place) - 1
        while place < last:
            following = self._starts[run + 1] - offset if run + 1 < len(self._starts) else last
            end, value = min(last, following), self._values[run] if run >= 0 else None
            if value is not None:
                yield place, end, value
            place, run = end, run + 1


class SeriesStore:
    """All series, found by name and labels: a `Source` for queries."""

    def __init__(self) -> None:
        self._by_name: dict[str, dict[Labels, StoredSeries]] = {}
        self._selected: dict[tuple[Matcher, ...], list[StoredSeries]] = {}  # until series come or go

    def series(self, labels: Labels, track: Track) -> StoredSeries:
        """The series with these labels; a new one where there is none."""
        named = self._by_name.setdefault(value_of(labels, NAME), {})
        series = named.get(labels)
        if series is None:
            series = named[labels] = StoredSeries(labels, track)
            self._selected.clear()
        return series

    def forget(self) -> None:
        """Drops what lies before the beginning of the tracks."""
        self._selected.clear()
        for name, named in list(self._by_name.items()):
            for labels in [labels for labels, series in named.items() if series.forget()]:
                del named[labels]
            if not named:
                del self._by_name[name]

    def select(self, matchers: Sequence[Matcher]) -> Sequence[StoredSeries]:
        """Series that fit; remembered, because rules ask the same at every evaluation."""
        key = tuple(matchers)
        found = self._selected.get(key)
        if found is None:
            if len(self._selected) >= SELECTIONS_COUNT:
                self._selected.clear()
            found = self._selected[key] = self._select(matchers)
        return found

    def _select(self, matchers: Sequence[Matcher]) -> list[StoredSeries]:
        others = [matcher for matcher in matchers if matcher.name != NAME]
        names = [matcher for matcher in matchers if matcher.name == NAME]
        return [series for series in self._named(names) if _fits(series.labels, others)]

    def __iter__(self) -> Iterator[StoredSeries]:
        return (series for named in self._by_name.values() for series in named.values())

    def __len__(self) -> int:
        return sum(len(named) for named in self._by_name.values())

    def _named(self, matchers: Sequence[Matcher]) -> Iterable[StoredSeries]:
        exact = next((matcher.exact for matcher in matchers if matcher.exact is not None), None)
        found = self._by_name if exact is None else {exact: self._by_name.get(exact, {})}
        for name, named in found.items():
            if all(matcher.matches(name) for matcher in matchers):
                yield from named.values()


def _fits(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    return all(matcher.matches(value_of(labels, matcher.name)) for matcher in matchers)
