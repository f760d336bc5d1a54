"""What is better seen than heard: links, addresses and lists, taken out of what is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.sentence import Citation

MOST_ITEMS = 12
LONGEST_ITEM = 200
"""Characters of one line on a card."""

_LINK = re.compile(r"\[([^\]\n]{1,200})\]\((https?://[^\s)]{1,2000})\)")
_URL = re.compile(r"https?://[^\s<>()\"'，。；！？、（）《》]{3,2000}")
_END = ".,;:!?"
_ITEM = re.compile(r"^[ \t]*(?:[-*•·▪]|\d{1,2}[.)、])[ \t]*(\S.*)$", re.MULTILINE)
_LEFT_OVER = re.compile(
    r"\s*(?:\b(?:here|at|see|under|on|visit|open|go to|the link is|link)\b"
    r"|请?(?:见|访问|打开|点击)|链接(?:是|在)?)?"
    r"[\s:：]*(?=[.!?。！？]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Card:
    """Something to be shown beside the face."""

    kind: str
    """"link", "list" or "steps"."""
    title: str
    items: tuple[str, ...] = ()
    url: str = ""
    """http or https; empty where there is none."""


def take_links(text: str, title: str) -> tuple[str, tuple[Card, ...]]:
    """Take links out of a line that is to be said.

    Args:
        text: the line.
        title: of a card whose link has no words of its own.

    Returns:
        The line without addresses, and a card for each of them.
    """
    cards: list[Card] = []

    def named(found: re.Match[str]) -> str:
        cards.append(Card("link", found.group(1).strip(), url=found.group(2)))
        return found.group(1)

    def bare(found: re.Match[str]) -> str:
        url = found.group().rstrip(_END)
        cards.append(Card("link", title, url=url))
        return found.group()[len(url) :]

    said = _LINK.sub(named, text)
    shorter = _URL.sub(bare, said)
    if shorter != said:
        shorter = _LEFT_OVER.sub("", shorter, count=1) if not shorter.strip(_END + " ") else shorter
        shorter = re.sub(r"\s+([.,;!?，。；！？])", r"\1", re.sub(r"[ \t]{2,}", " ", shorter))
        shorter = re.sub(r"\s*[:：(（]\s*([.。)）])", r"\1", shorter).strip()
    return shorter, tuple(dict.fromkeys(cards))


def listed(text: str, title: str) -> Card | None:
    """Return a card of the list that stands in a text; None where there is none of two items at least."""
    found = list(_ITEM.finditer(text))
    items = tuple(one.group(1).strip()[:LONGEST_ITEM] for one in found)[:MOST_ITEMS]
    if len(items) < 2:
        return None
    steps = all(re.match(r"\s*\d", one.group()) for one in found)
    return Card("steps" if steps else "list", title, items)


def source_card(citation: Citation) -> Card | None:
    """Return a card that leads to where a passage stands; None where it has no address."""
    url = web_address(citation)
    return Card("link", citation.title, url=url) if url else None


def web_address(citation: Citation) -> str:
    """Return the address that may be opened for a citation; empty where it has none of http or https."""
    return next((one for one in (citation.url, citation.source) if re.match(r"https?://\S+$", one)), "")


def distinct(cards: Sequence[Card], shown: set[Card]) -> tuple[Card, ...]:
    """Return the cards that were not shown yet, and remember them."""
    fresh = tuple(card for card in dict.fromkeys(cards) if card not in shown)
    shown.update(fresh)
    return fresh
