"""LogQL as far as it is spoken here: selectors, filters, json, logfmt, label filters, counts, aggregations.

What is left out (unwrap, joins of metric queries and the like) is refused with BadLogQuery.
"""

import re
from dataclasses import dataclass

from sandbox.alerting.rule_file import duration_s
from sandbox.logql.query import (
    Aggregation,
    BadLogQuery,
    Comparison,
    LabelIs,
    LogQuery,
    MetricQuery,
    Query,
    RangeQuery,
    Stage,
    text_matches,
)
from sandbox.logql.stages import PARSERS, label_filter, line_filter, line_format

RANGE_FUNCTIONS = ("rate", "count_over_time", "bytes_rate", "bytes_over_time")
AGGREGATIONS = ("sum", "avg", "min", "max", "count", "topk", "bottomk")
COMPARISONS = (">=", "<=", "==", "!=", ">", "<")
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)
    |(?P<duration>\d+(?:\.\d+)?(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)
    |(?P<op>\|=|\|~|!=|!~|=~|==|>=|<=|[{}()\[\],|=<>]))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of the text: its sort, its content, and where it begins."""

    sort: str
    text: str
    place: int


def parse(text: str) -> Query:
    """Raises BadLogQuery with the place in the words of Loki."""
    reader = _Reader(_words(text))
    query = reader.query()
    reader.end()
    return query


def _words(text: str) -> list[Word]:
    words, place = [], 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None:
            raise BadLogQuery(f"parse error at line 1, col {place + 1}: syntax error: unexpected character")
        sort = match.lastgroup or ""
        words.append(Word(sort, match[sort], match.start(sort)))
        place = match.end()
    return [*words, Word("end", "", len(text))]


class _Reader:
    """Recursive descent over the words."""

    def __init__(self, words: list[Word]) -> None:
        self._words = words
        self._at = 0

    def query(self) -> Query:
        return self._logs() if self._word.text == "{" else self._metric()

    def end(self) -> None:
        if self._word.sort != "end":
            raise self._unexpected()

    # --- metric queries

    def _metric(self) -> MetricQuery:
        name = self._take("name").text
        if name in RANGE_FUNCTIONS:
            inner: MetricQuery = self._range(name)
        elif name in AGGREGATIONS:
            inner = self._aggregation(name)
        else:
            self._at -= 1
            raise self._unexpected()
        if self._word.text in COMPARISONS:
            op = self._next().text
            return Comparison(inner, op, float(self._take("number").text))
        return inner

    def _range(self, function: str) -> RangeQuery:
        self._expect("(")
        logs = self._logs()
        self._expect("[")
        length = round(duration_s(self._take("duration").text) * 1e9)
        self._expect("]")
        logs = LogQuery(logs.matchers, logs.stages + self._stages())
        self._expect(")")
        return RangeQuery(function, logs, length)

    def _aggregation(self, op: str) -> Aggregation:
        labels, without, given = self._grouping()
        self._expect("(")
        count = 0
        if op in ("topk", "bottomk"):
            count = int(self._take("number").text)
            self._expect(",")
        inner = self._metric()
        self._expect(")")
        if not given:
            labels, without, _ = self._grouping()
        return Aggregation(op, inner, labels, without, count)

    def _grouping(self) -> tuple[frozenset[str], bool, bool]:
        """Labels, whether they are dropped, and whether there was a grouping at all."""
        if self._word.text not in ("by", "without"):
            return frozenset(), False, False
        without = self._next().text == "without"
        self._expect("(")
        names = []
        while self._word.text != ")":
            names.append(self._take("name").text)
            if self._word.text == ",":
                self._next()
        self._expect(")")
        return frozenset(names), without, True

    # --- log queries

    def _logs(self) -> LogQuery:
        self._expect("{")
        matchers = []
        while self._word.text != "}":
            matchers.append(self._matcher())
            if self._word.text != "}":
                self._expect(",")
        self._expect("}")
        if all(matcher.matches("") for matcher in matchers):
            raise BadLogQuery(
                "queries require at least one regexp or equality matcher that does not have "
                "an empty-compatible value"
            )
        return LogQuery(tuple(matchers), self._stages())

    def _matcher(self) -> LabelIs:
        name, op = self._take("name").text, self._next().text
        if op not in ("=", "!=", "=~", "!~"):
            self._at -= 1
            raise self._unexpected()
        wanted = self._string()
        return LabelIs(name, text_matches(op, wanted), wanted if op == "=" else None)

    def _stages(self) -> tuple[Stage, ...]:
        stages = []
        while self._word.text in ("|=", "|~", "!=", "!~", "|"):
            op = self._next().text
            stages.append(self._piped() if op == "|" else line_filter(op, self._string()))
        return tuple(stages)

    def _piped(self) -> Stage:
        name = self._take("name").text
        if name in PARSERS:
            return PARSERS[name]
        if name == "line_format":
            return line_format(self._string())
        op = self._next().text
        if op not in ("=", "!=", "=~", "!~", *COMPARISONS):
            self._at -= 1
            raise self._unexpected()
        return label_filter(name, op, self._string() if self._word.sort == "text" else self._number())

    # --- words

    def _string(self) -> str:
        text = self._take("text").text
        if text[0] == "`":
            return text[1:-1]
        return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text[1:-1])

    def _number(self) -> float:
        """A number, or a duration in seconds."""
        word = self._next()
        if word.sort == "duration":
            return duration_s(word.text)
        if word.sort == "number":
            return float(word.text)
        self._at -= 1
        raise self._unexpected()

    @property
    def _word(self) -> Word:
        return self._words[self._at]

    def _next(self) -> Word:
        word = self._word
        self._at += word.sort != "end"
        return word

    def _take(self, sort: str) -> Word:
        if self._word.sort != sort:
            raise self._unexpected()
        return self._next()

    def _expect(self, text: str) -> None:
        if self._word.text != text:
            raise self._unexpected()
        self._next()

    def _unexpected(self) -> BadLogQuery:
        word = self._word
        shown = "$end" if word.sort == "end" else word.text
        return BadLogQuery(f"parse error at line 1, col {word.place + 1}: syntax error: unexpected {shown}")
