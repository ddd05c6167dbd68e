"""Notifications as Alertmanager makes them: alerts grouped, waited for, repeated, and told when resolved.

A notification is handed over as the body of a webhook, version 4. How it gets there is not known here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sandbox.alerting.alert import Alert
from sandbox.clock import SimClock, Timer

NEVER = "0001-01-01T00:00:00Z"  # the end of an alert that fires, as Go writes no time

Send = Callable[[bytes], None]
GroupKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Alertmanager's route, by default with its usual times in seconds of cluster time."""

    receiver: str = "alert-agent"
    group_by: tuple[str, ...] = ("alertname", "namespace")
    group_wait_s: float = 30.0
    group_interval_s: float = 300.0
    repeat_interval_s: float = 4 * 3600.0
    external_url: str = ""

    def group_labels(self, alert: Alert) -> dict[str, str]:
        """What an alert shares with its group."""
        return {name: alert.labels[name] for name in self.group_by if name in alert.labels}

    def scaled(self, factor: float) -> "Routing":
        """The same route with all its times multiplied."""
        return Routing(
            receiver=self.receiver,
            group_by=self.group_by,
            group_wait_s=self.group_wait_s * factor,
            group_interval_s=self.group_interval_s * factor,
            repeat_interval_s=self.repeat_interval_s * factor,
            external_url=self.external_url,
        )


@dataclass(slots=True)
class Group:
    """Alerts that are told together, and what was told last."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    told_firing: frozenset[str] = frozenset()
    told_resolved: frozenset[str] = frozenset()
    told_at: float | None = None
    timer: Timer | None = None


class Dispatcher:
    """Takes alerts from the rules, and sends a body whenever a group has something new to say."""

    def __init__(self, clock: SimClock, routing: Routing, send: Send) -> None:
        self._clock = clock
        self._routing = routing
        self._send = send
        self._groups: dict[GroupKey, Group] = {}

    def take(self, alerts: Sequence[Alert]) -> None:
        """Takes over the present state of alerts; resolved ones matter only where they were known."""
        for alert in alerts:
            key = tuple(self._routing.group_labels(alert).items())
            group = self._groups.get(key)
            if group is None:
                if not alert.firing:
                    continue
                group = self._groups[key] = Group()
                group.timer = self._clock.call_after(self._routing.group_wait_s, partial(self._flush, key))
            if alert.firing or alert.fingerprint in group.alerts:
                group.alerts[alert.fingerprint] = alert

    def stop(self) -> None:
        for group in self._groups.values():
            if group.timer is not None:
                group.timer.cancel()

    def _flush(self, key: GroupKey) -> None:
        group = self._groups[key]
        firing = frozenset(name for name, alert in group.alerts.items() if alert.firing)
        resolved = frozenset(group.alerts) - firing
        if self._has_news(group, firing, resolved):
            self._send(body_of(sorted(group.alerts.values(), key=_rank), dict(key), self._routing))
            group.told_firing, group.told_resolved = firing, resolved
            group.told_at = self._clock.time()
        for name in resolved:
            del group.alerts[name]
        if not group.alerts:
            del self._groups[key]
            return
        group.timer = self._clock.call_after(self._routing.group_interval_s, partial(self._flush, key))

    def _has_news(self, group: Group, firing: frozenset[str], resolved: frozenset[str]) -> bool:
        if group.told_at is None:
            return bool(firing)
        if not firing <= group.told_firing:
            return True
        if not firing:
            return bool(group.told_firing)
        if not resolved <= group.told_resolved:
            return True
        return self._clock.time() - group.told_at >= self._routing.repeat_interval_s


def body_of(alerts: Sequence[Alert], group_labels: Mapping[str, str], routing: Routing) -> bytes:
    """The webhook body that tells of one group."""
    inner = ", ".join(f"{name}={json.dumps(group_labels[name])}" for name in sorted(group_labels))
    body = {
        "receiver": routing.receiver,
        "status": "firing" if any(alert.firing for alert in alerts) else "resolved",
        "alerts": [_rendered(alert) for alert in alerts],
        "groupLabels": dict(group_labels),
        "commonLabels": _shared([alert.labels for alert in alerts]),
        "commonAnnotations": _shared([alert.annotations for alert in alerts]),
        "externalURL": routing.external_url,
        "version": "4",
        "groupKey": f"{{}}:{{{inner}}}",
        "truncatedAlerts": 0,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _rendered(alert: Alert) -> dict[str, object]:
    return {
        "status": "firing" if alert.firing else "resolved",
        "labels": dict(sorted(alert.labels.items())),
        "annotations": dict(sorted(alert.annotations.items())),
        "startsAt": _written(alert.started_at),
        "endsAt": NEVER if alert.ended_at is None else _written(alert.ended_at),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def _shared(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all have alike."""
    first = maps[0] if maps else {}
    return {name: value for name, value in sorted(first.items()) if all(m.get(name) == value for m in maps)}


def _rank(alert: Alert) -> tuple[tuple[bool, str], tuple[bool, str], int, list[tuple[str, str]]]:
    """By job, by instance, by number of labels, by labels; alerts without job or instance come last."""
    labels = alert.labels
    job, instance = (
        ("job" not in labels, labels.get("job", "")),
        ("instance" not in labels, labels.get("instance", "")),
    )
    return job, instance, len(labels), sorted(labels.items())


def _written(at: datetime) -> str:
    """RFC 3339 with as many digits of milliseconds as there are."""
    fraction = f".{at.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"
