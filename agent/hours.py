"""The hours at which people are there, as an owner writes them: "mon-fri 09:00-17:30, sat 10:00-14:00"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE = '"mon-fri 09:00-17:30, sat 10:00-14:00"'
DAY_MIN = 24 * 60

_PART = re.compile(
    r"(?:(?P<first>[a-z]{3,9})(?:\s*-\s*(?P<last>[a-z]{3,9}))?\s+)?"
    r"(?P<from>\d{1,2}:\d{2})\s*-\s*(?P<to>\d{1,2}:\d{2})"
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Stretches of the week; none of them: always."""

    spans: tuple[tuple[int, int, int], ...] = ()
    """Weekday (0 is Monday), first minute of the day, minute at which it ends."""
    zone: ZoneInfo | None = None
    """Whose clock; None: this machine's."""

    def open(self, at: datetime | None = None) -> bool:
        """Tell whether somebody is there.

        Args:
            at: with a time zone; None: now.
        """
        if not self.spans:
            return True
        local = (at or datetime.now(UTC)).astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(day == local.weekday() and start <= minute < end for day, start, end in self.spans)


def read_hours(text: str, zone: str = "") -> Hours:
    """Read hours; empty ones mean always.

    Args:
        text: parts with commas between; a part without days holds every day, one that ends before it begins
            goes over midnight.
        zone: name of a time zone such as "Europe/Dublin"; empty: this machine's.

    Raises:
        ValueError: it cannot be read; the message says how to write it.
    """
    clock = _zone(zone)
    spans: list[tuple[int, int, int]] = []
    for part in filter(None, (each.strip() for each in re.split(r"[,;]", text.lower()))):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"{part[:60]!r} are no hours; write for example {EXAMPLE}")
        first, last = (found["first"] or "mon"), (found["last"] or found["first"] or "sun")
        start, end = _minute(found["from"]), _minute(found["to"])
        if start == end:
            raise ValueError(f"{part[:60]!r} ends when it begins; write for example {EXAMPLE}")
        begin, stop = _day(first), _day(last)
        for day in range(begin, stop + 1 if stop >= begin else stop + 8):
            if start < end:
                spans.append((day % 7, start, end))
            else:
                spans += [(day % 7, start, DAY_MIN), ((day + 1) % 7, 0, end)]
    return Hours(tuple(spans), clock)


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f'there is no time zone {name[:60]!r}; write one such as "Europe/Dublin" or "Asia/Shanghai"'
        ) from None


def _day(name: str) -> int:
    if name[:3] not in DAYS:
        raise ValueError(f"{name!r} is no day of the week; write for example {EXAMPLE}")
    return DAYS.index(name[:3])


def _minute(clock: str) -> int:
    hour, minute = map(int, clock.split(":"))
    if hour * 60 + minute > DAY_MIN or minute > 59:
        raise ValueError(f"{clock} is no time of day; write for example {EXAMPLE}")
    return hour * 60 + minute
