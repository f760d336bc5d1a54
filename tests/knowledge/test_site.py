from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from knowledge import KnowledgeBase
from knowledge.errors import DocumentError
from knowledge.site import Listed, PageGone, Site, _is_private
from tests.knowledge.papers import lines, pdf


@dataclass
class Web:
    """A small web server on loopback."""

    address: str = ""
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, body: str | bytes = b"", status: int = 200, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (status, {"Content-Type": "text/html", **named}, data)

    def sitemap(self, path: str, *paths: str) -> None:
        entries = "".join(
            f"<url><loc>{self.address}{one}</loc><lastmod>2026-02-03T04:05:06Z</lastmod></url>"
            for one in paths
        )
        self.put(
            path, f'<?xml version="1.0"?><urlset xmlns="http://s">{entries}</urlset>', Content_Type="text/xml"
        )


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            status, headers, body = web.pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    web.address = f"http://127.0.0.1:{server.server_port}"
    yield web
    server.shutdown()
    thread.join()
    server.server_close()


def page(title: str, text: str) -> str:
    return (
        f"<html><title>{title}</title><main><h1>{title}</h1><h2 id=more>More</h2><p>{text}</p></main></html>"
    )


def test_a_page_is_learnt_with_its_address(web: Web, tmp_path: Path) -> None:
    web.put(
        "/fees", page("Fees", "Delivery costs four euros."), Last_Modified="Tue, 03 Mar 2026 10:00:00 GMT"
    )
    base = KnowledgeBase.open(tmp_path / "index")
    assert base.add(f"{web.address}/fees").added == 1
    found = base.search("how much is delivery")[0]
    assert found.source == f"{web.address}/fees#more"
    assert (found.url, found.updated) == (f"{web.address}/fees#more", "2026-03-03")
    assert base.add(f"{web.address}/fees").unchanged == 1


def test_a_sitemap_s_pages_are_learnt_updated_and_forgotten(web: Web, tmp_path: Path) -> None:
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    web.put("/hours", page("Hours", "We open at nine."))
    web.put(
        "/guide.pdf",
        pdf([lines((12, "Hang the hammock between two trees."))]),
        Content_Type="application/pdf",
    )
    web.sitemap("/map.xml", "/fees", "/hours", "/guide.pdf", "/lost")
    index = (
        f'<sitemapindex xmlns="http://s"><sitemap><loc>{web.address}/map.xml</loc></sitemap></sitemapindex>'
    )
    web.put("/sitemap.xml.gz", gzip.compress(index.encode()), Content_Type="application/gzip")
    base = KnowledgeBase.open(tmp_path / "index")
    report = base.add(f"{web.address}/sitemap.xml.gz")
    assert (report.added, [one.source for one in report.skipped]) == (3, [f"{web.address}/lost"])
    found = base.search("where do I hang the hammock")[0]
    assert (found.url, found.page, found.updated) == (f"{web.address}/guide.pdf#page=1", 1, "2026-01-02")
    web.put("/fees", page("Fees", "Delivery costs five euros."))
    web.sitemap("/map.xml", "/fees", "/guide.pdf")
    report = base.add(f"{web.address}/sitemap.xml.gz")
    assert (report.added, report.updated, report.removed, report.unchanged) == (0, 1, 1, 1)
    web.put("/fees", status=503)
    report = base.add(f"{web.address}/sitemap.xml.gz")
    assert (report.removed, len(report.skipped)) == (0, 1)
    assert "five euros" in base.search("how much is delivery")[0].text
    web.put("/fees", status=410)
    assert base.add(f"{web.address}/sitemap.xml.gz").removed == 1


def test_robots_txt_is_respected(web: Web, tmp_path: Path) -> None:
    web.put("/robots.txt", "User-agent: *\nDisallow: /private\nCrawl-delay: 2\n", Content_Type="text/plain")
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    web.put("/private/wages", page("Wages", "Secret."))
    web.sitemap("/map.xml", "/fees", "/private/wages")
    waited: list[float] = []
    with Site(f"{web.address}/map.xml", sleep=waited.append) as site:
        listed = site.list_pages(lambda *_: None)
        site.fetch(listed[0])
        with pytest.raises(DocumentError, match=r"robots\.txt forbids"):
            site.fetch(listed[1])
    assert waited == [2.0]
    assert "/private/wages" not in web.asked


