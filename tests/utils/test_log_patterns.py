import json
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest

from utils.log_patterns import MAX_LINE_LENGTH, LogLine, group_lines, message_of, says_error, shown_line

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def lines(*texts: str, source: str = "") -> list[LogLine]:
    """One line a second."""
    return [
        LogLine(text=text, at=START + timedelta(seconds=number), source=source)
        for number, text in enumerate(texts)
    ]


def test_lines_that_differ_in_values_are_one_template() -> None:
    (pattern,) = group_lines(
        lines(
            "2026-01-05T09:00:00Z request 6f9619ff-8b86-d011-b42d-00c04fc964ff from 10.0.0.7:5432 took 17ms",
            "2026-01-05T09:00:01Z request 0e9619ff-8b86-d011-b42d-00c04fc964ff from 10.0.0.8:5433 took 4.5ms",
        )
    )
    assert pattern.template == "<TIME> request <ID> from <ADDRESS> took <N>ms"
    assert (pattern.count, pattern.first_at, pattern.last_at) == (2, START, START + timedelta(seconds=1))
    assert pattern.sample.startswith("2026-01-05T09:00:00Z request 6f9619ff")


def test_different_messages_stay_apart_and_errors_come_first() -> None:
    found = group_lines(lines("cache warmed", "cache warmed", "cannot reach db: connection refused"))
    assert [(pattern.count, pattern.is_error) for pattern in found] == [(1, True), (2, False)]


def test_what_began_with_the_alert_is_new_when_earlier_lines_are_known() -> None:
    texts = ("GET /cart 200", "GET /cart 200", "panic: out of rules", "GET /cart 200")
    by_text = {p.sample: p.is_new for p in group_lines(lines(*texts), new_since=START + timedelta(seconds=2))}
    assert by_text == {"GET /cart 200": False, "panic: out of rules": True}


def test_nothing_is_called_new_without_a_look_at_the_time_before() -> None:
    found = group_lines(lines("panic: out of rules"), new_since=START)
    assert [pattern.is_new for pattern in found] == [None]
    assert [pattern.is_new for pattern in group_lines(lines("a b"))] == [None]


def test_json_lines_are_grouped_by_what_they_say() -> None:
    texts = [
        json.dumps({"ts": f"{number}", "level": "error", "msg": f"order {number} lost", "err": "timeout"})
        for number in range(3)
    ]
    (pattern,) = group_lines(lines(*texts))
    assert (pattern.template, pattern.count, pattern.is_error) == ("error order <N> lost timeout", 3, True)


@pytest.mark.parametrize("line", ["{broken", '{"a": 1}', '{"level": "info"}', "{}", "plain"])
def test_lines_without_a_message_are_taken_as_they_are(line: str) -> None:
    assert message_of(line) == line


def test_sources_are_counted_once_each() -> None:
    (pattern,) = group_lines([*lines("a b", source="web-1"), *lines("a b", "a b", source="web-2")])
    assert (pattern.sources, pattern.count) == (("web-1", "web-2"), 3)


def test_credentials_are_masked_before_anything_is_kept() -> None:
    (pattern,) = group_lines(lines("connect with password=hunter2 failed"))
    assert "hunter2" not in pattern.template + pattern.sample


def test_empty_lines_are_no_template() -> None:
    assert group_lines(lines("", "   ")) == []


@pytest.mark.parametrize(
    "line",
    [
        "ERROR cannot connect",
        "level=error msg=x",
        "E0105 09:00:00.0 1 main.go:1] x",
        "java.lang.NullPointerException: x",
        "ValueError: x",
        "dial tcp: connection refused",
        "Traceback (most recent call last):",
        '{"level":"fatal"}',
    ],
)
def test_errors_are_told_from_other_lines(line: str) -> None:
    assert says_error(line)


@pytest.mark.parametrize(
    "line",
    [
        "0 errors found",
        "finished without errors",
        "errors=0 requests=5",
        "err=nil",
        'error="" status=200',
        "terrors of the deep",
        "INFO ready",
    ],
)
def test_good_news_are_no_errors(line: str) -> None:
    assert not says_error(line)


def test_a_huge_line_is_cut_and_does_not_take_long() -> None:
    huge = "x=1 " * 500_000
    began_s = perf_counter()
    (pattern,) = group_lines(lines(huge))
    assert perf_counter() - began_s < 0.5
    assert len(pattern.sample) <= MAX_LINE_LENGTH + 1
    assert len(shown_line(huge)) <= MAX_LINE_LENGTH + 1
