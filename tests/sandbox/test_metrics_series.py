"""Series kept as runs must read like points kept one by one."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.metrics.series import TRIM_EVERY, SeriesStore, Track
from sandbox.promql.engine import instant
from sandbox.promql.values import NAME, labels_from

STEP_MS = 1000
values = st.lists(st.one_of(st.none(), st.sampled_from([1.0, 2.0])), min_size=1, max_size=40)


@given(values, st.integers(-5, 50), st.integers(0, 50))
def test_a_window_holds_the_points_that_were_scraped_in_it(
    written: list[float | None], start: int, length: int
) -> None:
    store, track = SeriesStore(), Track(1000)
    series = store.series(labels_from({NAME: "x"}), track)
    for at, value in enumerate(written):
        series.write(track.scraped(at * STEP_MS), value)
    times, found = series.window(start * STEP_MS, (start + length) * STEP_MS)
    expected = [
        (i * STEP_MS, v) for i, v in enumerate(written) if v is not None and start <= i <= start + length
    ]
    assert list(zip(times, found, strict=True)) == expected


@given(values, st.integers(-5, 50))
def test_the_latest_point_is_that_of_the_last_scrape_unless_stale_or_too_old(
    written: list[float | None], at: int
) -> None:
    store, track = SeriesStore(), Track(1000)
    series = store.series(labels_from({NAME: "x"}), track)
    for number, value in enumerate(written):
        series.write(track.scraped(number * STEP_MS), value)
    last = min(at, len(written) - 1)
    value = written[last] if last >= 0 and at - last <= 5 else None
    expected = None if value is None else (last * STEP_MS, value)
    assert series.latest(at * STEP_MS, 5 * STEP_MS) == expected


def test_history_is_bounded_and_ended_series_are_forgotten() -> None:
    store, track = SeriesStore(), Track(100)
    long, short = (store.series(labels_from({NAME: name}), track) for name in ("long", "short"))
    for number in range(1000):
        scrape = track.scraped(number * STEP_MS)
        long.write(scrape, float(number))
        short.write(scrape, 1.0 if number < 10 else None)
        if track.trim():
            store.forget()
    assert len(track.times) < 100 + TRIM_EVERY
    assert [series.labels for series in store] == [long.labels]
    assert instant("count_over_time(long[30s])", store, 999_000) == [((), 31.0)]
    assert instant("long - long offset 50s", store, 999_000) == [((), 50.0)]
