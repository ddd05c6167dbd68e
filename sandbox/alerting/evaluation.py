"""Evaluates rules on cluster time and keeps the state of each alert: pending, firing, then resolved.

As Prometheus does, it writes the series ALERTS and ALERTS_FOR_STATE and repeats every alert that is firing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote_plus

from sandbox.alerting.alert import Alert
from sandbox.alerting.rule_file import Rule
from sandbox.alerting.templates import BadTemplate, expand
from sandbox.clock import SimClock, Timer
from sandbox.metrics.series import SeriesStore, StoredSeries, Track
from sandbox.promql.engine import vector_query
from sandbox.promql.errors import BadQuery, CannotEvaluate
from sandbox.promql.moment import Moment
from sandbox.promql.values import NAME, Labels, Sample, Vector, labels_from, nameless

EVALUATION_S = 30.0
RESOLVED_KEPT_S = 900.0  # so long a resolved alert is told again, in case nobody heard it
KEPT_COUNT = 720  # evaluations in the series ALERTS: six hours

Take = Callable[[Sequence[Alert]], None]


@dataclass(slots=True)
class Active:
    """One alert of a rule; times in unix seconds."""

    labels: dict[str, str]
    annotations: dict[str, str]
    value: float
    active_at: float
    fired_at: float | None = None
    resolved_at: float | None = None

    @property
    def state(self) -> str:
        if self.resolved_at is not None:
            return "inactive"
        return "pending" if self.fired_at is None else "firing"


@dataclass(slots=True)
class RuleState:
    """A rule with its alerts and how its last evaluation went."""

    rule: Rule
    alerts: dict[Labels, Active] = field(default_factory=dict)
    evaluated_at: float = 0.0
    error: str = ""

    @property
    def state(self) -> str:
        """The furthest state of its alerts."""
        states = {active.state for active in self.alerts.values()}
        return next((state for state in ("firing", "pending") if state in states), "inactive")

    def shown(self) -> list[Active]:
        """Pending and firing alerts."""
        return [active for active in self.alerts.values() if active.resolved_at is None]


@dataclass(slots=True)
class Turn:
    """One evaluation of all rules; `before` are the series that the last one wrote."""

    at_s: float
    scrape: int = 0
    before: dict[Labels, StoredSeries] = field(default_factory=dict)

    @property
    def at_ms(self) -> int:
        return round(self.at_s * 1000)


class RuleEvaluator:
    """All rules over one store of series."""

    def __init__(
        self,
        rules: Sequence[Rule],
        series: SeriesStore,
        clock: SimClock,
        *,
        interval_s: float = EVALUATION_S,
        external_url: str = "",
    ) -> None:
        self.states = [RuleState(rule) for rule in rules]
        self.interval_s = interval_s
        self.stretch = 1.0  # evaluations are so many times rarer
        self.external_url = external_url
        self._series = series
        self._clock = clock
        self._track = Track(KEPT_COUNT)
        self._written: dict[Labels, StoredSeries] = {}
        self._takers: list[Take] = []
        self._timer: Timer | None = None

    def listen(self, take: Take) -> None:
        """Hands over all firing and lately resolved alerts after every evaluation."""
        self._takers.append(take)

    def start(self) -> None:
        """Evaluates one interval from now, and so on."""
        self._timer = self._clock.call_after(self.interval_s * self.stretch, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def evaluate(self) -> None:
        """Evaluates every rule at the present moment."""
        for step in self._steps():
            step()

    def _tick(self) -> None:
        """As `evaluate`, but one rule after the other, so that nobody waits long meanwhile."""
        for step in self._steps():
            self._clock.soon(step)
        self.start()

    def _steps(self) -> Iterator[Callable[[], None]]:
        """What an evaluation consists of."""
        turn = Turn(self._clock.time())
        yield partial(self._begin, turn)
        for state in self.states:
            yield partial(self._evaluate_one, state, turn)
        yield partial(self._end, turn)

    def _begin(self, turn: Turn) -> None:
        turn.scrape = self._track.scraped(turn.at_ms)
        turn.before, self._written = self._written, {}

    def _end(self, turn: Turn) -> None:
        for labels in turn.before.keys() - self._written.keys():
            turn.before[labels].write(turn.scrape, None)
        if self._track.trim():
            self._series.forget()
        alerts = [self._told(state.rule, active) for state in self.states for active in _to_tell(state)]
        for take in self._takers:
            take(alerts)

    # --- one rule

    def _evaluate_one(self, state: RuleState, turn: Turn) -> None:
        state.evaluated_at, at_ms = turn.at_s, turn.at_ms
        try:
            vector = vector_query(state.rule.expr)(Moment(self._series, at_ms, at_ms, at_ms))
            state.error = ""
        except (BadQuery, CannotEvaluate) as error:
            state.error, vector = str(error), []
        if state.rule.record:
            self._record(state.rule, vector, turn.scrape)
        else:
            self._judge(state, vector, turn.at_s)
            self._write_alerts(state, turn.scrape)

    def _record(self, rule: Rule, vector: Vector, scrape: int) -> None:
        for labels, value in vector:
            self._write({**dict(labels), **rule.labels, NAME: rule.name}, value, scrape)

    def _judge(self, state: RuleState, vector: Vector, now: float) -> None:
        """Moves every alert of the rule to its next state."""
        seen = {}
        for sample in vector:
            new = _active(state.rule, sample, now)
            seen[labels_from(new.labels)] = new
        for key, new in seen.items():
            known = state.alerts.get(key)
            if known is None or known.resolved_at is not None:
                state.alerts[key] = new
            else:
                known.value, known.annotations = new.value, new.annotations
        for key, active in list(state.alerts.items()):
            _age(state, key, active, now, present=key in seen)

    def _write_alerts(self, state: RuleState, scrape: int) -> None:
        for active in state.shown():
            self._write({**active.labels, "alertstate": active.state, NAME: "ALERTS"}, 1.0, scrape)
            self._write({**active.labels, NAME: "ALERTS_FOR_STATE"}, active.active_at, scrape)

    def _write(self, labels: Mapping[str, str], value: float, scrape: int) -> None:
        key = labels_from(labels)
        series = self._written[key] = self._series.series(key, self._track)
        series.write(scrape, value)

    # --- what is told

    def _told(self, rule: Rule, active: Active) -> Alert:
        return Alert(
            labels=active.labels,
            annotations=active.annotations,
            started_at=_utc(active.fired_at or active.active_at),
            ended_at=None if active.resolved_at is None else _utc(active.resolved_at),
            generator_url=f"{self.external_url}/graph?g0.expr={quote_plus(rule.expr)}&g0.tab=1",
        )


def _active(rule: Rule, sample: Sample, now: float) -> Active:
    own = dict(sample.labels)

    def filled(text: str) -> str:
        try:
            return expand(text, own, sample.value)
        except BadTemplate as error:
            return f"<error expanding template: {error}>"

    added = {name: filled(text) for name, text in rule.labels.items()}
    labels = {**dict(nameless(sample.labels)), **added, "alertname": rule.name}
    annotations = {name: filled(text) for name, text in rule.annotations.items()}
    return Active(labels, annotations, sample.value, now)


def _age(state: RuleState, key: Labels, active: Active, now: float, *, present: bool) -> None:
    if present:
        if active.fired_at is None and now - active.active_at >= state.rule.hold_s:
            active.fired_at = now
    elif active.fired_at is None or (active.resolved_at or now) < now - RESOLVED_KEPT_S:
        del state.alerts[key]
    elif active.resolved_at is None:
        active.resolved_at = now


def _to_tell(state: RuleState) -> Iterator[Active]:
    return (active for active in state.alerts.values() if active.fired_at is not None)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
