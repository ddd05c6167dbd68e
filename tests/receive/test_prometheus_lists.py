"""Prometheus' own list of alerts: the end decides whether an alert fires."""

import json
from typing import Any

import pytest

from domain.errors import BadInput
from receive.prometheus import parse
from tests.fakes import START


def listed(**more: Any) -> bytes:
    one = {
        "labels": {"alertname": "InstanceDown", "instance": "10.0.0.7:80"},
        "annotations": {"summary": "down"},
        "startsAt": "2026-11-20T12:50:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        **more,
    }
    return json.dumps([one]).encode()


@pytest.mark.parametrize(
    ("ends_at", "firing"),
    [
        ("2026-11-20T12:56:00Z", True),
        ("2026-11-20T12:51:00Z", False),
        ("0001-01-01T00:00:00Z", True),
        (None, True),
    ],
)
def test_an_alert_whose_end_has_passed_is_resolved(ends_at: str | None, firing: bool) -> None:
    (alert,) = parse(listed(endsAt=ends_at), received_at=START).alerts
    assert alert.firing is firing
    assert (alert.ended_at is None) is firing


def test_the_fingerprint_is_the_same_while_firing_and_when_resolved() -> None:
    (firing,) = parse(listed(), received_at=START).alerts
    (gone,) = parse(listed(endsAt="2026-11-20T12:51:00Z"), received_at=START).alerts
    assert firing.fingerprint == gone.fingerprint
    assert firing.generator_url.startswith("http://prometheus")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"[", "body"),
        (b"{}", "body"),
        (b"[]", "alerts"),
        (b"[7]", "alerts[0]"),
        (b'[{"labels": {"a": {}}}]', "alerts[0].labels.a"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(raw: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(raw, received_at=START)
    assert caught.value.field == field
