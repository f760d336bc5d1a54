"""Web pages: the main text under its headings, without menus, scripts and what nobody sees."""

from __future__ import annotations

import json
import re
import warnings
from typing import Any

from knowledge.document import Document
from knowledge.readers.encoding import decode
from knowledge.readers.given import Given, document, join_lines
from knowledge.readers.hiding import cut_hidden
from knowledge.readers.outline import Outline
from knowledge.readers.table import sections_of_rows

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,40})", re.IGNORECASE)
_NEVER = [
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "math",
    "iframe",
    "object",
    "embed",
    "canvas",
    "video",
    "audio",
    "form",
    "button",
    "select",
    "textarea",
    "input",
    "nav",
    "aside",
    "dialog",
    "menu",
    "title",
]
_BESIDE = re.compile(
    r"^(?:(?:site|page|main|global|top|sub|side|left|right)[-_]?)*(?:nav|navbar|navigation|menu|breadcrumbs?|"
    r"sidebar|footer|header|masthead|toolbar|cookies?|consent|banner|share|sharing|social|related|pagination|"
    r"pager|advert|ads|toc|skip|search|newsletter|comments?|copyright|edit)"
    r"(?:[-_]?(?:bar|box|list|links?|menu|notice|content|container|wrapper|section|main|area|form))*$",
    re.IGNORECASE,
)
_ROLES = {"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "menu", "menubar"}
_BLOCKS = {
    "p",
    "div",
    "section",
    "article",
    "main",
    "li",
    "ul",
    "ol",
    "dl",
    "dd",
    "blockquote",
    "pre",
    "figure",
    "figcaption",
    "address",
    "fieldset",
    "center",
    "hr",
    "tbody",
    "tr",
    "td",
    "details",
    "header",
    "footer",
}
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "summary": 7, "dt": 8}
_TITLE_CUT = re.compile(r"\s+[|–—·»-]\s+|_|｜")
BOLD_LEVEL = 12
"""Of a paragraph in bold letters: below all headings that are marked as such."""
MOST_BOLD = 90
"""Characters of such a paragraph."""
LEAST_MAIN = 60
"""Characters; a `main` element with less is an empty frame."""
MOST_LINKS = 0.8
"""Share of a list's letters that are links, from which on it is a menu."""
MOST_DEPTH = 400
"""Elements within each other; libxml2 itself stops at 256."""


