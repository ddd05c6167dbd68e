"""Parameters and answers of the Prometheus and Loki APIs: what both write alike.

Parameters come in the URL or in a form's body; times are unix seconds or RFC 3339.
"""

import math
import re
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from multidict import MultiDict

from sandbox.alerting.rule_file import duration_s

Form = MultiDict[str]
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


class CannotAnswer(ValueError):
    """The request cannot be answered; the message is what the API says."""


class BadParameter(CannotAnswer):
    """One parameter cannot be used."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f'invalid parameter "{name}": {why}')


async def form_of(request: web.Request) -> Form:
    """All parameters of a request."""
    form: Form = MultiDict(request.query)
    if request.method == "POST":
        posted = await request.post()
        form.extend([(name, value) for name, value in posted.items() if isinstance(value, str)])
    return form


def moment_s(form: Form, name: str, default: float) -> float:
    """A moment in unix seconds. Raises BadParameter."""
    text = form.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        return _rfc3339(name, text)
    if math.isnan(value) or math.isinf(value):
        raise BadParameter(name, f'cannot parse "{text}" to a valid timestamp')
    return value


def length_s(form: Form, name: str) -> float:
    """A duration such as `15s`, or a number of seconds. Raises BadParameter."""
    text = form.get(name, "")
    try:
        return float(text) if NUMBER.fullmatch(text) else duration_s(text)
    except ValueError as error:
        raise BadParameter(name, f'cannot parse "{text}" to a valid duration') from error


def count(form: Form, name: str, default: int) -> int:
    """A whole number that is not negative. Raises BadParameter."""
    text = form.get(name, "")
    if text and not text.isdigit():
        raise BadParameter(name, f'cannot parse "{text}" to a number')
    return int(text) if text else default


def seconds(at_ms: int) -> float | int:
    """Milliseconds as the JSON number of seconds that Prometheus writes."""
    return at_ms // 1000 if at_ms % 1000 == 0 else at_ms / 1000


def distinct(values: Sequence[str] | set[str]) -> list[str]:
    return sorted(set(values))


def _rfc3339(name: str, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadParameter(name, f'cannot parse "{text}" to a valid timestamp') from error
    if moment.tzinfo is None:
        raise BadParameter(name, f'cannot parse "{text}" to a valid timestamp')
    return moment.timestamp()
