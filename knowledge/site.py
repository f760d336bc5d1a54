"""Web pages to learn: one page, or those of a sitemap, of one host only."""

from __future__ import annotations

import ipaddress
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

from knowledge.errors import DocumentError
from knowledge.reader import MOST_BYTES, check_size
from knowledge.readers import MEDIA_TYPES, SUFFIXES
from knowledge.readers.given import Given

if TYPE_CHECKING:
    from urllib.robotparser import RobotFileParser

AGENT = "visavis"
"""What it calls itself, to servers and in robots.txt."""
CONNECT_LIMIT_S = 10.0
READ_LIMIT_S = 20.0
"""Of silence."""
PAGE_LIMIT_S = 60.0
"""For all of one page: a server may not keep the learning by sending a byte now and then."""
MOST_PAGES = 5000
MOST_SITEMAPS = 50
MOST_SITEMAP_BYTES = 50_000_000
"""As sitemaps.org limits them."""
MOST_REDIRECTS = 5
MOST_DELAY_S = 10.0
"""Of a robots.txt's crawl delay."""
MOST_ROBOTS_BYTES = 500_000
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page that is to be learnt."""

    url: str
    updated: str = ""
    """What the sitemap says."""


class PageGone(DocumentError):  # noqa: N818
    """The server says that there is no such page."""


class Site:
    """One host's pages; use it as a context manager. For one thread.

    A host that has a public address may not lead to a private one, by redirects or by its name's address.

    Args:
        url: a page or a sitemap.
        sleep: waits so many seconds, where robots.txt asks for it.

    Raises:
        DocumentError: the address is not one of http or https, or its host is unknown.
    """

    def __init__(self, url: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        import httpx

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DocumentError(f"{url}: only http:// and https:// addresses can be learnt")
        self.url = urldefrag(url).url
        self._host = _host(url)
        self._sleep = sleep
        self._proxied = _is_proxied(parts.scheme, parts.hostname)
        self._private = not self._proxied and any(map(_is_private, _addresses(parts.hostname, url)))
        if self._proxied and _is_private(parts.hostname):
            self._private = True
        self._client = httpx.Client(
            headers={"User-Agent": f"{AGENT}/1 (learns help pages)", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(READ_LIMIT_S, connect=CONNECT_LIMIT_S),
            follow_redirects=False,
        )
        self._robots: RobotFileParser | None = None
        self._first: tuple[str, Given] | None = None
        self._fetched = 0

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def list_pages(self, skipped: Callable[[str, str], None]) -> list[Listed]:
        """Return the pages that the address stands for: itself, or what the sitemap lists.

        Args:
            skipped: told the address and the reason of what is left out.

        Raises:
            DocumentError: the address cannot be fetched, or is no sitemap though it looks like one.
        """
        given = self.fetch(Listed(self.url))
        if not _is_sitemap(given):
            self._first = (self.url, given)
            return [Listed(self.url)]
        found: dict[str, Listed] = {}
        waiting, known = [(given.source, given.data)], {self.url}
        while waiting:
            source, data = waiting.pop(0)
            for kind, listed in _entries(source, data):
                address = urldefrag(urljoin(source, listed.url)).url
                if _host(address) != self._host:
                    skipped(
                        address, f"{address}: on another host than the sitemap; learn it by its own address"
                    )
                elif kind == "sitemap" and address not in known and len(known) < MOST_SITEMAPS:
                    known.add(address)
                    try:
                        waiting.append((address, self._get(address, MOST_SITEMAP_BYTES)[1]))
                    except DocumentError as error:
                        skipped(address, str(error))
                elif kind == "url" and len(found) < MOST_PAGES:
                    found[address] = Listed(address, listed.updated)
                elif kind == "url" and address not in found:
                    skipped(address, f"{address}: beyond {MOST_PAGES} pages; learn a smaller sitemap")
        return list(found.values())

    def fetch(self, listed: Listed) -> Given:
        """Fetch a page.

        Raises:
            PageGone: there is no such page.
            DocumentError: robots.txt forbids it, or it cannot be fetched; the message says why.
        """
        if self._first is not None and self._first[0] == listed.url:
            return self._first[1]
        rules = self._rules()
        if not rules.can_fetch(AGENT, listed.url):
            raise DocumentError(f"{listed.url}: robots.txt forbids it; ask the site's owner to allow {AGENT}")
        if self._fetched:
            self._sleep(min(float(rules.crawl_delay(AGENT) or 0.0), MOST_DELAY_S))
        self._fetched += 1
        address, data, headers = self._get(listed.url, MOST_BYTES)
        media, _, options = headers.get("content-type", "").partition(";")
        suffix = _suffix(address, media.strip().lower(), data)
        check_size(len(data), suffix, listed.url)
        charset = options.partition("charset=")[2].partition(";")[0].strip(" \"'")
        updated = listed.updated or _http_date(headers.get("last-modified", ""))
        return Given(data, listed.url, suffix, charset=charset, updated=updated[:10], url=address)

    def _rules(self) -> RobotFileParser:
        from urllib.robotparser import RobotFileParser

        if self._robots is None:
            address = urljoin(self.url, "/robots.txt")
            rules = RobotFileParser(address)
            rules.modified()
            try:
                text = self._get(address, MOST_ROBOTS_BYTES)[1].decode("utf-8", "replace")
                rules.parse(text.splitlines())
            except PageGone:
                rules.parse([])
            except _RefusedError:
                rules.parse([])
            except DocumentError as error:
                raise DocumentError(
                    f"{self.url}: its robots.txt cannot be read ({error}); try again later"
                ) from None
            self._robots = rules
        return self._robots

    def _get(self, address: str, most: int) -> tuple[str, bytes, Any]:
        """Return the final address, the body and the headers."""
        import httpx

        deadline = time.monotonic() + PAGE_LIMIT_S
        try:
            for _ in range(MOST_REDIRECTS + 1):
                with self._client.stream("GET", address) as response:
                    self._check_peer(response, address)
                    if response.has_redirect_location:
                        target = urljoin(address, response.headers["location"])
                        if urlsplit(target).scheme not in ("http", "https") or _host(target) != self._host:
                            raise DocumentError(
                                f"{address}: leads to another host; learn that one by its own address"
                            )
                        address = target
                        continue
                    if response.status_code in (404, 410):
                        raise PageGone(f"{address}: no such page ({response.status_code}); check the address")
                    if 400 <= response.status_code < 500:
                        raise _RefusedError(
                            f"{address}: the server refuses it ({response.status_code}); "
                            "only pages that everyone may read can be learnt"
                        )
                    if not response.is_success:
                        raise DocumentError(
                            f"{address}: the server answers {response.status_code}; try again later"
                        )
                    return address, _body(response, address, most, deadline), response.headers
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise DocumentError(
                f"{address}: cannot be fetched ({type(error).__name__}); check the address and the network"
            ) from error
        raise DocumentError(f"{address}: more than {MOST_REDIRECTS} redirects; learn the last one's target")

    def _check_peer(self, response: Any, address: str) -> None:
        """See that a public host's name did not turn into an address of the own network."""
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        if peer and not self._proxied and not self._private and _is_private(str(peer[0])):
            raise DocumentError(
                f"{address}: leads into a private network; learn such pages by their own address"
            )


