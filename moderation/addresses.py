"""Postal addresses in visitors' words, English and Chinese."""

from __future__ import annotations

import re

_HINT = re.compile(
    r"\d|[路街道巷弄村里][^\d]{0,4}[一二三四五六七八九十百〇零两]|[小区花园公寓大厦苑][一二三四五六七八九十]"
)
"""A number stands in every address."""
_EDGES = " ,，\n\t"
_STREET = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|square|sq|boulevard|blvd|way|close|place|pl"
    r"|terrace|crescent|row|gardens|grove|hill|park|quay|parade|mews|highway|parkway|circle)"
)
_SURE_STREET = r"(?:street|road|avenue|lane|boulevard|blvd|rd|ave|terrace|crescent|mews)"
_NO_STREET = (
    r"(?!(?:in|on|of|at|to|for|from|by|a|an|the|my|your|our|this|that|per|and|or|is|are|was|not"
    r"|days?|weeks?|months?|years?|hours?|minutes?|miles?|metres?|meters?|km|m|am|pm|o'clock|people|times)\b)"
)
_FLAT = r"(?:,?\s+(?:apt|apartment|flat|unit|suite|floor|room|no)\b\.?\s*#?\w{1,6})?"
_TOWN = (
    r"(?-i:(?:,\s*|\s+in\s+)[A-Z][\w'-]+(?:[ -][A-Z][\w'-]+){0,2}(?:,?\s+[A-Z]{2}\b)?(?:,?\s+\d{4,6}\b)?)*"
)
_NUMBER = r"(?<![\w.,/-])\d{1,5}[a-z]?(?:[-/]\d{1,4})?,?\s+"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 12 Elm Street, Springfield; written small, only kinds of streets that mean nothing else
        rf"{_NUMBER}(?-i:(?:[A-Z][\w'.-]*\s+){{1,4}}){_STREET}\b\.?{_FLAT}{_TOWN}",
        rf"{_NUMBER}(?:{_NO_STREET}[^\W\d_][\w'.-]*\s+){{1,3}}{_SURE_STREET}\b{_FLAT}{_TOWN}",
        # 55 W 42nd St
        rf"{_NUMBER}(?:[NSEW]\.?\s+|(?:North|South|East|West)\s+)?\d{{1,3}}(?:st|nd|rd|th)\s+{_STREET}\b\.?{_FLAT}{_TOWN}",
        # Hauptstrasse 12
        r"\b[^\W\d_]\w*(?:straße|strasse|gasse|allee|platz)\s+\d{1,4}[a-z]?\b(?:,?\s+\d{5}\b)?",
        # SW1A 1AA
        r"\b(?-i:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})\b",
        # P.O. box 12
        r"\bp\.?\s?o\.? box \d{1,6}\b",
    )
)
_SAID = re.compile(
    r"\b(?:my|our|the|home|delivery|shipping|billing|postal|new)\s+address(?: is|'s|:)\s*"
    r"([^.!?\n]{0,40}?\d(?:(?!,? and (?:my|the|i|it)\b)[^.!?\n]){0,60})",
    re.IGNORECASE,
)
_COUNT_ZH = r"[\d一二三四五六七八九十百〇零两]{1,6}"
_BUILDING_ZH = r"[\u4e00-\u9fff]{2,10}(?:大厦|中心|广场|公寓|小区|花园|大楼|家园)(?=\s*\d)"
_UNITS_ZH = r"(?:号楼|号院|栋|幢|座|单元|楼|层|室|房|号|户)"
_DETAIL_ZH = rf"(?:[\s，,]*{_COUNT_ZH}[A-Za-z]?\s*{_UNITS_ZH}|{_BUILDING_ZH})*"
_ZH = re.compile(
    rf"[\u4e00-\u9fff]{{2,24}}?(?:路|街|大道|街道|巷|弄|胡同|里|村)(?:[东西南北中]段)?\s*{_COUNT_ZH}\s*(?:号|弄){_DETAIL_ZH}"
    rf"|[\u4e00-\u9fff]{{2,24}}?(?:小区|花园|公寓|大厦|苑|新村|家园|广场)\s*{_COUNT_ZH}\s*(?:号楼|栋|幢|座|单元|楼|层|室|号){_DETAIL_ZH}"
    rf"|[\u4e00-\u9fff]{{2,20}}?[市区县镇][\u4e00-\u9fff]{{1,16}}?\s*{_COUNT_ZH}\s*(?:号楼|栋|幢){_DETAIL_ZH}"
)
_BEFORE_ZH = re.compile(
    r".*(?:住在|家住|住|位于|寄到|寄往|送到|发到|发往|地址|改成|改为|改到|换成|搬到|在|到|是|我家)", re.DOTALL
)


def address_spans(text: str) -> list[tuple[int, int]]:
    """Where addresses stand in a text as it was written, the first first; capitals count."""
    if not _HINT.search(text):
        return []
    found: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        found += [each.span() for each in pattern.finditer(text)]
    found += [each.span(1) for each in _SAID.finditer(text)]
    for each in _ZH.finditer(text):
        before = _BEFORE_ZH.match(each.group())
        cut = before.end() if before is not None else 0
        # "在路88号" names no street: what stands before the word for one is part of the name then
        found.append((each.start() + (cut if each.end() - each.start() - cut > 4 else 0), each.end()))
    kept: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
        else:
            kept[-1] = kept[-1][0], max(end, kept[-1][1])
    return [_stripped(text, start, end) for start, end in kept]


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while start < end and text[end - 1] in _EDGES:
        end -= 1
    return start, end
