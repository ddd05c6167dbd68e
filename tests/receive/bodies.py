"""Webhook bodies for the tests, real ones and small made-up ones."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "data" / "alertmanager"
CAPTURED = (
    "firing-1",
    "resolved-1",
    "grouped-3-firing",
    "mixed-firing-and-resolved",
    "truncated-8-to-3",
)


@cache
def captured(name: str) -> bytes:
    """A body that a real Alertmanager sent."""
    return json.dumps(json.loads((FOLDER / f"{name}.json").read_text())["body"]).encode()


@cache
def mixins() -> list[bytes]:
    """Bodies with the labels of kubernetes-mixin's and etcd's own alerts."""
    return [json.dumps(one).encode() for one in json.loads((FOLDER / "mixin_payloads.json").read_text())]


def body(*alerts: dict[str, Any], group_key: str = "{}:{}", **more: Any) -> bytes:
    """An Alertmanager body around these alerts."""
    return json.dumps({"alerts": alerts, "groupKey": group_key, **more}).encode()


def alert(**more: Any) -> dict[str, Any]:
    """One firing alert as Alertmanager writes it."""
    return {
        "status": "firing",
        "labels": {"alertname": "PodDown", "namespace": "shop", "pod": "web-0"},
        "annotations": {},
        "startsAt": "2026-11-20T12:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "f1",
        **more,
    }
