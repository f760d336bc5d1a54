"""Business actions of the demo shop: look up and cancel orders, open a ticket, book a call-back."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import tempfile
import tomllib
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from agent.tools import Slot, tool

SEED = Path(__file__).parent / "data" / "orders.sql"
REQUESTS = "requests.sqlite"
ORDER_NUMBER = r"(?<!\d)(\d{5})(?!\d)"
"""Five digits; the prefix HP- may stand before them or not."""
ABOUT = (
    r"\bh\s?p[\s-]*\d"
    r"|\b(?:order|parcel|package|delivery|shipment|purchase|number)s?\b"
    r"|订单|包裹|快递|物流|单号|发货"
    # The number alone, as an answer to "what is your order number?", also spelt out.
    r"|^\W*(?:it'?s |it is |that'?s |是)?\d(?:[\s-]?\d){4}\W*$"
    r"|(?:\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b[\s,-]*){5}|[零〇一幺二两三四五六七八九]{5}"
)
ASKS_WHERE = (
    r"(?:where|when|what)(?:'s|’s| is| are| was| will| does)?\b.{0,20}\bmy (?:\w+ )?"
    r"(?:order|parcel|package|delivery)\b"
    r"|\b(?:status of|check(?: on)?|track|look up|find|trace) (?:my|an|the) "
    r"(?:order|parcel|package|delivery)\b"
    r"|\border status\b|(?:^|我的?|[，,。]|一下)(?:那个)?(?:订单|包裹|快递).{0,4}"
    r"(?:在哪|到了?吗|到哪|怎么还|状态|什么时候到)"
    r"|(?:查|看)一?(?:下|查|看).{0,6}(?:订单|包裹|快递|物流)"
)
"""What has the desk ask for an order number: only where the visitor's own order is meant."""
ABOUT_CANCEL = (
    r"\bcancel(?:l?ing)?\b.{0,24}\b(?:orders?|purchase|h\s?p[\s-]*\d|\d{5})\b"
    r"|取消.{0,8}(?:订单|\d{5})|订单.{0,10}取消"
)
ABOUT_TICKET = (
    r"\b(?:open|create|raise|file|make|start|log|write|submit)\b.{0,12}\b(?:ticket|case|support request)\b"
    r"|(?:开|建|提|提交|创建|登记).{0,6}工单"
)
ABOUT_CALL = (
    r"\bcall[- ]?back\b|\b(?:call|ring|phone) me\b|\bgive me a (?:call|ring)\b"
    r"|回电|回拨|回个?电话|给我打|打给我|打个?电话给我"
)
PROBLEM = (
    r"(?:(?:ticket|case|request)\W+(?:about|because(?: of)?|for|that|saying|as)\s*"
    r"|工单[，,：:\s]*(?:内容是|关于|因为|说)\s*)(.{6,300})"
)
WHEN = (
    r"((?:(?:today|tomorrow|this|on|(?:mon|tues|wednes|thurs|fri|satur|sun)day|in the)\s*)+"
    r"(?:,? ?(?:at|around|after|before|in the)? ?"
    r"(?:morning|afternoon|evening|noon|\d{1,2}(?::\d{2})? ?(?:am|pm|o'clock))){1,3}"
    r"|(?:今天|明天|后天|(?:周|星期)[一二三四五六日天])(?:早上|上午|中午|下午|晚上)?"
    r"(?:[一二两三四五六七八九十\d]{1,3}点半?)?)"
)
SATURDAY = 5
"""date.weekday()"""