class _RefusedError(DocumentError):
    """The server does not show the page to everyone."""


def is_url(text: str) -> bool:
    """Tell an address from a path."""
    return "://" in text[:20]


def _body(response: Any, address: str, most: int, deadline: float) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes(1 << 16):
        size += len(part)
        if size > most:
            raise DocumentError(f"{address}: is larger than {most // 1_000_000} MB; leave it out")
        if time.monotonic() > deadline:
            raise DocumentError(f"{address}: took longer than {PAGE_LIMIT_S:.0f} s; try again later")
        parts.append(part)
    return b"".join(parts)


def _suffix(address: str, media: str, data: bytes) -> str:
    """Return the format by what the server says, or else by the address."""
    if data.startswith(b"%PDF-"):
        return ".pdf"
    if data.startswith(_GZIP):
        return ".gz"
    path = urlsplit(address).path
    named = f".{path.rpartition('.')[2].lower()}" if "." in path.rpartition("/")[2] else ""
    if media in MEDIA_TYPES and (media != "text/plain" or named not in SUFFIXES):
        return MEDIA_TYPES[media]
    if named in SUFFIXES:
        return named
    if media in ("", "application/octet-stream") or media.endswith("xml"):
        return ".html"
    raise DocumentError(f"{address}: of type {media}, which cannot be learnt; leave it out")


def _is_sitemap(given: Given) -> bool:
    head = given.data[:2000].lower()
    return head.startswith(_GZIP) or b"<urlset" in head or b"<sitemapindex" in head


def _entries(source: str, data: bytes) -> Iterator[tuple[str, Listed]]:
    """Yield what a sitemap lists: "url" or "sitemap", and where."""
    import defusedxml.ElementTree  # type: ignore[import-untyped]
    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

    try:
        if data.startswith(_GZIP):
            unpacked = zlib.decompressobj(wbits=31)
            data = unpacked.decompress(data, MOST_SITEMAP_BYTES)
        root = defusedxml.ElementTree.fromstring(data, forbid_dtd=True)
    except (ValueError, SyntaxError, zlib.error, DefusedXmlException) as error:
        raise DocumentError(
            f"{source}: is no sitemap ({type(error).__name__}); give the address of one"
        ) from error
    for entry in root:
        kind = entry.tag.rpartition("}")[2]
        fields = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in entry}
        if kind in ("url", "sitemap") and fields.get("loc"):
            yield kind, Listed(fields["loc"], fields.get("lastmod", "")[:10])


def _host(address: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "", None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return (parts.hostname or "").removeprefix("www."), None if port == usual else port


def _is_proxied(scheme: str, host: str) -> bool:
    from urllib.request import getproxies, proxy_bypass

    return scheme in getproxies() and not proxy_bypass(host)


def _addresses(host: str, url: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise DocumentError(f"{url}: its host is unknown here; check the address and the network") from error


def _is_private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return not found.is_global


def _http_date(text: str) -> str:
    import email.utils

    try:
        return email.utils.parsedate_to_datetime(text).date().isoformat() if text else ""
    except ValueError:
        return ""
