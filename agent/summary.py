"""A long conversation in a few words: what it was about, which numbers were given, what is still open."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.followup import standalone
from agent.history import Exchange
from agent.sentence import Outcome
from agent.smalltalk import small_talk

BUDGET = 400
"""Words of what was said that are kept as they are; Chinese characters count half a word."""
MOST = 6
"""Topics, values and open matters that are kept of each; the latest count."""
LONGEST = 90
"""Characters of a topic."""

_VALUE = re.compile(r"\b[A-Z]{1,4}-?\d{2,12}\b|(?<![\d.])\d{4,12}(?!\d)|\b\d{4}-\d{2}-\d{2}\b")
_LABELS = {
    "en": ("Talked of before: ", "Numbers that were given: ", "Still open: ", "; ", "."),
    "zh": ("之前谈到：", "提到的号码：", "还没有解决：", "；", "。"),
}


def remembered(
    exchanges: Sequence[Exchange], *, language: str, budget: int = BUDGET
) -> tuple[str, tuple[Exchange, ...]]:
    """Return what is remembered of a conversation within a budget.

    Args:
        exchanges: the oldest first.
        language: ISO 639-1 of the summary.
        budget: words that may stay as they are.

    Returns:
        A summary of what is older, empty where nothing is; and the latest exchanges, word for word.
    """
    kept, left = len(exchanges), float(budget)
    while kept and (left := left - _words(exchanges[kept - 1])) >= 0:
        kept -= 1
    kept = min(kept, max(len(exchanges) - 1, 0))  # the last one always
    return summary(exchanges[:kept], language=language), tuple(exchanges[kept:])


def summary(exchanges: Sequence[Exchange], *, language: str) -> str:
    """Return topics, values and open matters of exchanges; empty where there are none."""
    topics: dict[str, None] = {}
    values: dict[str, None] = {}
    open_matters: dict[str, None] = {}
    for at, one in enumerate(exchanges):
        values |= dict.fromkeys(_VALUE.findall(one.question))
        if one.outcome is Outcome.REFUSED or not one.question or small_talk(one.question) is not None:
            continue
        about = standalone(one.question, exchanges[:at]).strip(" ?？.。!！")[:LONGEST]
        if not re.search(r"[^\W\d_]{2,}", about):
            continue
        topics.pop(about, None)
        topics[about] = None
        if one.outcome in (Outcome.ABSTAINED, Outcome.HANDOFF):
            open_matters[about] = None
    labels = _LABELS.get(language, _LABELS["en"])
    closed = [topic for topic in topics if topic not in open_matters]
    parts = (closed, list(values), list(open_matters))
    lines = [
        label + labels[3].join(part[-MOST:]) + labels[4]
        for label, part in zip(labels, parts, strict=False)
        if part
    ]
    return (" " if language != "zh" else "").join(lines)


def _words(exchange: Exchange) -> float:
    text = f"{exchange.question} {exchange.reply}"
    han = len(re.findall(r"[\u3400-\u9fff]", text))
    return len(re.findall(r"[A-Za-z0-9']+", text)) + han / 2
