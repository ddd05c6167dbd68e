"""PromQL on series small enough to calculate by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.promql.engine import along, instant, vector_query
from sandbox.promql.errors import BadQuery, CannotEvaluate
from sandbox.promql.values import NAME, number_text
from tests.sandbox.fixed_series import FixedSource

MINUTE_MS = 60_000


def _source() -> FixedSource:
    """Two pods counting requests every 15 s for ten minutes; the second begins anew halfway."""
    source = FixedSource()
    source.add("requests_total", [i * 15.0 for i in range(41)], pod="a", code="200")
    source.add(
        "requests_total", [i * 30.0 if i < 20 else (i - 20) * 30.0 for i in range(41)], pod="b", code="200"
    )
    source.add("requests_total", [i * 1.5 for i in range(41)], pod="a", code="500")
    source.add("info", [1.0] * 41, pod="a", node="n1")
    source.add("info", [1.0] * 41, pod="b", node="n2")
    return source


def _ask(query: str, at_ms: int = 10 * MINUTE_MS, source: FixedSource | None = None) -> dict[str, float]:
    """Values by their labels, written as one text."""
    found = instant(query, source or _source(), at_ms)
    assert isinstance(found, list)
    return {" ".join(f"{k}={v}" for k, v in labels): value for labels, value in found}


def test_a_rate_is_stretched_to_the_edges_of_its_window_when_points_are_near() -> None:
    assert _ask('rate(requests_total{pod="a",code="200"}[5m])') == {"code=200 pod=a": pytest.approx(1.0)}
    # 45 s before the window's end nothing more is known: half an interval is added, not all of it
    late = _ask('increase(requests_total{pod="a",code="200"}[5m])', 10 * MINUTE_MS + 45_000)
    assert late == {"code=200 pod=a": pytest.approx(255 * (255 + 0 + 7.5) / 255)}


def test_a_counter_that_begins_anew_loses_nothing_in_its_rate() -> None:
    assert _ask('rate(requests_total{pod="b"}[10m])')["code=200 pod=b"] == pytest.approx(
        (19 * 30 + 20 * 30) * (600 / 600) / 600
    )
    assert _ask('resets(requests_total{pod="b"}[10m])') == {"code=200 pod=b": 1.0}


def test_a_counters_rate_is_not_stretched_below_its_zero() -> None:
    source = FixedSource().add("c", [None] * 20 + [1.0, 2.0, 3.0])
    # the window begins long before the first point; zero lies one interval before it, half of which counts
    assert _ask("increase(c[10m])", 22 * 15_000, source)[""] == pytest.approx(2 * (30 + 15) / 30)


def test_a_sample_counts_for_five_minutes_and_no_longer() -> None:
    source = FixedSource().add("x", [7.0])
    assert _ask("x", 300_000, source) == {"__name__=x": 7.0}
    assert _ask("x", 300_001, source) == {}
    assert _ask("x offset 5m", 600_000, source) == {"__name__=x": 7.0}
    assert _ask("x @ 10", 9_000_000, source) == {"__name__=x": 7.0}


def test_errors_are_divided_by_requests_label_by_label() -> None:
    found = _ask(
        'rate(requests_total{code="500"}[5m]) / ignoring (code) sum without (code) (rate(requests_total[5m]))'
    )
    assert found == {"pod=a": pytest.approx(0.1 / 1.1)}


def test_group_left_takes_labels_from_the_one_side() -> None:
    found = _ask("sum by (pod, code) (requests_total) * on (pod) group_left (node) info")
    assert {key: found[key] for key in sorted(found)} == {
        "code=200 node=n1 pod=a": 600.0,
        "code=200 node=n2 pod=b": 600.0,
        "code=500 node=n1 pod=a": 60.0,
    }


def test_several_partners_are_refused_unless_grouping_says_which_side_has_them() -> None:
    with pytest.raises(CannotEvaluate, match="many-to-one matching must be explicit"):
        _ask("requests_total * on (pod) info")
    with pytest.raises(CannotEvaluate, match="found duplicate series for the match group"):
        _ask("info * on (pod) requests_total")


def test_comparisons_filter_unless_asked_for_a_truth_value() -> None:
    assert _ask("count by (pod) (requests_total) > 1") == {"pod=a": 2.0}
    assert _ask("count by (pod) (requests_total) > bool 1") == {"pod=a": 1.0, "pod=b": 0.0}
    assert _ask("1 < count by (pod) (requests_total)") == {"pod=a": 2.0}


def test_absent_tells_the_labels_that_the_selector_fixes() -> None:
    assert _ask('absent(gone{job="x", pod=~"a.*", zone="1", zone!="2"})') == {"job=x": 1.0}
    assert _ask('absent(info{pod="a"})') == {}


def test_a_quantile_is_interpolated_within_its_bucket() -> None:
    source = FixedSource()
    for bound, count in (("0.1", 10.0), ("0.5", 30.0), ("+Inf", 40.0)):
        source.add("d_bucket", [count], le=bound, pod="a")
    assert _ask("histogram_quantile(0.5, d_bucket)", 0, source) == {
        "pod=a": pytest.approx(0.1 + 0.4 * 10 / 20)
    }
    assert _ask("histogram_quantile(0.9, d_bucket)", 0, source) == {"pod=a": 0.5}
    assert math.isnan(_ask('histogram_quantile(0.9, d_bucket{le!="+Inf"})', 0, source)["pod=a"])


def test_topk_keeps_whole_elements_best_first() -> None:
    found = instant("topk(2, requests_total)", _source(), 5 * MINUTE_MS)
    assert isinstance(found, list)
    assert [sample.value for sample in found] == [300.0, 30.0]
    assert dict(found[0].labels)[NAME] == "requests_total"


def test_label_replace_fills_groups_in_and_leaves_others_alone() -> None:
    found = _ask('label_replace(info, "zone", "z-${1}$$", "node", "n(1)")')
    assert "__name__=info node=n1 pod=a zone=z-1$" in found
    assert "__name__=info node=n2 pod=b" in found


def test_a_subquery_is_evaluated_at_multiples_of_its_step() -> None:
    source = FixedSource().add("x", [float(i) for i in range(41)])
    found = instant("x[2m:1m]", source, 5 * MINUTE_MS + 20_000)
    assert [list(p.times) for p in found.series] == [[4 * MINUTE_MS, 5 * MINUTE_MS]]  # type: ignore[union-attr]


def test_a_range_query_has_a_value_at_every_step_that_has_one() -> None:
    source = FixedSource().add("x", [1.0, 2.0])
    points = along("x * 2", source, 0, 10 * MINUTE_MS, MINUTE_MS)
    assert [list(p.times) for p in points] == [[i * MINUTE_MS for i in range(6)]]
    assert points[0].values == [2.0, 4.0, 4.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize("text", ["sum(", "rate(x)", "x[5m] + 1", 'x{a=~"("}', "", "nope(x)", "{}"])
def test_what_is_no_promql_is_a_bad_query(text: str) -> None:
    with pytest.raises(BadQuery):
        vector_query(text)


@pytest.mark.parametrize(
    "text",
    ['{x="a" or x="b"}', "x + fill(0) y", "limitk(1, x)", "double_exponential_smoothing(x[1m], 0.5, 0.5)"],
)
def test_what_newer_servers_know_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(CannotEvaluate):
        instant(text, _source(), 0)


def test_two_results_with_the_same_labels_are_refused() -> None:
    source = FixedSource().add("a", [1.0], x="1").add("b", [1.0], x="1")
    with pytest.raises(CannotEvaluate, match="same labelset"):
        instant('-{x="1"}', source, 0)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_without_exponents_and_read_back_the_same(value: float) -> None:
    text = number_text(value)
    assert "e" not in text
    assert float(text) == value


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0 % 0", math.nan),
        ("(-8) ^ 0.5", math.nan),
        ("10 ^ 400", math.inf),
    ],
)
def test_scalars_calculate_as_floating_point_numbers_do(query: str, value: float) -> None:
    found = instant(query, _source(), 0)
    assert found == value or (math.isnan(value) and isinstance(found, float) and math.isnan(found))
