"""Notifications: what a real Alertmanager was seen to send, and when it sends it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.alerting.alert import Alert, fingerprint
from sandbox.alerting.notifications import Dispatcher, Routing, body_of
from sandbox.clock import EPOCH, SimClock

CAPTURES = Path("tests/data/alertmanager")
CAPTURED = ("firing-1", "resolved-1", "grouped-3-firing", "mixed-firing-and-resolved")


def _captured(name: str) -> dict[str, Any]:
    """A body as it was seen, with its times cut to the milliseconds that are written here."""
    text = re.sub(r"(\.\d{3})\d+Z", r"\1Z", (CAPTURES / f"{name}.json").read_text())
    body: dict[str, Any] = json.loads(text)["body"]
    return body


def _alert(told: dict[str, Any]) -> Alert:
    return Alert(
        labels=told["labels"],
        annotations=told["annotations"],
        started_at=datetime.fromisoformat(told["startsAt"]),
        ended_at=None if told["status"] == "firing" else datetime.fromisoformat(told["endsAt"]),
        generator_url=told["generatorURL"],
    )


@pytest.mark.parametrize("name", [*CAPTURED, "truncated-8-to-3"])
def test_fingerprints_are_those_of_a_real_alertmanager(name: str) -> None:
    for told in _captured(name)["alerts"]:
        assert fingerprint(told["labels"]) == told["fingerprint"]


@pytest.mark.parametrize("name", CAPTURED)
def test_a_body_is_what_a_real_alertmanager_posted_for_the_same_alerts(name: str) -> None:
    wanted = _captured(name)
    routing = Routing(receiver=wanted["receiver"], external_url=wanted["externalURL"])
    alerts = [_alert(told) for told in wanted["alerts"]]
    assert json.loads(body_of(alerts, wanted["groupLabels"], routing)) == wanted


class Inbox:
    """Takes bodies and says what they told."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self.seen: list[tuple[float, str, list[str]]] = []

    def send(self, body: bytes) -> None:
        told = json.loads(body)
        states = sorted(f"{alert['labels']['pod']} {alert['status']}" for alert in told["alerts"])
        self.seen.append((self._clock.time() - EPOCH.timestamp(), told["status"], states))


class Desk:
    """A dispatcher that hears of the same alerts again and again, as from rules."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.inbox = Inbox(self.clock)
        routing = Routing(group_wait_s=10, group_interval_s=60, repeat_interval_s=600)
        self.dispatcher = Dispatcher(self.clock, routing, self.inbox.send)
        self.alerts: dict[str, Alert] = {}

    def say(self, pod: str, *, firing: bool = True, namespace: str = "shop") -> None:
        labels = {"alertname": "Down", "namespace": namespace, "pod": pod}
        began = self.alerts[pod].started_at if pod in self.alerts else self.clock.now()
        ended = None if firing else self.clock.now()
        self.alerts[pod] = Alert(labels=labels, annotations={}, started_at=began, ended_at=ended)
        self.dispatcher.take(list(self.alerts.values()))

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.dispatcher.take(list(self.alerts.values()))


def test_alerts_that_come_together_are_told_together() -> None:
    desk = Desk()
    desk.say("a")
    desk.wait(4)
    desk.say("b")
    desk.wait(30)
    assert desk.inbox.seen == [(10, "firing", ["a firing", "b firing"])]


def test_each_group_is_told_by_itself() -> None:
    desk = Desk()
    desk.say("a")
    desk.say("b", namespace="data")
    desk.wait(30)
    assert [states for _, _, states in desk.inbox.seen] == [["a firing"], ["b firing"]]


def test_news_wait_for_the_groups_interval_and_nothing_is_told_twice() -> None:
    desk = Desk()
    desk.say("a")
    desk.wait(20)
    desk.say("b")
    desk.wait(180)
    assert desk.inbox.seen == [(10, "firing", ["a firing"]), (70, "firing", ["a firing", "b firing"])]


def test_the_end_is_told_once_and_the_group_is_over() -> None:
    desk = Desk()
    desk.say("a")
    desk.say("b")
    desk.wait(20)
    desk.say("a", firing=False)
    desk.wait(60)
    desk.say("b", firing=False)
    desk.wait(300)
    assert [(status, states) for _, status, states in desk.inbox.seen[1:]] == [
        ("firing", ["a resolved", "b firing"]),
        ("resolved", ["b resolved"]),
    ]


def test_an_alert_that_fires_on_is_repeated() -> None:
    desk = Desk()
    desk.say("a")
    desk.wait(1300)
    assert [at for at, _, _ in desk.inbox.seen] == [10, 610, 1210]


def test_what_ended_before_anybody_was_told_is_not_told() -> None:
    desk = Desk()
    desk.say("a")
    desk.wait(5)
    desk.say("a", firing=False)
    desk.wait(300)
    assert desk.inbox.seen == []


def test_times_are_written_as_go_writes_them() -> None:
    start = datetime(2026, 1, 5, 8, tzinfo=UTC)
    alert = Alert(labels={"alertname": "A"}, annotations={}, started_at=start + timedelta(milliseconds=40))
    told = json.loads(body_of([alert], {"alertname": "A"}, Routing()))["alerts"][0]
    assert (told["startsAt"], told["endsAt"]) == ("2026-01-05T08:00:00.04Z", "0001-01-01T00:00:00Z")
