"""Rules: read from files, evaluated on cluster time, and firing for what breaks in a cluster."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.errors import BadInput
from sandbox.alerting.alert import Alert
from sandbox.alerting.evaluation import RuleEvaluator
from sandbox.alerting.rule_file import SHIPPED, Rule, duration_s, load_rules
from sandbox.alerting.templates import BadTemplate, expand, humanize, humanize_duration
from sandbox.clock import SimClock
from sandbox.metrics.series import SeriesStore, Track
from sandbox.observing import Observer, Pace
from sandbox.promql.engine import instant
from sandbox.promql.values import NAME, labels_from
from tests.sandbox.worlds import World, deployment, pod_template


class Bench:
    """One rule over one gauge that is set by hand."""

    def __init__(self, hold_s: float = 60.0) -> None:
        self.clock, self.series = SimClock(), SeriesStore()
        self._track = Track(1000)
        self._gauge = self.series.series(labels_from({NAME: "x", "pod": "a"}), self._track)
        text = {"summary": "{{ $labels.pod }} is at {{ $value }}"}
        rule = Rule("g", "High", "x > 1", hold_s, {"severity": "warning"}, text)
        self.rules = RuleEvaluator([rule], self.series, self.clock)
        self.state = self.rules.states[0]

    def step(self, value: float) -> str:
        """One evaluation half a minute later."""
        self.clock.advance(30)
        self._gauge.write(self._track.scraped(round(self.clock.time() * 1000)), value)
        self.rules.evaluate()
        return self.state.state


def test_an_alert_is_pending_for_its_time_then_fires_then_is_over() -> None:
    bench = Bench()
    values = [0, 2, 3, 4, 1, 1]
    assert [bench.step(value) for value in values] == [
        "inactive", "pending", "pending", "firing", "inactive", "inactive",
    ]  # fmt: skip


def test_a_pending_alert_that_goes_away_begins_anew() -> None:
    bench = Bench()
    assert [bench.step(value) for value in (2, 2, 0, 2, 2, 2)][2:] == [
        "inactive",
        "pending",
        "pending",
        "firing",
    ]


def test_a_rule_without_a_time_fires_at_once_and_tells_its_value() -> None:
    bench = Bench(hold_s=0.0)
    told: list[Sequence[Alert]] = []
    bench.rules.listen(told.append)
    bench.step(2.5)
    assert [(dict(alert.labels), dict(alert.annotations)) for alert in told[0]] == [
        ({"pod": "a", "severity": "warning", "alertname": "High"}, {"summary": "a is at 2.5"})
    ]
    bench.step(0)
    assert told[1][0].ended_at == bench.clock.now()


def test_the_series_alerts_follow_the_state() -> None:
    bench = Bench()
    for value in (2, 2, 2):
        bench.step(value)
    now_ms = round(bench.clock.time() * 1000)
    found = instant('ALERTS{alertname="High"}', bench.series, now_ms)
    assert isinstance(found, list)
    assert [dict(labels)["alertstate"] for labels, _ in found] == ["firing"]
    bench.step(0)
    assert instant("ALERTS", bench.series, now_ms + 30_000) == []


def test_a_rule_that_cannot_be_evaluated_says_why() -> None:
    bench = Bench()
    bench.state.rule = Rule("g", "Bad", "x * on (pod) group_left () y{z=", 0, {}, {})
    bench.step(2)
    assert "unexpected end of input" in bench.state.error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ $labels.pod }}/{{$labels.none}}", "web-0/"),
        ("{{ $value | humanizePercentage }}", "91.23%"),
        ('{{ printf "%.2f" $value }}%', "0.91%"),
        ("a {{ with $labels.none -}} on {{ . }} {{- end }} b", "a  b"),
        ("a{{ with $labels.pod -}} on {{ . }} {{- end }} b", "aon web-0 b"),
        ('{{ "43200" | humanizeDuration }}', "12h 0m 0s"),
    ],
)
def test_templates_are_expanded_as_go_does(text: str, expected: str) -> None:
    assert expand(text, {"pod": "web-0"}, 0.91234) == expected


def test_numbers_for_people() -> None:
    assert [humanize(v) for v in (0, 1234567, 0.02, -1500)] == ["0", "1.235M", "20m", "-1.5k"]
    assert [humanize_duration(v) for v in (0.001, 75, 90061)] == ["1ms", "1m 15s", "1d 1h 1m 1s"]
    assert [expand("{{ $value }}", {}, v) for v in (1.0, 1e21, 0.00001)] == ["1", "1e+21", "1e-05"]


def test_what_a_template_cannot_do_is_an_error() -> None:
    with pytest.raises(BadTemplate):
        expand("{{ query `up` }}", {}, 0)


def test_every_shipped_annotation_can_be_expanded() -> None:
    texts = [text for rule in load_rules() for text in rule.annotations.values()]
    assert all("{{" not in expand(text, {"namespace": "shop"}, 1.0) for text in texts)


def test_times_can_be_scaled_and_files_are_checked(tmp_path: Path) -> None:
    usual, short = load_rules(SHIPPED), load_rules(SHIPPED, hold_factor=0.1)
    assert [rule.hold_s * 0.1 for rule in usual] == [rule.hold_s for rule in short]
    assert duration_s("1h30m") == 5400
    wrong = tmp_path / "rules.yaml"
    wrong.write_text("groups: [{name: g, rules: [{expr: x}]}]")
    with pytest.raises(BadInput, match="give either alert or record"):
        load_rules(wrong)


# --- a whole cluster


class Watched(World):
    """A cluster with its alerts; rules and waits take a tenth of their usual time."""

    def __init__(self) -> None:
        super().__init__()
        self.observer = Observer(self, pace=Pace(factor=0.1))
        self.bodies: list[dict[str, object]] = []
        self.observer.notify(lambda body: self.bodies.append(json.loads(body)))

    def firing(self) -> set[str]:
        return {state.rule.name for state in self.observer.rules.states if state.state == "firing"}

    def told(self) -> list[tuple[object, object]]:
        return [(body["groupLabels"], body["status"]) for body in self.bodies]


def test_nothing_fires_in_a_healthy_cluster() -> None:
    world = Watched()
    world.apply([deployment("web")])
    world.advance(1200)
    assert world.firing() == set()
    assert [s.error for s in world.observer.rules.states if s.error] == []


def test_a_crash_loop_is_told_and_told_to_be_over() -> None:
    world = Watched()
    world.apply([deployment("web", template=pod_template(notes={"fault": "crashloop"}))])
    world.advance(900)  # a mismatch counts when nothing was rolled out for ten minutes
    assert {"KubePodCrashLooping", "KubeDeploymentReplicasMismatch"} <= world.firing()
    group = {"alertname": "KubePodCrashLooping", "namespace": "default"}
    assert (group, "firing") in world.told()
    world.change("Deployment", "web", "spec.template", deployment("web")["spec"]["template"])
    world.advance(900)
    assert world.firing() == set()
    assert (group, "resolved") in world.told()


def test_a_lost_node_is_told_as_lost() -> None:
    world = Watched()
    world.annotate("Node", "node-1", "sandbox/fault", "lost")
    world.advance(400)
    assert {"KubeNodeNotReady", "KubeNodeUnreachable", "TargetDown"} <= world.firing()


def test_a_container_killed_for_its_memory_is_told() -> None:
    world = Watched()
    limited = {"name": "app", "image": "shop/app:1", "resources": {"limits": {"memory": "64Mi"}}}
    template = pod_template(notes={"needs-memory": "100Mi"}, containers=[limited])
    world.apply([deployment("web", template=template)])
    world.advance(400)
    assert {"KubeContainerOOMKilled", "KubePodCrashLooping"} <= world.firing()


def test_a_throttled_container_is_told() -> None:
    world = Watched()
    limited = {"name": "app", "image": "shop/app:1", "resources": {"limits": {"cpu": "100m"}}}
    world.apply([deployment("web", template=pod_template(notes={"needs-cpu": "400m"}, containers=[limited]))])
    world.advance(600)
    assert "CPUThrottlingHigh" in world.firing()
