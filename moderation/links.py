"""Links: forms that hide where they lead, and on the desk's own lips every domain that is not its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote

from moderation.screener import Finding, Subject

if TYPE_CHECKING:
    from moderation.policy import Contacts

_ENDS = r"\s<>\"'`，。！？；、：（）【】《》「」“”‘’)\]"
"""Signs that end a link; Chinese ones stand right behind it."""
_HAN = r"\u3400-\u9fff"
_TLD = (
    r"com|net|org|io|co|cn|uk|de|fr|eu|us|ca|au|jp|kr|tw|hk|sg|ru|br|it|es|nl|ch|pl|se|info|biz|shop|store|online|site"
    r"|app|dev|ai|me|xyz|top|club|vip|icu|cyou|live|win|bid|loan|example|tk|gq|ml|cf|ga|zip|mov|ly|gl|gd|at|cc|link|click"
)
_LINK = re.compile(
    rf"(?<![a-z0-9_@.])(?:(?:https?|hxxps?|ftps?|wss?|sftp)(?::|\[:\])//(?:[^{_HAN}{_ENDS}]{{1,2000}}|[^{_ENDS}]{{1,2000}})"
    r"|(?:java\s?script:|vbscript:|data:(?:text|image|application|video)/|file:///|blob:|intent:|smb://|ms-[a-z]{2,16}:"
    rf"|view-source:|chrome://)[^\s<>\"']{{0,2000}}|//[a-z0-9][a-z0-9.-]{{1,80}}\.(?:{_TLD})(?![\w-])[^{_HAN}{_ENDS}]{{0,2000}}"
    rf"|(?:www\.)?[a-z0-9][a-z0-9-]{{0,62}}(?:(?:\.|\[\.\]|\(\.\))[a-z0-9-]{{1,63}}){{0,3}}(?:\.|\[\.\]|\(\.\))(?:{_TLD})"
    rf"(?:\.[a-z]{{2}})?(?![\w@-])(?::\d{{1,5}})?(?:[/?#][^{_HAN}{_ENDS}]{{0,2000}})?)"
)
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,300}\](?:\s?\(\s?<?([^\s)>]{1,2000})>?(?:\s[^)]{0,200})?\)|\s?\[([^\]\n]{0,100})\])"
    r"|<img\b[^>]{0,500}?\bsrc\s?=\s?[\"']?([^\"'\s>]{1,2000})[^>]{0,500}>?"
)
"""Pictures that a page would fetch without a click: in Markdown, and in HTML."""
_REFERENCE = re.compile(r"(?m)^ {0,3}\[([^\]\n]{1,100})\]:\s{1,4}<?(\S{1,2000}?)>?(?=\s|$)")
_NAMED = re.compile(r"\[([^\]\n]{1,300})\]\(\s?<?([^\s)>]{1,2000})>?(?:\s[^)]{0,200})?\)")
_HOST = re.compile(r"(?:^|//)(?:www\.)?((?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24})")
_CARRIES = re.compile(r"[?&#][^=\s]{0,60}=|%[0-9a-f]{2}|\{\{?|\$\{|/[A-Za-z0-9+_-]{40,}")
"""What carries data away in an address: a query, a placeholder, a long code."""
_SCRIPT = (
    "java",
    "vbscript:",
    "data:",
    "file:",
    "blob:",
    "intent:",
    "smb:",
    "ms-",
    "view-source:",
    "chrome:",
)
_SHORTENER_NAMES = """
bit.ly tinyurl.com goo.gl t.co ow.ly is.gd v.gd buff.ly cutt.ly rebrand.ly shorturl.at t.ly rb.gy tiny.cc
bl.ink s.id qr.ae adf.ly shorte.st bc.vc lnkd.in trib.al dlvr.it soo.gd clck.ru u.to x.co
n9.cl surl.li urlz.fr dwz.cn t.cn suo.im url.cn dwz.win mrw.so suo.nz 0x9.me sourl.cn u.nu a.co
"""
_SHORTENERS = frozenset(_SHORTENER_NAMES.split())
_DOWNLOAD_NAMES = """
.exe .scr .apk .bat .cmd .msi .jar .vbs .vbe .ps1 .dmg .pkg .iso .js .jse .wsf .hta .lnk
.cpl .dll .reg .sh .deb .rpm .appx .xll .docm .xlsm .pptm .chm .scf .gadget .ipa .bin .rar .7z .ace
"""
_DOWNLOADS = tuple(_DOWNLOAD_NAMES.split())
_ODD_DOMAINS = (
    ".zip",
    ".mov",
    ".tk",
    ".gq",
    ".ml",
    ".cf",
    ".ga",
    ".xyz",
    ".top",
    ".click",
    ".icu",
    ".cyou",
    ".loan",
    ".bid",
)
"""Endings that are cheap, or read as a file's name; abused more than used."""
_REDIRECT = re.compile(
    r"[?&](?:url|u|redirect|redirect_uri|redir|next|goto|target|dest|continue|return|link)="
    r"(?:https?:|//|%2f%2f|https?%3a)"
)


