"""Cron schedules: five fields with `*`, lists, ranges, steps names, or `@hourly` and such. UTC only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
SEARCHED_DAYS = 366 * 5  # a schedule that does not occur in so long never does


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments a cron expression stands for, to the minute."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool  # both day fields must hold when one of them is a star; otherwise either does

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Raises ValueError with the part that is wrong."""
        fields = MACROS.get(text.strip(), text).split()
        if len(fields) != len(BOUNDS):
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
        names = ((), (), (), MONTHS, DAYS)
        sets = [_field(f, bounds, words) for f, bounds, words in zip(fields, BOUNDS, names, strict=True)]
        weekdays = frozenset(day % 7 for day in sets[4])
        any_day = fields[2].startswith("*") or fields[4].startswith("*")
        return cls(sets[0], sets[1], sets[2], sets[3], weekdays, any_day)

    def after(self, moment: datetime) -> datetime | None:
        """The first moment later than `moment`; None when there is none."""
        start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for offset in range(SEARCHED_DAYS):
            day = (start + timedelta(days=offset)).replace(hour=0, minute=0)
            if self._is_day(day) and (found := self._in_day(day, max(start, day))) is not None:
                return found
        return None

    def _in_day(self, day: datetime, earliest: datetime) -> datetime | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                moment = day.replace(hour=hour, minute=minute)
                if moment >= earliest:
                    return moment
        return None

    def _is_day(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_date and by_weekday) if self.any_day else (by_date or by_weekday)


def _field(text: str, bounds: tuple[int, int], names: tuple[str, ...]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        values |= set(_part(part, bounds, names))
    return frozenset(values)


def _part(text: str, bounds: tuple[int, int], names: tuple[str, ...]) -> range:
    span, slash, step = text.partition("/")
    if span in ("*", "?"):
        low, high = bounds
    else:
        first, dash, last = span.partition("-")
        low = _number(first, names)
        high = _number(last, names) if dash else (bounds[1] if slash else low)
    width = int(step) if slash and step.isdigit() else 1
    if not bounds[0] <= low <= high <= bounds[1] or width < 1 or (slash and not step.isdigit()):
        raise ValueError(f"{text!r} is not within {bounds[0]}-{bounds[1]}")
    return range(low, high + 1, width)


def _number(text: str, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + (1 if names is MONTHS else 0)
    if not text.isdigit():
        raise ValueError(f"failed to parse int from {text!r}")
    return int(text)
