"""What Prometheus knows and how it is: metadata, targets, alerts, rules, status, labels, series."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from mcp_servers.prom.api import NoSuchPath, PromApi
from mcp_servers.prom.measure import Measurer
from mcp_servers.prom.near import near_names
from mcp_servers.prom.parameters import Grep, Limit, Window, seconds
from mcp_servers.prom.shapes import (
    AlertsAnswer,
    AlertState,
    ConfigAnswer,
    MetadataAnswer,
    MetricFacts,
    NamesAnswer,
    RulesAnswer,
    RuleState,
    SeriesAnswer,
    StatusAnswer,
    TargetsAnswer,
    TargetState,
)
from mcp_servers.prom.telling import (
    tell_alerts,
    tell_config,
    tell_metadata,
    tell_names,
    tell_rules,
    tell_series,
    tell_status,
    tell_targets,
)
from mcp_servers.prom.wire import RuleGroup, Target, WireAlert
from mcp_servers.toolkit import ToolDef
from utils.redact import redact

T = TypeVar("T")

Metric = Annotated[str, Field(description="Metric name; empty for all.")]
Match = Annotated[list[str], Field(description='Series selectors such as up or {namespace="shop"}.')]
Label = Annotated[str, Field(description="Label whose values are wanted; empty for the names of labels.")]
State = Annotated[Literal["", "firing", "pending"], Field(description="Only alerts in this state.")]
Health = Annotated[Literal["", "up", "down", "unknown"], Field(description="Only targets in this health.")]
Job = Annotated[str, Field(description="Only this scrape job.")]
Kind = Annotated[Literal["", "alert", "record"], Field(description="Only alerting or recording rules.")]
RULE_KINDS: Mapping[str, Literal["alerting", "recording"]] = {
    "alerting": "alerting",
    "recording": "recording",
}
STATUS_PARTS = {"build": "buildinfo", "runtime": "runtimeinfo", "storage": "tsdb"}
MAX_VALUE_LENGTH = 200
REST = "use grep, or raise limit"


class ServerLooks:
    """Looks at Prometheus itself."""

    def __init__(self, api: PromApi, measurer: Measurer, now: Callable[[], datetime]) -> None:
        self._api = api
        self._measurer = measurer
        self._now = now

    def tools(self) -> list[ToolDef]:
        """The tools of this group."""
        return [
            ToolDef(self.prom_metadata, MetadataAnswer, tell_metadata, read_only=True, rest=REST),
            ToolDef(self.prom_targets, TargetsAnswer, tell_targets, read_only=True, rest=REST),
            ToolDef(self.prom_alerts, AlertsAnswer, tell_alerts, read_only=True, rest=REST),
            ToolDef(self.prom_rules, RulesAnswer, tell_rules, read_only=True, rest=REST),
            ToolDef(self.prom_config, ConfigAnswer, tell_config, read_only=True, rest=REST),
            ToolDef(self.prom_status, StatusAnswer, tell_status, read_only=True, rest=REST),
            ToolDef(self.prom_labels, NamesAnswer, tell_names, read_only=True, rest=REST),
            ToolDef(self.prom_series, SeriesAnswer, tell_series, read_only=True, rest=REST),
        ]

    async def prom_metadata(self, metric: Metric = "", grep: Grep = "", limit: Limit = 100) -> MetadataAnswer:
        """Type, help and unit of metrics."""
        found = await self._api.metadata(metric, 0 if grep else limit + 1)
        facts = [
            MetricFacts(name=name, type=said.type, help=said.help, unit=said.unit)
            for name, told in found.items()
            for said in told[:1]  # the first target's; others rarely differ
        ]
        items, note, cut = _some(facts, grep, limit, lambda fact: f"{fact.name} {fact.help}")
        if metric and not items:
            near = near_names([metric], sorted(await self._measurer.known()))
            note = f"no metadata of {metric}; near names: {', '.join(near) or 'none'}"
        return MetadataAnswer(items=items, note=note, truncated=cut)

    async def prom_targets(
        self, job: Job = "", health: Health = "", grep: Grep = "", limit: Limit = 50
    ) -> TargetsAnswer:
        """What is scraped, with the error of what fails; failing targets first."""
        found = [
            target
            for target in await self._api.targets(job)
            if job in ("", target.pool, target.labels.get("job")) and health in ("", target.health)
        ]
        states = sorted(map(_target, found), key=lambda target: target.health == "up")
        items, note, cut = _some(states, grep, limit, lambda target: f"{target.url} {target.labels}")
        return TargetsAnswer(items=items, note=note, truncated=cut)

    async def prom_alerts(self, state: State = "", grep: Grep = "", limit: Limit = 50) -> AlertsAnswer:
        """Pending and firing alerts of Prometheus' own rules; firing ones first."""
        found = [_alert(alert) for alert in await self._api.alerts() if state in ("", alert.state)]
        found.sort(key=lambda alert: alert.state != "firing")
        items, note, cut = _some(found, grep, limit, lambda alert: f"{alert.name} {alert.labels}")
        return AlertsAnswer(items=items, note=note, truncated=cut)

    async def prom_rules(self, kind: Kind = "", grep: Grep = "", limit: Limit = 30) -> RulesAnswer:
        """Alerting and recording rules with their queries; those that fail or fire first."""
        found = [rule for group in await self._api.rules(kind) for rule in _rules(group)]
        found.sort(key=lambda rule: (not rule.error, rule.state != "firing", rule.state != "pending"))
        items, note, cut = _some(found, grep, limit, lambda rule: f"{rule.group} {rule.name} {rule.query}")
        return RulesAnswer(items=items, note=note, truncated=cut)

    async def prom_config(self, grep: Grep = "", limit: Limit = 200) -> ConfigAnswer:
        """The configuration that is loaded, as YAML; credentials are masked."""
        lines = redact(await self._api.config()).splitlines()
        items, note, cut = _some(lines, grep, limit, str)
        return ConfigAnswer(lines=items, note=note, truncated=cut)

    async def prom_status(self) -> StatusAnswer:
        """Version, uptime, retention, number of series, and the metrics with the most series."""
        parts: dict[str, Mapping[str, str]] = {}
        absent: list[str] = []
        for name, path in STATUS_PARTS.items():
            try:
                parts[name] = _flat(await self._api.status(path))
            except NoSuchPath:
                absent.append(path)
        note = f"this server does not tell {', '.join(absent)}" if absent else ""
        return StatusAnswer(
            build=parts.get("build", {}), runtime=parts.get("runtime", {}), storage=parts.get("storage", {}),
            note=note,
        )  # fmt: skip

    async def prom_labels(
        self,
        label: Label = "",
        match: Match = [],  # noqa: B006 - the schema needs a default, and nothing changes it
        window: Window = "1h",
        grep: Grep = "",
        limit: Limit = 200,
    ) -> NamesAnswer:
        """Names of labels, or the values of one label; `__name__` gives the names of metrics."""
        since = self._now() - timedelta(seconds=seconds(window, "window"))
        if label:
            found = await self._api.label_values(label, match, since)
        else:
            found = await self._api.label_names(match, since)
        items, note, cut = _some(found, grep, limit, str)
        return NamesAnswer(items=items, note=note, truncated=cut)

    async def prom_series(
        self, match: Match, window: Window = "1h", grep: Grep = "", limit: Limit = 100
    ) -> SeriesAnswer:
        """Label sets of the series that match."""
        now = self._now()
        since = now - timedelta(seconds=seconds(window, "window"))
        found = await self._api.series(match, since, now, limit + 1 if not grep else 0)
        items, note, cut = _some(found, grep, limit, str)
        return SeriesAnswer(items=items, note=note, truncated=cut)


