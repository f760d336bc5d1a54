"""Links: forms that hide where they lead, and on the desk's own lips every domain that is not its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

from moderation.screener import Finding, Subject

if TYPE_CHECKING:
    from moderation.policy import Contacts

_LINK = re.compile(
    r"(?<![\w@.])(?:(?:https?|hxxps?|ftp)://[^\s<>\"'，。）)\]]{1,2000}"
    r"|(?:javascript:|vbscript:|data:(?:text|image|application)/|file:///)[^\s<>\"']{0,2000}"
    r"|(?:www\.)?[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){0,3}\."
    r"(?:com|net|org|io|co|cn|uk|de|fr|eu|us|ca|au|info|biz|shop|store|online|site|app|dev|me|ru|xyz|top|club|example|tk|gq|ml|cf|zip|mov|ly|gl|gd|link|click)"
    r"(?:\.[a-z]{2})?(?![\w@-])(?::\d{1,5})?(?:[/?#][^\s<>\"'，。）)\]]{0,2000})?)"
)
_SCRIPT = ("javascript:", "vbscript:", "data:", "file:")
_SHORTENERS = frozenset(
    [
        "bit.ly",
        "tinyurl.com",
        "goo.gl",
        "t.co",
        "ow.ly",
        "is.gd",
        "buff.ly",
        "cutt.ly",
        "rebrand.ly",
        "shorturl.at",
        "t.ly",
        "rb.gy",
        "tiny.cc",
        "bl.ink",
        "dwz.cn",
        "t.cn",
        "suo.im",
    ]
)
_DOWNLOADS = (
    ".exe",
    ".scr",
    ".apk",
    ".bat",
    ".cmd",
    ".msi",
    ".jar",
    ".vbs",
    ".ps1",
    ".dmg",
    ".iso",
    ".js",
    ".hta",
    ".lnk",
)
_ODD_DOMAINS = (".zip", ".mov", ".tk", ".gq", ".ml", ".cf", ".xyz", ".top", ".click")
"""Endings that are cheap, or read as a file's name; abused more than used."""


class LinkScreener:
    """Finds `unsafe_link.*`; the desk's own domains are always fine."""

    def __init__(self, contacts: Contacts) -> None:
        self._own = tuple(
            link.lower().removeprefix("https://").removeprefix("www.").rstrip("/") for link in contacts.links
        )

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Findings `unsafe_link.*`, and for the desk's sentences `unsafe_link.unlisted`."""
        folded = subject.folded
        if "." not in folded.text and ":" not in folded.text:
            return
        for match in _LINK.finditer(folded.text):
            start, end = folded.original(*match.span())
            rule, score = self._judge(match.group().rstrip(".,;:!?"), subject.text[start:end])
            if rule:
                yield Finding(rule, score, start, end, "link")

    def _judge(self, link: str, written: str) -> tuple[str, float]:
        if link.startswith(_SCRIPT):
            return "unsafe_link.scheme", 0.95
        scheme, _, rest = link.rpartition("://") if "://" in link[:10] else ("", "", link)
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        user, at, host = authority.rpartition("@")
        host = host.partition(":")[0].removeprefix("www.")
        if at and user:
            return "unsafe_link.userinfo", 0.9
        if _is_address(host):
            return "unsafe_link.address", 0.8
        if "xn--" in host or (
            scheme and not re.split(r"[/?#]", written.partition("://")[2], maxsplit=1)[0].isascii()
        ):
            return "unsafe_link.lookalike", 0.8
        if any(host == own or host.endswith("." + own) for own in self._own):
            return "", 0.0
        if host in _SHORTENERS:
            return "unsafe_link.shortener", 0.6
        path = rest[len(authority) :].partition("?")[0].partition("#")[0]
        if path.endswith(_DOWNLOADS):
            return "unsafe_link.download", 0.8
        if host.endswith(_ODD_DOMAINS):
            return "unsafe_link.domain", 0.6
        return "unsafe_link.unlisted", 0.5


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return bool(re.fullmatch(r"0x[0-9a-f]+|\d{8,10}", host))
    return True
