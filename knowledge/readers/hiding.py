"""What a web page hides from people's eyes, and should not be able to tell a machine."""

from __future__ import annotations

import re
from typing import Any

_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,5000})\}")
_READER_ONLY = re.compile(r"sr-?only|visually-?hidden|screen-?reader|a11y|skip-|icon", re.IGNORECASE)
"""Classes of texts that are written for screen readers: not read here, and no reason for suspicion."""
_TAG = re.compile(r"<([A-Za-z]{1,12})((?:\s[^<>]{1,1000})?)>")
_STYLE = re.compile(r"\bstyle\s*=\s*([\"'])(.*?)\1", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"\shidden(?=[\s=/]|$)", re.IGNORECASE)
MOST_RULES = 2000
LEAST_LETTERS = 12
"""A hidden text with fewer is a label or a counter."""
_WHITE = re.compile(
    r"^(?:white|snow|ivory|#f[c-f]{2}|#(?:f[a-f0-9]){3}|rgba?\(25[0-5],25[0-5],25[0-5](?:,1(?:\.0+)?)?\))$"
)
_CLEAR = re.compile(r"^(?:transparent|rgba\([^)]*,0?(?:\.0+)?\))$")
_TINY = re.compile(r"^(?:0|0?\.\d+|[12](?:\.\d+)?)(?:px|pt|em|rem|%)?$")


def cut_hidden(soup: Any) -> list[str]:
    """Cut what is hidden by attributes, inline styles or the page's own style sheet.

    Returns:
        What was hidden, a phrase each; empty for what screen readers need.
    """
    found: list[str] = []
    for element in _by_rules(soup):
        _cut(element, "text hidden by the style sheet", found)
    for element in soup.find_all(True):
        if element.decomposed or element.name in ("html", "body", "head"):
            continue
        if element.has_attr("hidden") or str(element.get("aria-hidden", "")).lower() == "true":
            _cut(element, "hidden text" if element.has_attr("hidden") else "", found)
        elif element.has_attr("style"):
            reason = _hides(str(element["style"]), element)
            if reason:
                _cut(element, reason, found)
        elif element.name == "font" and _WHITE.match(str(element.get("color", "")).lower()):
            _cut(element, "white text on white", found)
    return found


def cut_hidden_markup(text: str) -> tuple[str, list[str]]:
    """Cut what inline HTML hides in a text that is not parsed as HTML, in time linear in its length.

    Returns:
        The text without it, and what was hidden, a phrase each.
    """
    kept: list[str] = []
    found: list[str] = []
    low = text.lower()
    at = 0
    for tag in _TAG.finditer(text):
        if tag.start() < at:
            continue
        style = _STYLE.search(tag.group(2))
        reason = _hides(style.group(2), None) if style else ""
        if not reason and _HIDDEN.search(tag.group(2)):
            reason = "hidden text"
        if reason:
            end = low.find(f"</{tag.group(1).lower()}", tag.end())
            kept.append(text[at : tag.start()])
            at = end if end >= 0 else len(text)
            found.append(reason)
    return "".join(kept) + text[at:], found


def _cut(element: Any, reason: str, found: list[str]) -> None:
    if element.decomposed:
        return
    letters = len(element.get_text(strip=True))
    names = " ".join([*element.get("class", []), str(element.get("id", ""))])
    spoken = element.name not in ("script", "style", "template", "noscript", "svg", "input", "nav")
    if reason and spoken and letters >= LEAST_LETTERS and not _READER_ONLY.search(names):
        found.append(reason)
    element.decompose()


def _by_rules(soup: Any) -> list[Any]:
    """Return the elements that a style sheet in the page hides, whatever its media."""
    hidden: list[Any] = []
    for sheet in soup.find_all("style"):
        text = re.sub(r"/\*.*?\*/", "", str(sheet.string or "")[:500_000], flags=re.DOTALL)
        for at, (selector, body) in enumerate(_RULE.findall(text)):
            selector = selector.strip()
            if at >= MOST_RULES or not selector or selector.startswith("@") or ":" in selector:
                continue
            if selector in ("*", "html", "body", "a") or not _hides(body, None):
                continue
            try:
                hidden += soup.select(selector, limit=1000)
            except Exception:  # noqa: S112 - soupsieve knows not every selector; another rule may hide as well
                continue
    return [element for element in hidden if element.name not in ("html", "body")]


def _hides(style: str, element: Any) -> str:
    """Return how a style hides a text; empty where it does not."""
    rules = {
        name.strip().lower(): value.lower().replace("!important", "").strip()
        for name, _, value in (rule.partition(":") for rule in style.split(";")[:100])
        if value
    }
    packed = {name: value.replace(" ", "") for name, value in rules.items()}
    if packed.get("display") == "none" or packed.get("visibility") in ("hidden", "collapse"):
        return "hidden text"
    if packed.get("opacity", "1") in ("0", "0.0", "0%", ".0", "0.01", ".01"):
        return "transparent text"
    if _TINY.match(packed.get("font-size", "")) and not re.search(
        r"[12].*(?:em|%)$|\.\d+r?em", packed["font-size"]
    ):
        return "text too small to read"
    background = packed.get("background-color") or packed.get("background", "")
    color = packed.get("color", "")
    if _CLEAR.match(color):
        return "transparent text"
    if color and (color == background or _WHITE.match(color) and _on_white(background, element)):
        return "white text on white" if _WHITE.match(color) else "text in the colour of its background"
    if _away(packed):
        return "text outside of the page"
    return ""


def _on_white(background: str, element: Any) -> bool:
    if background:
        return bool(_WHITE.match(background) or _CLEAR.match(background) or background == "none")
    if element is None:
        return False  # a style sheet's other rules may well paint the background
    for above in element.parents:
        style = str(above.get("style", "") or "").lower().replace(" ", "")
        if "background" in style or above.has_attr("bgcolor"):
            return bool(re.search(r"background(?:-color)?:(?:white|#fff\b|#ffffff)", style))
        if above.get("class"):
            return not re.search("dark|hero|banner|header|btn|button|primary|bg-", " ".join(above["class"]))
    return True


def _away(packed: dict[str, str]) -> bool:
    placed = packed.get("position") in ("absolute", "fixed")
    far = any(re.match(r"-\d{3,}", packed.get(side, "")) for side in ("left", "top", "right", "bottom"))
    flat = packed.get("overflow") == "hidden" and (
        _nothing(packed.get("height", ""))
        or _nothing(packed.get("width", ""))
        or _nothing(packed.get("max-height", ""))
    )
    indented = re.match(r"-\d{3,}", packed.get("text-indent", "")) is not None
    clipped = placed and packed.get("clip", "").startswith(("rect(0", "rect(1px"))
    return placed and far or flat or indented or clipped


def _nothing(length: str) -> bool:
    return bool(re.match(r"^[01](?:px)?$", length))
