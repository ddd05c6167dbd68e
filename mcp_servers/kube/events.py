"""Events merged: one line for each object and reason, its newest messages, how often, first and last."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain.alert import Target
from domain.cluster import EventSummary
from mcp_servers.kube.doc import Doc
from utils.redact import redact

MAX_MESSAGES = 3  # one reason may have several: `Failed` is both the pull that failed and its back-off
BETWEEN = " | "


def merge_events(events: Iterable[Doc]) -> list[EventSummary]:
    """Newest first."""
    groups: dict[tuple[Target, str, str], list[EventSummary]] = {}
    for event in map(_summary, events):
        groups.setdefault((event.about, event.type, event.reason), []).append(event)
    merged = map(_merged, groups.values())
    return sorted(merged, key=lambda event: event.last_at, reverse=True)


def _summary(event: Doc) -> EventSummary:
    """One event; newer recorders leave firstTimestamp empty and fill eventTime and series."""
    first = event.maybe_time("firstTimestamp") or event.maybe_time("eventTime") or event.created_at
    last = event.maybe_time("series", "lastObservedTime") or event.maybe_time("lastTimestamp") or first
    about = event.part("involvedObject")
    return EventSummary(
        about=Target(kind=about.text("kind"), namespace=about.text("namespace"), name=about.text("name")),
        type=event.text("type") or "Normal",
        reason=event.text("reason"),
        message=redact(event.text("message")),
        count=event.number("series", "count") or event.number("count") or 1,
        first_at=first,
        last_at=last,
        component=event.text("source", "component") or event.text("reportingComponent"),
    )


def _merged(events: Sequence[EventSummary]) -> EventSummary:
    """One summary for events that differ in message and time alone."""
    newest_first = sorted(events, key=lambda event: event.last_at, reverse=True)
    messages = list(dict.fromkeys(event.message for event in newest_first))
    return replace(
        newest_first[0],
        message=BETWEEN.join(messages[:MAX_MESSAGES]),
        count=sum(event.count for event in events),
        first_at=min(event.first_at for event in events),
    )