LINES: dict[str, dict[str, str]] = tomllib.loads(
    (Path(__file__).parent / "data" / "lines.toml").read_text(encoding="utf-8")
)
STORES = {"Dublin": "都柏林", "Cork": "科克", "Galway": "戈尔韦", "Amsterdam": "阿姆斯特丹"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


ORDER = Slot(
    ORDER_NUMBER,
    ask={
        "en": "What is your order number? It is HP and five digits.",
        "zh": "请问您的订单号是多少？是 HP 加五位数字。",
    },
)


@tool(about=ABOUT, asks=ASKS_WHERE, title={"en": "Your order", "zh": "您的订单"})
def look_up_order(
    order_number: Annotated[str, ORDER],
    *,
    language: str,
    state_dir: Path,
) -> str:
    """Look up the status of an order by its number.

    Args:
        order_number: five digits, with or without the prefix HP-.
        language: ISO 639-1 of the line to say; English for any but "zh".
        state_dir: folder in which the order book is made when it is missing.

    Returns:
        One or two sentences to say, without personal data.
    """
    lines = LINES["zh" if language == "zh" else "en"]
    digits = re.fullmatch(r"\s*(?:h\s?p)?[\s-]*([0-9]{5})\s*", order_number, re.IGNORECASE)
    if digits is None:
        return lines["not a number"]
    said = f"HP-{digits.group(1)}"
    with closing(sqlite3.connect(f"{order_book(state_dir).as_uri()}?mode=ro", uri=True)) as book:
        row = book.execute(
            "SELECT status, day, store FROM orders WHERE number = ?", (int(digits.group(1)),)
        ).fetchone()
    if row is None:
        return lines["unknown"].format(number=said)
    chinese = language == "zh"
    if cancelled := _cancelled_on(state_dir, digits.group(1)):
        return lines["cancelled"].format(number=said, day=_say(cancelled, chinese=chinese))
    status, offset, store = row
    if status == "processing" and store:
        status = "processing for store"
    day = _working_day(date.today() + timedelta(days=offset), back=offset < 0)
    place = STORES.get(store, "") if chinese else store
    return lines[status].format(number=said, day=_say(day, chinese=chinese), store=place)


@tool(
    about=ABOUT_CANCEL,
    changes=True,
    title={"en": "Your cancellation", "zh": "取消订单"},
    confirm={
        "en": "Shall I cancel the order HP {order_number}?",
        "zh": "要取消订单 HP {order_number} 吗？",
    },
)
def cancel_order(order_number: Annotated[str, ORDER], *, language: str, state_dir: Path) -> str:
    """Cancel an order that is not on its way yet.

    Args:
        order_number: five digits.
        language: ISO 639-1 of the line to say.
        state_dir: folder of the order book and of what was done.
    """
    lines = LINES["zh" if language == "zh" else "en"]
    said = f"HP-{order_number}"
    with closing(sqlite3.connect(f"{order_book(state_dir).as_uri()}?mode=ro", uri=True)) as book:
        row = book.execute("SELECT status FROM orders WHERE number = ?", (int(order_number),)).fetchone()
    if row is None:
        return lines["unknown"].format(number=said)
    if row[0] == "cancelled" or _cancelled_on(state_dir, order_number):
        return lines["cancelled before"].format(number=said)
    if row[0] not in ("processing", "pre-ordered"):
        return lines["too late"].format(number=said)
    with closing(requests(state_dir)) as book, book:
        book.execute(
            "INSERT OR IGNORE INTO cancellations (number, day) VALUES (?, ?)",
            (int(order_number), date.today().isoformat()),
        )
    return lines["cancelled now"].format(number=said)


@tool(
    about=ABOUT_TICKET,
    changes=True,
    title={"en": "Your ticket", "zh": "您的工单"},
    confirm={
        "en": "Shall I open a ticket that says: {problem}?",
        "zh": "要开一张工单，内容是“{problem}”吗？",
    },
)
def open_ticket(
    problem: Annotated[
        str,
        Slot(
            PROBLEM,
            ask={
                "en": "What is it about? Please tell me in one sentence.",
                "zh": "请用一句话告诉我，是什么问题？",
            },
            answer=r"(.{3,300})",
        ),
    ],
    *,
    language: str,
    state_dir: Path,
) -> str:
    """Open a ticket for the service team.

    Args:
        problem: what it is about, in the visitor's words.
        language: ISO 639-1 of the line to say.
        state_dir: folder of what was done.
    """
    with closing(requests(state_dir)) as book, book:
        number = book.execute(
            "INSERT INTO tickets (problem, day) VALUES (?, ?)", (problem, date.today().isoformat())
        ).lastrowid
    return LINES["zh" if language == "zh" else "en"]["ticket"].format(number=number)


@tool(
    about=ABOUT_CALL,
    changes=True,
    title={"en": "Your call-back", "zh": "回电预约"},
    confirm={
        "en": "Shall a colleague call you on {phone}, {when}?",
        "zh": "请同事打 {phone} 给您，时间是{when}，对吗？",
    },
)
def book_call_back(
    phone: Annotated[
        str,
        Slot(
            r"(?<![\d-])(\+?\d{7,15})(?!\d)",
            ask={"en": "On which phone number may we call you?", "zh": "请问您的电话号码是多少？"},
        ),
    ],
    when: Annotated[
        str,
        Slot(
            WHEN,
            ask={"en": "When does it suit you?", "zh": "您什么时候方便？"},
            answer=r"(.{2,60})",
        ),
    ],
    *,
    language: str,
    state_dir: Path,
) -> str:
    """Book a call by a colleague.

    Args:
        phone: seven to fifteen digits.
        when: the time that suits, in the visitor's words.
        language: ISO 639-1 of the line to say.
        state_dir: folder of what was done.
    """
    when = when.strip(" .,!。，！")
    with closing(requests(state_dir)) as book, book:
        book.execute(
            "INSERT INTO calls (phone, suits, day) VALUES (?, ?, ?)", (phone, when, date.today().isoformat())
        )
    return LINES["zh" if language == "zh" else "en"]["call"].format(when=when)


def requests(state_dir: Path) -> sqlite3.Connection:
    """Open what visitors had done, `requests.sqlite`; made when it is missing."""
    state_dir.mkdir(parents=True, exist_ok=True)
    book = sqlite3.connect(state_dir / REQUESTS, timeout=3.0)
    book.execute("CREATE TABLE IF NOT EXISTS cancellations (number INTEGER PRIMARY KEY, day TEXT NOT NULL)")
    book.execute(
        "CREATE TABLE IF NOT EXISTS calls (phone TEXT NOT NULL, suits TEXT NOT NULL, day TEXT NOT NULL)"
    )
    book.execute(
        "CREATE TABLE IF NOT EXISTS tickets"
        " (id INTEGER PRIMARY KEY AUTOINCREMENT, problem TEXT NOT NULL, day TEXT NOT NULL)"
    )
    return book


def _cancelled_on(state_dir: Path, number: str) -> date | None:
    """Return the day on which an order was cancelled here; None where it was not."""
    if not (state_dir / REQUESTS).is_file():
        return None
    with closing(requests(state_dir)) as book:
        row = book.execute("SELECT day FROM cancellations WHERE number = ?", (int(number),)).fetchone()
    return date.fromisoformat(row[0]) if row else None


def order_book(state_dir: Path) -> Path:
    """Return the order book's SQLite file, made from the seed when it is missing.

    It is named after the seed's content, so that a new seed makes a new book, and moved into place whole,
    so that two visitors at once never see half of it.
    """
    seed = SEED.read_text(encoding="utf-8")
    book = state_dir.resolve() / f"orders-{hashlib.sha256(seed.encode()).hexdigest()[:8]}.sqlite"
    if book.is_file():
        return book
    state_dir.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=".tmp", prefix="orders-", dir=state_dir)
    os.close(handle)
    try:
        with closing(sqlite3.connect(name)) as fresh:
            fresh.executescript(seed)
        os.replace(name, book)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return book


def _working_day(day: date, *, back: bool) -> date:
    """Move a day at the weekend to the Friday before or the Monday after."""
    over = day.weekday() - SATURDAY
    if over < 0:
        return day
    return day - timedelta(days=over + 1) if back else day + timedelta(days=2 - over)


def _say(day: date, *, chinese: bool) -> str:
    if chinese:
        return f"{day.month}月{day.day}日星期{'一二三四五六日'[day.weekday()]}"
    return f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]}"


TOOLS = [look_up_order, cancel_order, open_ticket, book_call_back]
