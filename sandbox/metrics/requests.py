"""HTTP instrumentation of the Services that requests are simulated for: counts by code, and latencies."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from sandbox.metrics.family import Family, Group, Reading, counter, taken
from sandbox.network.traffic import Totals, Traffic
from sandbox.promql.values import number_text
from sandbox.state import Key

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
SPREAD = 4.0  # how narrow latencies lie around their mean: the order of an Erlang distribution


@dataclass(slots=True)
class Requests:
    """A Service's requests so far, with their latencies sorted into buckets."""

    labels: dict[str, str]
    good: float = 0.0
    bad: float = 0.0
    latency_s: float = 0.0
    buckets: list[float] = field(default_factory=lambda: [0.0] * len(BOUNDS_S))

    def advance(self, totals: Totals) -> None:
        """Takes over new totals; latencies since the last ones are spread around their mean."""
        good, bad = totals.requests - totals.errors, totals.errors
        new, took_s = good + bad - self.good - self.bad, totals.latency_s - self.latency_s
        if new > 0:
            mean_s = took_s / new
            self.buckets = [
                old + new * _share_below(bound, mean_s)
                for bound, old in zip(BOUNDS_S, self.buckets, strict=True)
            ]
        self.good, self.bad, self.latency_s = good, bad, totals.latency_s


class RequestSource:
    """Reads the counters of the traffic between Services."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._known: dict[Key, Requests] = {}

    def groups(self) -> Iterator[Group]:
        for key, totals in self._traffic.totals.items():
            known = self._known.setdefault(key, Requests({"namespace": key[0], "service": key[1]}))
            known.advance(totals)
            yield Group(key, (totals.requests, totals.errors), partial(taken, REQUEST_FAMILIES, known))


def _share_below(bound_s: float, mean_s: float) -> float:
    """The share of an Erlang distribution of order four that lies below the bound."""
    if mean_s <= 0 or math.isinf(bound_s):
        return 1.0
    scaled = SPREAD * bound_s / mean_s
    terms = math.fsum(scaled**k / math.factorial(k) for k in range(int(SPREAD)))
    return 1.0 - math.exp(-scaled) * terms if scaled < 700 else 1.0  # beyond, exp underflows


def _counts(requests: Requests) -> Iterator[Reading]:
    for code, count in (("200", requests.good), ("500", requests.bad)):
        yield Reading({**requests.labels, "method": "GET", "code": code}, count)


def _durations(requests: Requests) -> Iterator[Reading]:
    for bound, count in zip(BOUNDS_S, requests.buckets, strict=True):
        yield Reading({**requests.labels, "le": number_text(bound)}, count, "_bucket")
    yield Reading(requests.labels, requests.latency_s, "_sum")
    yield Reading(requests.labels, requests.good + requests.bad, "_count")


REQUEST_FAMILIES: tuple[Family[Requests], ...] = (
    counter("http_requests_total", "Total number of HTTP requests.", _counts),
    Family("http_request_duration_seconds", "histogram", "Duration of HTTP requests in seconds.", _durations),
)