def _some(
    found: Sequence[T], grep: str, limit: int, text: Callable[[T], str]
) -> tuple[tuple[T, ...], str, bool]:
    """Items that contain `grep`, at most `limit`, with a note on how to get the others."""
    chosen = [item for item in found if grep.lower() in text(item).lower()]
    if len(chosen) > limit:
        note = f"the first {limit} of {len(chosen)} or more; raise limit, or narrow with grep, for the others"
        return tuple(chosen[:limit]), note, True
    return tuple(chosen), "nothing matches" if not chosen else "", False


def _target(target: Target) -> TargetState:
    return TargetState(
        pool=target.pool,
        labels=target.labels,
        health=target.health,
        url=redact(target.url),
        error=redact(target.error),
        scraped_at=target.scraped_at,
    )


def _alert(alert: WireAlert) -> AlertState:
    return AlertState(
        name=alert.labels.get("alertname", ""),
        state=alert.state,
        labels={name: value for name, value in alert.labels.items() if name != "alertname"},
        annotations={name: redact(text) for name, text in alert.annotations.items()},
        active_at=alert.active_at,
        value=alert.value,
    )


def _rules(group: RuleGroup) -> list[RuleState]:
    return [
        RuleState(
            group=group.name,
            name=rule.name,
            kind=RULE_KINDS.get(rule.type, "alerting"),
            query=rule.query,
            hold_s=rule.hold_s,
            state=rule.state,
            error=rule.error,
            labels=rule.labels,
        )
        for rule in group.rules
    ]


def _flat(body: Mapping[str, object], before: str = "") -> dict[str, str]:
    """Nested values under dotted names; lists of name and value as such."""
    found: dict[str, str] = {}
    for name, value in body.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping):
                    found[f"{before}{name}.{item.get('name')}"] = str(item.get("value"))
        else:
            found[before + name] = redact(str(value))[:MAX_VALUE_LENGTH]
    return found
