"""The part of Prometheus' HTTP API that tells of itself: targets, rules, alerts, metadata, status."""

from datetime import UTC, datetime
from itertools import groupby

import yaml
from aiohttp import web

from sandbox.alerting.evaluation import Active, RuleEvaluator, RuleState
from sandbox.http_forms import BadParameter, Form, count
from sandbox.metrics.monitor import Monitor, Scraped
from sandbox.prometheus_api import Answer, answering
from sandbox.promql.values import NAME, value_of

VERSION = "2.42.0"  # whose behaviour the sandbox follows
TOP_COUNT = 10
NO_TIME = "0001-01-01T00:00:00Z"


class PrometheusStatus:
    """Answers about one monitor and its rules."""

    def __init__(self, monitor: Monitor, rules: RuleEvaluator | None = None) -> None:
        self._monitor = monitor
        self._rules = rules
        self._started_at = monitor.clock.time()

    def routes(self) -> list[web.RouteDef]:
        answers: dict[str, Answer] = {
            "targets": self._targets,
            "metadata": self._metadata,
            "rules": self._rule_groups,
            "alerts": self._alerts,
            "alertmanagers": lambda form: {"activeAlertmanagers": [], "droppedAlertmanagers": []},
            "status/buildinfo": lambda form: _build(),
            "status/runtimeinfo": self._runtime,
            "status/tsdb": self._storage,
            "status/config": self._config,
            "status/flags": lambda form: {"query.lookback-delta": "5m"},
        }
        told = [web.get(f"/api/v1/{path}", answering(answer)) for path, answer in answers.items()]
        well = [web.get(f"/-/{name}", _well) for name in ("healthy", "ready")]
        return [*told, *well]

    # --- targets

    def _targets(self, form: Form) -> object:
        state = form.get("state", "any")
        if state not in ("any", "active", "dropped"):
            raise BadParameter("state", f'"{state}" is none of any, active, dropped')
        shown = [self._target(scraped) for scraped in self._monitor.scraped()] if state != "dropped" else []
        return {"activeTargets": shown, "droppedTargets": []}

    def _target(self, scraped: Scraped) -> dict[str, object]:
        target, interval = scraped.target, f"{self._monitor.scrape_s:g}s"
        address, path = target.labels["instance"], f"/metrics/{target.path}"
        return {
            "discoveredLabels": {"__address__": address, "__metrics_path__": path, **target.labels},
            "labels": dict(target.labels),
            "scrapePool": target.labels["job"],
            "scrapeUrl": f"http://{address}{path}",
            "globalUrl": f"http://{address}{path}",
            "lastError": "" if scraped.up else "server returned HTTP status 503 Service Unavailable",
            "lastScrape": _written(scraped.at_ms / 1000) if scraped.at_ms else NO_TIME,
            "lastScrapeDuration": 0.0,
            "health": ("up" if scraped.up else "down") if scraped.at_ms else "unknown",
            "scrapeInterval": interval,
            "scrapeTimeout": interval,
        }

    def _metadata(self, form: Form) -> object:
        wanted, limit = form.get("metric", ""), count(form, "limit", 0)
        known = {
            name: [{"type": family.kind, "help": family.help, "unit": ""}]
            for name, family in sorted(self._monitor.families().items())
            if wanted in ("", name)
        }
        return dict(list(known.items())[:limit]) if limit else known

    # --- rules

    def _rule_groups(self, form: Form) -> object:
        kind = form.get("type", "")
        if kind not in ("", "alert", "record"):
            raise BadParameter("type", f'not supported value "{kind}"')
        states = self._rules.states if self._rules is not None else []
        chosen = [state for state in states if not kind or state.rule.record == (kind == "record")]
        by_group = groupby(chosen, key=lambda state: state.rule.group)
        return {"groups": [self._group(name, list(states)) for name, states in by_group]}

    def _group(self, name: str, states: list[RuleState]) -> dict[str, object]:
        return {
            "name": name,
            "file": "rules.yaml",
            "rules": [_rule(state) for state in states],
            "interval": self._rules.interval_s if self._rules is not None else 0,
            "limit": 0,
            "evaluationTime": 0.0,
            "lastEvaluation": _written(states[0].evaluated_at),
        }

    def _alerts(self, form: Form) -> object:
        states = self._rules.states if self._rules is not None else []
        return {"alerts": [_alert(active) for state in states for active in state.shown()]}

    # --- itself

    def _runtime(self, form: Form) -> object:
        return {
            "startTime": _written(self._started_at),
            "CWD": "/",
            "reloadConfigSuccess": True,
            "lastConfigTime": _written(self._started_at),
            "corruptionCount": 0,
            "storageRetention": "6h",
        }

    def _storage(self, form: Form) -> object:
        names: dict[str, int] = {}
        for series in self._monitor.series:
            name = value_of(series.labels, NAME)
            names[name] = names.get(name, 0) + 1
        top = sorted(names.items(), key=lambda item: (-item[1], item[0]))[:TOP_COUNT]
        return {
            "headStats": {"numSeries": len(self._monitor.series)},
            "seriesCountByMetricName": [{"name": name, "value": number} for name, number in top],
        }

    def _config(self, form: Form) -> object:
        jobs = sorted({scraped.target.labels["job"] for scraped in self._monitor.scraped()})
        interval = f"{self._monitor.scrape_s:g}s"
        config = {
            "global": {"scrape_interval": interval},
            "scrape_configs": [{"job_name": job, "scrape_interval": interval} for job in jobs],
        }
        return {"yaml": yaml.safe_dump(config, sort_keys=False)}


def _rule(state: RuleState) -> dict[str, object]:
    rule = state.rule
    told: dict[str, object] = {
        "name": rule.name,
        "query": rule.expr,
        "health": "err" if state.error else "ok",
        "evaluationTime": 0.0,
        "lastEvaluation": _written(state.evaluated_at),
        "type": "recording" if rule.record else "alerting",
    }
    told |= {"labels": rule.labels} if rule.labels or not rule.record else {}
    told |= {"lastError": state.error} if state.error else {}
    if rule.record:
        return told
    alerts = [_alert(active) for active in state.shown()]
    own = {"annotations": rule.annotations, "alerts": alerts}
    return {"state": state.state, "duration": rule.hold_s, **own, **told}


def _alert(active: Active) -> dict[str, object]:
    return {
        "labels": active.labels,
        "annotations": active.annotations,
        "state": active.state,
        "activeAt": _written(active.active_at),
        "value": _scientific(active.value),
    }


def _scientific(value: float) -> str:
    """Shortest digits with an exponent, as the alerts' values are written: 1 is `1e+00`."""
    return min(
        (f"{value:.{digits}e}" for digits in range(17)), key=lambda text: (float(text) != value, len(text))
    )


def _build() -> dict[str, str]:
    told = ("revision", "branch", "buildUser", "buildDate", "goVersion")
    return {"version": VERSION, **dict.fromkeys(told, "sandbox")}


def _written(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _well(request: web.Request) -> web.Response:
    return web.Response(text="Prometheus Server is Ready.\n")
