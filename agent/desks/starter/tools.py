"""Business actions of this desk: functions that look something up or do something for a visitor.

Each is a typed function declared with `@tool` and listed in `TOOLS`. The desk calls it when the visitor's
words match `about` and hold every `Slot`; what it returns is said aloud, so return one or two short
sentences and no personal data. Replace the example by a call to your own shop system, or empty the list.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated

from agent.tools import Slot, tool

WARRANTY_YEARS = 2
ISO_DATE = r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)"


@tool(about=r"\b(?:warranty|guarantee)\b", title={"en": "Your warranty"})
def check_warranty(
    bought: Annotated[
        str, Slot(ISO_DATE, ask={"en": "When did you buy it? Please say year, month and day."})
    ],
    *,
    language: str,
    state_dir: Path,
) -> str:
    """Tell whether something bought on a day is still under warranty.

    Args:
        bought: the day as YEAR-MONTH-DAY, for example "2026-03-14".
        language: ISO 639-1 of the line to say; this example speaks English only.
        state_dir: folder that the action may write to; this example writes nothing.
    """
    try:
        day = date.fromisoformat(re.sub(r"\s", "", bought))
    except ValueError:
        return "I did not understand that date. Please give it as year, month and day."
    if day > date.today():
        return "That day lies in the future. Please check the date on your receipt."
    end = _years_later(day, WARRANTY_YEARS)
    if date.today() <= end:
        return f"Yes, the warranty runs until {end.day} {end:%B} {end.year}."
    return f"I am sorry, the warranty ended on {end.day} {end:%B} {end.year}."


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


TOOLS = [check_warranty]
