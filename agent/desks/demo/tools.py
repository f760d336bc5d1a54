"""Business actions of the demo shop: looking up an order in its order book."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import tempfile
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from agent.tools import Slot, tool

SEED = Path(__file__).parent / "data" / "orders.sql"
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
SATURDAY = 5
"""date.weekday()"""

LINES = {
    "en": {
        "processing": "Your order {number} is being packed and should arrive by {day}. "
        "Our phone team can still change or cancel it.",
        "processing for store": "Your order {number} is being prepared for our {store} store "
        "and should be ready by {day}. Please wait for the e-mail before you come.",
        "pre-ordered": "Your order {number} is a pre-order, and we expect to ship it around {day}. "
        "Your card is charged only when it ships.",
        "shipped": "Your order {number} is on its way and should arrive on {day}. "
        "The tracking link is in your shipping e-mail.",
        "out for delivery": "Good news, your order {number} is out for delivery and should arrive today.",
        "ready to collect": "Your order {number} is ready in our {store} store. "
        "We keep it for you until {day}, so please bring the collection code.",
        "at pick-up point": "Your order {number} is waiting at the pick-up point until {day}. "
        "Please bring a photo ID.",
        "delivered": "Your order {number} was delivered on {day}. "
        "If you cannot find the parcel, please tell me.",
        "delayed": "I am sorry, your order {number} is delayed. The new delivery day is {day}.",
        "returned": "Your return for order {number} reached our warehouse on {day}. "
        "We refund you within 5 working days after that.",
        "refunded": "Your order {number} was refunded on {day}. "
        "The bank can need up to 3 working days to show the money.",
        "cancelled": "Your order {number} was cancelled on {day}. Anything you have paid is sent back.",
        "unknown": "I cannot find the order {number}. "
        "Please check the five digits at the top of your confirmation e-mail.",
        "not a number": "I need the five digits of your order number. "
        "You find them at the top of your confirmation e-mail, after the letters HP.",
    },
    "zh": {
        "processing": "您的订单 {number} 正在打包，预计{day}前送到。现在还可以打电话修改或取消。",
        "processing for store": "您的订单 {number} 正在送往{store}门店，预计{day}前可以取。"
        "请收到邮件以后再来。",
        "pre-ordered": "您的订单 {number} 是预购，预计{day}前后发货。发货时才从您的卡上扣款。",
        "shipped": "您的订单 {number} 已经发货，预计{day}送到。物流链接在发货邮件里。",
        "out for delivery": "好消息，您的订单 {number} 正在派送，今天应该就能到。",
        "ready to collect": "您的订单 {number} 可以在{store}门店取货，我们为您保留到{day}。请带上取货码。",
        "at pick-up point": "您的订单 {number} 在自提点，保留到{day}。取货时请带上带照片的证件。",
        "delivered": "您的订单 {number} 已经在{day}送达。如果没有找到包裹，请告诉我。",
        "delayed": "很抱歉，您的订单 {number} 延误了。新的送达日期是{day}。",
        "returned": "您订单 {number} 的退货在{day}到达了仓库。我们会在 5 个工作日内退款。",
        "refunded": "您的订单 {number} 在{day}已经退款。银行最多还需要 3 个工作日。",
        "cancelled": "您的订单 {number} 在{day}取消了。已经付的钱会退给您。",
        "unknown": "我没有找到订单 {number}。请核对确认邮件最上面的五位数字。",
        "not a number": "我需要订单号的五位数字。它在确认邮件的最上面，HP 的后面。",
    },
}
STORES = {"Dublin": "都柏林", "Cork": "科克", "Galway": "戈尔韦", "Amsterdam": "阿姆斯特丹"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@tool(about=ABOUT)
def look_up_order(
    order_number: Annotated[
        str,
        Slot(
            ORDER_NUMBER,
            ask={
                "en": "What is your order number? It is HP and five digits.",
                "zh": "请问您的订单号是多少？是 HP 加五位数字。",
            },
        ),
    ],
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
    status, offset, store = row
    if status == "processing" and store:
        status = "processing for store"
    chinese = language == "zh"
    day = _working_day(date.today() + timedelta(days=offset), back=offset < 0)
    place = STORES.get(store, "") if chinese else store
    return lines[status].format(number=said, day=_say(day, chinese=chinese), store=place)


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


TOOLS = [look_up_order]
