from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agent.hours import read_hours
from agent.settings import Handoff

DUBLIN = ZoneInfo("Europe/Dublin")


@pytest.mark.parametrize(
    ("hours", "day", "clock", "there"),
    [
        ("mon-fri 09:00-17:30, sat 10:00-14:00", 16, "09:00", True),
        ("mon-fri 09:00-17:30, sat 10:00-14:00", 16, "17:30", False),
        ("mon-fri 09:00-17:30, sat 10:00-14:00", 21, "13:59", True),
        ("mon-fri 09:00-17:30, sat 10:00-14:00", 22, "13:00", False),
        ("Monday - Friday 9:00-17:00", 18, "12:00", True),
        ("08:00-20:00", 22, "19:00", True),
        ("fri-mon 22:00-06:00", 17, "05:00", True),
        ("fri-mon 22:00-06:00", 17, "22:30", False),
        ("fri-mon 22:00-06:00", 22, "23:30", True),
        ("sun 00:00-24:00", 22, "23:59", True),
        ("", 22, "03:00", True),
    ],
)
def test_people_are_there_at_the_hours_that_are_written(
    hours: str, day: int, clock: str, *, there: bool
) -> None:
    hour, minute = map(int, clock.split(":"))
    at = datetime(2026, 11, day, hour, minute, tzinfo=DUBLIN)  # the 16th is a Monday
    assert read_hours(hours, "Europe/Dublin").open(at.astimezone(ZoneInfo("Asia/Shanghai"))) is there


@pytest.mark.parametrize(
    "settings",
    [
        {"hours": "weekdays 9-5"},
        {"hours": "mon-fri 09:00-25:00"},
        {"hours": "mon 09:00-09:00"},
        {"hours": "xyz 09:00-10:00"},
        {"hours": "mon 09:00-10:00", "timezone": "Europe/Nowhere"},
        {"timezone": "../etc/passwd"},
        {"words": [""]},
    ],
)
def test_what_cannot_be_read_is_told_with_an_example(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="write"):
        Handoff.model_validate(settings)