def read(given: Given) -> Document:
    """Read a web page.

    Raises:
        DocumentError: it is not text, or nothing is left to say.
    """
    from bs4 import BeautifulSoup

    declared = _CHARSET.search(given.data[:4096])
    charset = given.charset or (declared.group(1).decode() if declared else "")
    text = decode(given.data, given.source, charset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bs4 says what it takes to be XML or a file's name
        soup = BeautifulSoup(text.replace("\0", ""), "lxml")
    hidden = cut_hidden(soup)
    named = _title(soup)
    updated, language = _updated(soup), _language(soup)
    tags = _keywords(soup)
    main = _main(soup)
    outline = Outline()
    _walk(main, outline, 0)
    # A page may carry its heading outside of what it calls its main part.
    first = soup.find("h1")
    heading = " ".join(first.get_text(" ").split()) if first is not None else ""
    title = outline.title or heading or named
    return document(
        given,
        outline.sections(title),
        title=title,
        language=language,
        updated=updated,
        tags=tags,
        hidden=hidden,
    )


def _main(soup: Any) -> Any:
    """Return the element that holds the main text, menus and the like cut from the page."""
    for comment in soup.find_all(string=_is_comment):
        comment.extract()
    for element in soup.find_all(_NEVER):
        if element.name != "form" or len(element.get_text()) < LEAST_MAIN * 5:
            element.decompose()
    # Where a page leaves out the body's own tag, libxml2 takes its beginning for a part of the head.
    body = soup
    found = body.find("main") or body.find(attrs={"role": "main"})
    if found is None:
        articles = body.find_all("article")
        found = articles[0] if len(articles) == 1 else None
    if found is None:
        found = body.find(id=re.compile(r"^(?:main[-_]?content|content|main|article)$", re.IGNORECASE))
    main = found if found is not None and len(found.get_text(strip=True)) >= LEAST_MAIN else body
    whole = len(main.get_text())
    for element in main.find_all(True):
        # A name may be misunderstood: what holds most of the text is the text.
        if not element.decomposed and (
            _is_menu(element) or (_beside(element, main) and len(element.get_text()) * 2 <= whole)
        ):
            element.decompose()
    return main


def _beside(element: Any, main: Any) -> bool:
    """Tell whether an element is a menu or some such, rather than the page's own text."""
    if element.name in ("header", "footer") and element.find_parent(["article", "main"]) is None:
        return element.find("h1") is None and main.name not in ("article", "main")
    if str(element.get("role", "")).lower() in _ROLES:
        return True
    names = [*element.get("class", []), element.get("id", "")]
    named = any(_BESIDE.match(str(name)) for name in names if name)
    return named and element.find("h1") is None and element.name not in ("h1", "h2", "h3", "body", "main")


def _is_menu(element: Any) -> bool:
    """Tell whether an element is a list of little but links."""
    if element.name not in ("ul", "ol"):
        return False
    links = element.find_all("a")
    letters = len(element.get_text(strip=True))
    linked = sum(len(link.get_text(strip=True)) for link in links)
    return len(links) >= 4 and linked > MOST_LINKS * letters and letters < 40 * len(links)


def _walk(element: Any, outline: Outline, depth: int) -> None:
    line: list[str] = []

    def flush() -> None:
        outline.say(join_lines("".join(line).split("\n")))
        line.clear()

    def visit(node: Any, depth: int) -> None:
        from bs4.element import NavigableString

        for child in node.children:
            if isinstance(child, NavigableString):
                line.append(re.sub(r"\s+", " ", str(child)))
                continue
            name = child.name
            if depth > MOST_DEPTH:
                line.append(child.get_text(" "))
            elif name in _HEADINGS:
                flush()
                anchor = str(child.get("id") or _inner_anchor(child) or "")
                outline.head(_HEADINGS[name], child.get_text(" "), anchor)
            elif name == "table" and child.find("table") is None and not child.find(list(_HEADINGS)):
                flush()
                rows = [_cells(row) for row in child.find_all("tr")]
                sections, faq = sections_of_rows(rows)
                outline.add(sections, faq=faq)
            elif name in ("p", "div") and _is_bold_line(child):
                flush()
                outline.head(BOLD_LEVEL, child.get_text(" "), str(child.get("id") or ""))
            elif name == "br":
                line.append("\n")
            elif name in _BLOCKS:
                flush()
                visit(child, depth + 1)
                flush()
            else:
                visit(child, depth + 1)

    visit(element, depth)
    flush()


def _is_bold_line(element: Any) -> bool:
    """Tell whether a paragraph is one short line in bold letters, which people take for a heading."""
    inner = [child for child in element.children if getattr(child, "name", None) or str(child).strip()]
    if len(inner) != 1 or inner[0].name not in ("b", "strong"):
        return False
    text = inner[0].get_text(" ", strip=True)
    return 2 <= len(text) <= MOST_BOLD and text[-1] not in ".。,，;；"


def _cells(row: Any) -> list[str]:
    return [" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])]


def _inner_anchor(heading: Any) -> str:
    named = heading.find(["a", "span"], id=True) or heading.find("a", attrs={"name": True})
    return str(named.get("id") or named.get("name") or "") if named is not None else ""


def _title(soup: Any) -> str:
    meta = soup.find("meta", attrs={"property": "og:title"})
    text = str(meta.get("content") or "") if meta is not None else ""
    if not text and soup.title is not None:
        text = soup.title.get_text(" ")
    return _TITLE_CUT.split(" ".join(text.split()))[0].strip()


def _language(soup: Any) -> str:
    root = soup.find("html")
    return str(root.get("lang") or "") if root is not None else ""


def _updated(soup: Any) -> str:
    for name in (
        "article:modified_time",
        "og:updated_time",
        "dateModified",
        "last-modified",
        "dcterms.modified",
    ):
        for attribute in ("property", "itemprop", "name", "http-equiv"):
            meta = soup.find("meta", attrs={attribute: name})
            if meta is not None and meta.get("content"):
                return _date(str(meta["content"]))
    for script in soup.find_all("script", type="application/ld+json"):
        found = re.search(r'"dateModified"\s*:\s*("[^"]{4,40}")', script.string or "")
        if found:
            return _date(str(json.loads(found.group(1))))
    return ""


def _date(text: str) -> str:
    found = re.match(r"\s*(\d{4}-\d{2}-\d{2})", text)
    return found.group(1) if found else ""


def _keywords(soup: Any) -> tuple[str, ...]:
    found = [
        str(meta.get("content") or "") for meta in soup.find_all("meta", attrs={"property": "article:tag"})
    ]
    return tuple(dict.fromkeys(tag.strip() for tag in found if tag.strip()))


def _is_comment(text: Any) -> bool:
    from bs4.element import PreformattedString

    return isinstance(text, PreformattedString)
