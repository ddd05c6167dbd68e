import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput
from mcp_servers.prom.near import near_names, near_values
from mcp_servers.prom.parameters import at, seconds, span
from mcp_servers.prom.promql import matcher, metric_names, unit_of
from mcp_servers.prom.telling import amount
from mcp_servers.prom.thinning import MAX_POINTS, slope_per_h, thin, thinned

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@given(st.lists(st.floats(-1e9, 1e9), max_size=1000), st.integers(1, MAX_POINTS))
def test_a_thinned_series_is_short_ordered_and_keeps_its_peaks(values: list[float], most: int) -> None:
    pairs = [(float(number), value) for number, value in enumerate(values)]
    kept = thin(pairs, most)
    assert len(kept) <= most
    assert list(kept) == sorted(kept, key=lambda pair: pair[0])
    assert set(kept) <= set(pairs)
    if most >= 4 and values:
        assert {max(values), min(values), values[0], values[-1]} <= {value for _, value in kept}


def test_numbers_come_from_all_points_and_leave_nan_out() -> None:
    pairs = [(60.0 * minute, str(minute)) for minute in range(600)] + [(36_000.0, "NaN"), (36_060.0, "+Inf")]
    series = thinned({"pod": "web"}, pairs)
    assert (series.min, series.max, series.last) == (0.0, 599.0, 599.0)
    assert series.slope_per_h == pytest.approx(60.0)
    assert (len(series.points), series.points_count) == (MAX_POINTS, 600)


def test_a_series_of_nan_alone_has_no_numbers() -> None:
    series = thinned({}, [(0.0, "NaN")])
    assert (series.points, series.min, series.last, series.slope_per_h) == ((), None, None, None)


def test_one_moment_has_no_slope() -> None:
    assert slope_per_h([(0.0, 1.0)]) is None
    assert slope_per_h([(5.0, 1.0), (5.0, 2.0)]) is None


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ("container_memory_working_set_bytes", "bytes"),
        ("rate(node_network_receive_bytes_total[5m])", "bytes/s"),
        ("sum by (pod) (rate(container_cpu_usage_seconds_total[5m]))", "s/s"),
        ("rate(http_requests_total[5m])", "requests/s"),
        ("histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", "s"),
        ("rpc_server_duration_milliseconds_sum", "ms"),
        ("node_memory_MemFree_bytes / node_memory_MemTotal_bytes", "ratio"),
        ("node_memory_MemFree_bytes * 100", ""),
        ("max_over_time(node_memory_MemFree_bytes[1h:1m]) > 5", "bytes"),
        ("count(node_memory_MemFree_bytes)", ""),
        ("count_over_time(node_memory_MemFree_bytes[5m])", ""),
        ("-(node_memory_MemFree_bytes)", "bytes"),
        ("time()", ""),
        ("1 + 1", ""),
        ("sum(", ""),
    ],
)
def test_a_unit_is_read_off_the_query(query: str, unit: str) -> None:
    assert unit_of(query) == unit


def test_metrics_of_a_query_are_found_wherever_they_stand() -> None:
    query = 'sum(rate(a_total{x="b"}[5m])) / on () group_left max_over_time((c)[1h:]) unless d'
    assert metric_names(query) == ["a_total", "c", "d"]
    assert metric_names("sum(") == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("web-1", 'pod="web-1"'),
        ('a"b\\c', 'pod="a\\"b\\\\c"'),
        ("web-*", 'pod=~"web-.*"'),
        ("a.b*", 'pod=~"a\\\\.b.*"'),
    ],
)
def test_matchers_quote_what_is_put_into_them(value: str, text: str) -> None:
    assert matcher("pod", value) == text


def test_near_names_are_alike_in_spelling_or_in_words() -> None:
    known = ["http_request_total", "shop_http_requests", "node_load1", "up"]
    assert near_names(["http_requests_total"], known) == ["http_request_total", "shop_http_requests"]
    assert near_values("chekout", ["checkout", "payments"]) == ["checkout"]
    assert near_values("web", ["web-frontend", "db"]) == ["web-frontend"]


@pytest.mark.parametrize(
    ("text", "length_s"), [("30s", 30), ("1h30m", 5400), ("250ms", 0.25), ("2d", 172_800)]
)
def test_durations_are_those_of_prometheus(text: str, length_s: float) -> None:
    assert seconds(text, "window") == length_s


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "-5m", "1h5"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(BadInput, match="no duration"):
        seconds(text, "window")


@pytest.mark.parametrize("window", ["1s", "10m", "1h", "6h", "30d"])
def test_a_window_is_cut_into_at_most_120_points(window: str) -> None:
    asked = span(window, "", NOW, points=MAX_POINTS)
    length_s = (asked.end - asked.start).total_seconds()
    assert length_s == seconds(window, "window")
    assert math.floor(length_s / asked.step_s) + 1 <= MAX_POINTS
    assert float(asked.window.removesuffix("s")) >= min(asked.step_s, 300)


def test_a_moment_without_a_zone_is_utc_and_nonsense_is_refused() -> None:
    assert at("2026-01-05T09:00:00", NOW + timedelta(days=1)) == NOW
    assert at("", NOW) == NOW
    with pytest.raises(BadInput, match="ISO 8601"):
        at("yesterday", NOW)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (512 * 2**20, "bytes", "512 MiB"),
        (3.5, "bytes", "3.5 B"),
        (2048.0, "bytes/s", "2 KiB/s"),
        (0.03412345, "ratio", "0.03412"),
        (999.0, "", "999"),
        (47_110.0, "", "47.11k"),
        (-3e9, "", "-3G"),
        (None, "s", ""),
    ],
)
def test_amounts_are_written_for_people(value: float | None, unit: str, text: str) -> None:
    assert amount(value, unit) == text