def test_while_robots_txt_is_out_of_order_nothing_is_fetched(web: Web) -> None:
    web.put("/robots.txt", status=500)
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    with (
        Site(f"{web.address}/fees") as site,
        pytest.raises(DocumentError, match=r"robots\.txt cannot be read"),
    ):
        site.list_pages(lambda *_: None)
    assert web.asked == ["/robots.txt"]


def test_redirects_stay_on_the_host(web: Web) -> None:
    web.put("/old", status=301, Location="/fees")
    web.put("/away", status=302, Location="http://10.0.0.1/secret")
    web.put("/file", status=302, Location="file:///etc/passwd")
    web.put("/circle", status=302, Location="/circle")
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    with Site(f"{web.address}/old") as site:
        assert site.fetch(Listed(f"{web.address}/old")).url == f"{web.address}/fees"
        for path in ("/away", "/file"):
            with pytest.raises(DocumentError, match="another host"):
                site.fetch(Listed(web.address + path))
        with pytest.raises(DocumentError, match="redirects"):
            site.fetch(Listed(f"{web.address}/circle"))


def test_a_public_name_that_leads_into_the_own_network_is_refused(web: Web) -> None:
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    with Site(f"{web.address}/fees") as site:
        site._private = False  # as if the name had had a public address when it was looked up first
        with pytest.raises(DocumentError, match="private network"):
            site.fetch(Listed(f"{web.address}/fees"))


def test_a_sitemap_lists_pages_of_its_own_host_only(web: Web) -> None:
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    web.put(
        "/map.xml",
        f"<urlset><url><loc>{web.address}/fees</loc></url><url><loc>http://10.0.0.1/x</loc></url></urlset>",
    )
    skipped: dict[str, str] = {}
    with Site(f"{web.address}/map.xml") as site:
        assert [one.url for one in site.list_pages(skipped.__setitem__)] == [f"{web.address}/fees"]
    assert "another host" in skipped["http://10.0.0.1/x"]


def test_a_site_that_is_down_does_not_keep_the_rest_from_being_learnt(web: Web, tmp_path: Path) -> None:
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    (tmp_path / "hours.md").write_text("# Hours\n\nWe open at nine.")
    places = [f"{web.address}/fees", tmp_path / "hours.md"]
    base = KnowledgeBase.open(tmp_path / "index")
    assert base.add(places).added == 2
    web.put("/fees", status=503)
    report = base.add(places)
    assert (report.removed, report.unchanged, len(report.skipped)) == (0, 1, 1)
    assert base.count == 2


def test_a_sitemap_with_entities_is_refused(web: Web) -> None:
    web.put("/map.xml", '<!DOCTYPE u [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>')
    with Site(f"{web.address}/map.xml") as site, pytest.raises(DocumentError, match="is no sitemap"):
        site.list_pages(lambda *_: None)


def test_pages_that_are_too_large_or_of_no_use_are_named(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.site.MOST_BYTES", 1000)
    web.put("/large", b"x" * 2000)
    web.put("/photo", b"\x89PNG", Content_Type="image/png")
    web.put("/locked", status=403)
    with Site(f"{web.address}/large") as site:
        for path, says in (("/large", "larger than"), ("/photo", "image/png"), ("/locked", "refuses")):
            with pytest.raises(DocumentError, match=says):
                site.fetch(Listed(web.address + path))
        with pytest.raises(PageGone):
            site.fetch(Listed(f"{web.address}/nowhere"))


def test_a_server_that_drips_is_left_after_a_while(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.site.PAGE_LIMIT_S", -1.0)
    web.put("/robots.txt", status=404)
    web.put("/fees", page("Fees", "Delivery costs four euros."))
    with Site(f"{web.address}/fees") as site, pytest.raises(DocumentError, match="took longer"):
        site.fetch(Listed(f"{web.address}/fees"))


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://shop.example/a", "http://", "javascript://x/%0aa"]
)
def test_other_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="only http"):
        KnowledgeBase.open(tmp_path / "index").add(url)


def test_an_unreachable_server_is_named() -> None:
    with (
        Site("http://127.0.0.1:9/x") as site,
        pytest.raises(DocumentError, match="check the address") as caught,
    ):
        site.list_pages(lambda *_: None)
    assert isinstance(caught.value.__cause__, httpx.HTTPError) or "ConnectError" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "fd00::1",
        "0.0.0.0",
        "100.64.0.1",
        "2002:0a00:0001::1",
    ],
)
def test_private_addresses_are_known_in_every_spelling(address: str) -> None:
    assert _is_private(address)
    assert not _is_private("93.184.215.14")
    assert not _is_private("2606:4700::1111")
