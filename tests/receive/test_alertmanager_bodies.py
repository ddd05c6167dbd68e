"""Alertmanager's webhook: real bodies are understood, wrong ones are refused with the place."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.alert import Alert, AlertStatus
from domain.errors import BadInput
from receive.alertmanager import parse
from receive.parcel import MAX_ALERTS_COUNT, MAX_LABEL_LENGTH, Parcel
from tests.fakes import START
from tests.receive.bodies import CAPTURED, alert, body, captured, mixins


def read(raw: bytes) -> Parcel:
    return parse(raw, received_at=START)


def only(**more: Any) -> Alert:
    (found,) = read(body(alert(**more))).alerts
    return found


@pytest.mark.parametrize("name", CAPTURED)
def test_real_bodies_are_understood_whole(name: str) -> None:
    raw = json.loads(captured(name))
    parcel = read(captured(name))
    assert parcel.group_key == raw["groupKey"]
    assert parcel.truncated_count == raw["truncatedAlerts"]
    assert [a.fingerprint for a in parcel.alerts] == [a["fingerprint"] for a in raw["alerts"]]
    assert [dict(a.labels) for a in parcel.alerts] == [a["labels"] for a in raw["alerts"]]


def test_all_mixin_payloads_are_understood() -> None:
    parcels = [read(raw) for raw in mixins()]
    assert len(parcels) == 45
    assert all(isinstance(value, str) for p in parcels for a in p.alerts for value in a.labels.values())


def test_each_alerts_own_status_counts() -> None:
    firing, gone = read(captured("mixed-firing-and-resolved")).alerts
    assert (firing.status, firing.ended_at) == (AlertStatus.FIRING, None)
    assert (gone.status, gone.ended_at) == (
        AlertStatus.RESOLVED,
        datetime(2026, 11, 20, 10, 48, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (True, "true"),
        (False, "false"),
        (None, ""),
        (3, "3"),
        (0.99, "0.99"),
        (2.0, "2"),
        (1e21, "1" + "0" * 21),
        (1e-7, "0.0000001"),
        ("1.0", "1.0"),
    ],
)
def test_label_values_are_printed_as_prometheus_would(value: object, printed: str) -> None:
    assert only(labels={"x": value}).labels["x"] == printed


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20T10:48:05.483756182Z", datetime(2026, 11, 20, 10, 48, 5, 483756, tzinfo=UTC)),
        ("2026-11-20T12:48:05+02:00", datetime(2026, 11, 20, 10, 48, 5, tzinfo=UTC)),
        ("2026-11-20T10:48:05", datetime(2026, 11, 20, 10, 48, 5, tzinfo=UTC)),
        (None, START),
        ("0001-01-01T00:00:00+02:00", START),
    ],
)
def test_starts_are_read_with_nanoseconds_and_offsets(written: str | None, meant: datetime) -> None:
    found = only(startsAt=written).started_at
    assert (found, found.utcoffset()) == (meant, meant.utcoffset())


def test_an_end_in_the_future_does_not_end_a_firing_alert() -> None:
    found = only(endsAt="2030-01-01T00:00:00Z")
    assert (found.firing, found.ended_at) == (True, None)


def test_a_missing_status_follows_from_the_end() -> None:
    assert only(status=None).firing
    assert not only(status=None, endsAt="2026-11-20T12:01:00Z").firing


def test_a_missing_fingerprint_is_computed_from_all_labels() -> None:
    one, same, other = read(
        body(
            alert(fingerprint=None, labels={"a": "1", "b": "2"}),
            alert(fingerprint="", labels={"b": "2", "a": "1"}),
            alert(fingerprint=None, labels={"a": "1", "b": "3"}),
        )
    ).alerts
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert len(one.fingerprint) == 16


def test_long_texts_are_shortened_with_a_mark() -> None:
    found = only(labels={"x": "y" * 5000}, annotations={"description": "z" * 50_000})
    assert len(found.labels["x"]) == MAX_LABEL_LENGTH
    assert found.labels["x"].endswith("… (shortened)")
    assert found.annotations["description"].endswith("… (shortened)")


def test_alerts_beyond_the_bound_are_counted_as_left_out() -> None:
    small = {"labels": {"a": "b"}}
    parcel = read(body(*[small] * (MAX_ALERTS_COUNT + 7), truncatedAlerts=3))
    assert (len(parcel.alerts), parcel.truncated_count) == (MAX_ALERTS_COUNT, 10)


@pytest.mark.parametrize(
    ("raw", "field", "text"),
    [
        (b"", "body", "is not JSON"),
        (b"{", "body", "is not JSON"),
        (b"\xff\xfe", "body", "is not JSON"),
        (b"[" * 100_000, "body", "is not JSON"),
        (b"[]", "body", "expected an object, got []"),
        (b"null", "body", "expected an object, got null"),
        (b"{}", "alerts", "is missing"),
        (body(), "alerts", "expected at least one alert"),
        (b'{"alerts": {}}', "alerts", "expected a list, got {}"),
        (b'{"alerts": [7]}', "alerts[0]", "expected an object, got 7"),
        (b'{"alerts": [{}]}', "alerts[0].labels", "is missing"),
        (body(alert(labels=3)), "alerts[0].labels", "expected an object, got 3"),
        (body(alert(labels={"x": ["y"]})), "alerts[0].labels.x", 'expected a text, got ["y"]'),
        (body(alert(status="burning")), "alerts[0].status", 'expected "firing" or "resolved", got "burning"'),
        (body(alert(fingerprint=7)), "alerts[0].fingerprint", "expected a text, got 7"),
        (
            body(alert(), alert(), alert(startsAt="yesterday")),
            "alerts[2].startsAt",
            'expected a timestamp, got "yesterday"',
        ),
        (body(alert(endsAt="9999-12-31T23:59:59-05:00")), "alerts[0].endsAt", "expected a timestamp"),
        (body(alert(), truncatedAlerts=-1), "truncatedAlerts", "a number that is not negative"),
        (body(alert(), truncatedAlerts="x"), "truncatedAlerts", "expected a whole number"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(raw: bytes, field: str, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(raw)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ") and text in str(caught.value)


def test_a_long_wrong_value_is_quoted_in_part() -> None:
    with pytest.raises(BadInput) as caught:
        read(body(alert(startsAt="x" * 10_000)))
    assert len(str(caught.value)) < 200


def test_many_wrong_alerts_are_refused_at_the_first() -> None:
    with pytest.raises(BadInput, match=r"alerts\[0\]") as caught:
        read(b'{"alerts": [' + b"1," * 10_000 + b"1]}")
    assert isinstance(caught.value.__cause__, ValidationError)
    assert caught.value.__cause__.error_count() == 1, "a list of all errors would take seconds"