_FILES = (".zip", ".mov")
"""Of these endings, a bare name is a file's rather than a page's."""


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
        text = folded.text
        if "[" in text or "<img" in text:
            for rule, score, start, end in self._marked_up(text):
                yield Finding(rule, score, *folded.original(start, end), "link")
        for match in _LINK.finditer(text):
            link = match.group().rstrip(".,;:!?")
            start, end = folded.original(match.start(), match.start() + len(link))
            rule, score = self._judge(link, subject.text[start:end])
            if rule:
                yield Finding(rule, score, start, end, "link")

    def _marked_up(self, text: str) -> Iterator[tuple[str, float, int, int]]:
        """Pictures that carry data away when shown, and links whose words name another domain."""
        named = {match[1]: match[2] for match in _REFERENCE.finditer(text)}
        for match in _IMAGE.finditer(text):
            address = match[1] or match[3] or named.get(match[2] or "", "")
            if (
                "//" in address
                and _CARRIES.search(address.partition("//")[2])
                and not self._is_own(_host(address))
            ):
                yield "unsafe_link.image", 0.9, *match.span()
        for match in _NAMED.finditer(text):
            said, leads = _HOST.search(match[1]), _host(match[2])
            if said and leads and not (leads == said[1] or leads.endswith("." + said[1])):
                yield "unsafe_link.lookalike", 0.85, *match.span()

    def _judge(self, link: str, written: str) -> tuple[str, float]:
        if link.startswith(_SCRIPT):
            return "unsafe_link.scheme", 0.95
        link = link.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":")
        scheme, _, rest = link.rpartition("://") if "://" in link[:10] else ("", "", link.removeprefix("//"))
        authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
        user, at, host = unquote(authority).rpartition("@")
        host = host.partition(":")[0].removeprefix("www.").rstrip(".")
        if at and user:
            return "unsafe_link.userinfo", 0.9
        if _is_address(host):
            return "unsafe_link.address", 0.8
        if "xn--" in host or (scheme and not _is_plain(written)):
            return "unsafe_link.lookalike", 0.8
        if self._is_own(host):
            return ("unsafe_link.redirect", 0.7) if _REDIRECT.search(rest) else ("", 0.0)
        if host in _SHORTENERS:
            return "unsafe_link.shortener", 0.6
        path = rest[len(authority) :].partition("?")[0].partition("#")[0]
        if path.endswith(_DOWNLOADS):
            return "unsafe_link.download", 0.8
        if _REDIRECT.search(rest):
            return "unsafe_link.redirect", 0.6
        if not scheme and host == rest and host.endswith(_FILES):
            return "", 0.0
        if host.endswith(_ODD_DOMAINS):
            return "unsafe_link.domain", 0.6
        return "unsafe_link.unlisted", 0.5

    def _is_own(self, host: str) -> bool:
        return any(host == own or host.endswith("." + own) for own in self._own)


def _host(address: str) -> str:
    found = _HOST.search(address)
    return found[1] if found else ""


def _is_plain(written: str) -> bool:
    """True where the host, as it was written, is ASCII, or wholly of one script that is not like Latin."""
    host = re.split(r"[/?#]", written.partition("//")[2], maxsplit=1)[0]
    if host.isascii():
        return True
    letters = [sign for sign in host if sign.isalpha() and not sign.isascii()]
    return bool(letters) and all(unicodedata.name(sign, "").startswith("CJK") for sign in letters)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return bool(
            re.fullmatch(
                r"0x[0-9a-f]+|\d{8,10}|(?:0x[0-9a-f]{1,2}|0\d{1,3}|\d{1,3})(?:\.(?:0x[0-9a-f]{1,2}|\d{1,4})){1,3}",
                host,
            )
        )
    return True
