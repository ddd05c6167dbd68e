"""The part of Go's templates that alerting rules use: labels, the value, `with`, `printf` and `humanize…`."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.promql.values import number_text

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\||[^\s|"]+')
PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
SMALL_PREFIXES = ("", "m", "u", "n", "p", "f", "a", "z", "y")

Value = str | float


class BadTemplate(ValueError):
    """The text uses what is not known here."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a template may speak of; `dot` is what `with` has chosen."""

    labels: Mapping[str, str]
    value: float
    dot: Value = ""


def expand(text: str, labels: Mapping[str, str], value: float) -> str:
    """The text with its actions carried out. Raises BadTemplate."""
    pieces = _pieces(text)
    expanded, rest = _render(pieces, Scope(labels, value))
    if rest:
        raise BadTemplate(f"unexpected {{{{end}}}} in {text!r}")
    return expanded


def _pieces(text: str) -> list[tuple[str, bool]]:
    """Plain texts and actions in turn, with the white space gone that `{{-` and `-}}` ask to trim."""
    pieces: list[tuple[str, bool]] = []
    place = 0
    trim = False
    for match in re.finditer(r"\{\{(-\s)?(.*?)(\s-)?\}\}", text, re.DOTALL):
        plain = text[place : match.start()]
        plain = plain.lstrip() if trim else plain
        pieces.append((plain.rstrip() if match[1] else plain, False))
        pieces.append((match[2].strip(), True))
        place, trim = match.end(), bool(match[3])
    last = text[place:]
    return [*pieces, (last.lstrip() if trim else last, False)]


def _render(pieces: list[tuple[str, bool]], scope: Scope) -> tuple[str, list[tuple[str, bool]]]:
    """Text up to the end of the block, and the pieces behind it."""
    done: list[str] = []
    while pieces:
        (text, is_action), pieces = pieces[0], pieces[1:]
        if not is_action:
            done.append(text)
        elif text == "end":
            return "".join(done), [("end", True), *pieces]
        elif text.startswith("with "):
            chosen = _evaluate(text.removeprefix("with "), scope)
            inner, pieces = _render(pieces, Scope(scope.labels, scope.value, chosen))
            done.append(inner if chosen else "")
            pieces = pieces[1:]
        else:
            done.append(_text(_evaluate(text, scope)))
    return "".join(done), []


def _evaluate(text: str, scope: Scope) -> Value:
    """A pipeline: an operand or a call, whose result goes through further functions."""
    stages: list[list[str]] = [[]]
    for word in TOKEN.findall(text):
        if word == "|":
            stages.append([])
        else:
            stages[-1].append(word)
    value = _stage(stages[0], scope, None)
    for stage in stages[1:]:
        value = _stage(stage, scope, value)
    return value


def _stage(tokens: list[str], scope: Scope, piped: Value | None) -> Value:
    if not tokens:
        raise BadTemplate("an action without content")
    head, arguments = tokens[0], [_operand(token, scope) for token in tokens[1:]]
    arguments += [] if piped is None else [piped]
    if head == "printf" and len(arguments) == 2:
        return _printf(_text(arguments[0]), arguments[1])
    function = FUNCTIONS.get(head)
    if function is not None and len(arguments) == 1:
        return function(float(arguments[0]))
    if arguments:
        raise BadTemplate(f"the function {head!r} is not known here")
    return _operand(head, scope)


def _operand(word: str, scope: Scope) -> Value:
    if word == "$value":
        return scope.value
    if word == ".":
        return scope.dot
    if word.startswith("$labels."):
        return scope.labels.get(word.removeprefix("$labels."), "")
    if word.startswith('"'):
        return word[1:-1].replace('\\"', '"')
    raise BadTemplate(f"{word!r} is not known here")


def _printf(template: str, value: Value) -> str:
    try:
        return template % value
    except (TypeError, ValueError) as error:
        raise BadTemplate(f"cannot print {value!r} as {template!r}") from error


def _text(value: Value) -> str:
    """A value as Go prints it: numbers shortest, with an exponent when they are very large or small."""
    if isinstance(value, str):
        return value
    if value == 0 or not math.isfinite(value) or 1e-4 <= abs(value) < 1e21:
        return number_text(value)
    mantissa, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        mantissa, _, exponent = f"{value:e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0').zfill(2)}"


def _shortest(value: float, unit: str) -> str:
    return f"{value:.4g}{unit}"


def humanize(value: float) -> str:
    """With a metric prefix: 1234 is 1.234k."""
    if value == 0 or not math.isfinite(value):
        return _shortest(value, "")
    large, step = abs(value) >= 1, 0
    while step < len(PREFIXES) - 1 and (abs(value) >= 1000 if large else abs(value) < 1):
        value, step = (value / 1000 if large else value * 1000), step + 1
    return _shortest(value, (PREFIXES if large else SMALL_PREFIXES)[step])


def humanize_percentage(value: float) -> str:
    return _shortest(value * 100, "%")


def humanize_duration(value: float) -> str:
    """`12h 0m 0s`; below a second with a metric prefix."""
    if not math.isfinite(value) or abs(value) < 1:
        return "0s" if value == 0 else humanize(value) + "s"
    sign, seconds = ("-" if value < 0 else ""), int(abs(value))
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds % 60}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds % 60}s"
    if minutes:
        return f"{sign}{minutes}m {seconds % 60}s"
    return f"{sign}{_shortest(abs(value), 's')}"


FUNCTIONS: dict[str, Callable[[float], str]] = {
    "humanize": humanize,
    "humanizePercentage": humanize_percentage,
    "humanizeDuration": humanize_duration,
}
