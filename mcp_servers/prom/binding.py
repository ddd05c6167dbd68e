"""Binds what is asked for — a namespace, a pod, a service, a node — to the labels that a metric has here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mcp_servers.prom.api import PromApi
from mcp_servers.prom.near import near_values
from mcp_servers.prom.promql import escaped, matcher, quoted
from utils.metric_names import FAILED, MetricNames

ADDRESSES = (("node_uname_info", "nodename", "instance"), ("kube_node_info", "node", "internal_ip"))


class Unbound(Exception):
    """A metric cannot be asked for this; the text says why and what is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """`scope` are matchers, `by` the labels to keep, `errors` the matcher of failed requests or empty."""

    scope: str
    by: str
    errors: str = ""


class Binder:
    """Looks up labels and values of one Prometheus."""

    def __init__(self, api: PromApi, names: MetricNames) -> None:
        self._api = api
        self._names = names

    async def bind(self, metric: str, wanted: Mapping[str, str], since: datetime) -> Bound:
        """Labels for the roles of a question. Raises Unbound naming near values."""
        labels = frozenset(await self._api.label_names([metric], since))
        found: dict[str, str] = {}
        scope: list[str] = []
        for role, value in wanted.items():
            if value:
                found[role], matches = await self._matcher(metric, role, value, labels, since, scope)
                scope.append(matches)
        kept = (found.get(role) or self._first(role, labels) for role in wanted)
        return Bound(
            scope=",".join(scope),
            by=",".join(label for label in kept if label),
            errors=self._errors(labels),
        )

    async def _matcher(
        self, metric: str, role: str, value: str, labels: frozenset[str], since: datetime, scope: list[str]
    ) -> tuple[str, str]:
        """The label that has the value within `scope`, and the matcher for it."""
        candidates = [label for label in self._names.labels(role) if label in labels]
        if not candidates:
            raise Unbound(f"{metric} has no label for a {role}; its labels are {', '.join(sorted(labels))}")
        for label in candidates:
            for text in await self._spellings(role, label, value):
                selector = f"{metric}{{{','.join([*scope, text])}}}"
                if await self._api.label_values(label, [selector], since):
                    return label, text
        raise Unbound(await self._not_there(metric, role, value, candidates, since, scope))

    async def _spellings(self, role: str, label: str, value: str) -> list[str]:
        """Matchers that may find the value; nodes are also known by their addresses, with a port."""
        if role != "node":
            return [matcher(label, value)]
        plain = [value, *(await self._addresses(value) if label in ("instance", "host") else [])]
        return [f"{label}=~{quoted(f'{escaped(name)}(:[0-9]+)?')}" for name in plain]

    async def _addresses(self, node: str) -> list[str]:
        """Other names of a node, as node-exporter and kube-state-metrics tell them."""
        found: list[str] = []
        for metric, name_label, label in ADDRESSES:
            answer = await self._api.query(f"{metric}{{{name_label}={quoted(node)}}}")
            if answer.kind == "vector":
                found += (sample.metric.get(label, "").rpartition(":")[0] or sample.metric.get(label, "")
                          for sample in answer.result)  # fmt: skip
        return list(dict.fromkeys(name for name in found if name))

    async def _not_there(
        self,
        metric: str,
        role: str,
        value: str,
        candidates: Sequence[str],
        since: datetime,
        scope: Sequence[str],
    ) -> str:
        selector = f"{metric}{{{','.join(scope)}}}" if scope else metric
        values: dict[str, None] = {}
        for label in candidates:
            values |= dict.fromkeys(await self._api.label_values(label, [selector], since))
        near = near_values(value.replace("*", ""), list(values)) or list(values)[:5]
        said = f"{metric} knows no {role} {value!r} (labels {', '.join(candidates)})"
        return f"{said}; it has {', '.join(near)}" if near else said

    def _first(self, role: str, labels: frozenset[str]) -> str:
        return next((label for label in self._names.labels(role) if label in labels), "")

    def _errors(self, labels: frozenset[str]) -> str:
        label = self._first("status", labels)
        return f"{label}=~{quoted('|'.join(FAILED))}" if label else ""
