from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from knowledge.chunk import passages_of
from knowledge.errors import DocumentError
from knowledge.readers.encoding import decode
from knowledge.readers.markdown import parse_document, plain_text
from tests.knowledge import papers
from tests.knowledge.papers import read, texts

PAGE = """<!doctype html><html lang="en"><head><title>Shipping | Lamp Shop</title>
<meta property="article:modified_time" content="2026-03-04T10:00:00Z">
<script>var tracking = "tracked";</script></head><body>
<header class="site-header"><a href="/">Lamp Shop</a></header>
<nav><ul><li><a href="/a">Home</a><li><a href="/b">Lamps</a></ul></nav>
<div class="cookie-banner">We use cookies.</div>
<main><h1>Shipping</h1><p>We ship <b>every</b> working&nbsp;day<br>until five.</p>
<h2 id="fees">Fees</h2><p>Four euros.</p>
<h3>Islands</h3><ul><li>Ten euros to islands.</li></ul>
<table><tr><th>Zone</th><th>Days</th></tr><tr><td>Europe</td><td>5</td></tr></table>
</main><aside>Buy our newest lamp!</aside><footer>Copyright 2026</footer></body></html>"""


def test_a_web_page_is_its_main_text_under_its_headings(tmp_path: Path) -> None:
    document = read(tmp_path, "shipping.html", PAGE)
    assert (document.title, document.language, document.updated) == ("Shipping", "en", "2026-03-04")
    passages = passages_of(document)
    assert [passage.source for passage in passages] == [
        "shipping.html",
        "shipping.html#fees",
        "shipping.html#islands",
    ]
    assert passages[0].text == "We ship every working day until five."
    assert passages[2].title == "Shipping: Fees: Islands"
    assert passages[2].section == "Fees > Islands"
    assert passages[2].text == "Ten euros to islands.\n\nZone: Europe, Days: 5."
    for menu in ("Home", "cookies", "newest lamp", "Copyright", "tracked", "Lamp Shop"):
        assert menu not in texts(document)


def test_a_page_without_a_main_element_loses_its_menus_all_the_same(tmp_path: Path) -> None:
    links = "".join(f'<li><a href="/{n}">Category {n}</a></li>' for n in range(9))
    page = (
        f"<html><body><div id=top-nav>Account</div><ul>{links}</ul><h1>Warranty</h1>"
        "<p>All lamps have a warranty of two years, from the day of delivery.</p></body></html>"
    )
    document = read(tmp_path, "warranty.html", page)
    assert texts(document) == "\nAll lamps have a warranty of two years, from the day of delivery."


def test_questions_that_open_on_a_click_are_an_faq(tmp_path: Path) -> None:
    page = (
        "<main><h1>Help</h1><details><summary>Can I pay by invoice?</summary><p>Companies can.</p></details>"
        "<details><summary>Do you take cards?</summary><p>Visa and Mastercard.</p></details></main>"
    )
    passages = passages_of(read(tmp_path, "help.html", page))
    assert [(one.kind, one.title, one.text) for one in passages] == [
        ("faq", "Can I pay by invoice?", "Companies can."),
        ("faq", "Do you take cards?", "Visa and Mastercard."),
    ]


def test_a_chinese_page_is_read_in_the_encoding_that_it_declares(tmp_path: Path) -> None:
    page = (
        '<html lang="en"><meta charset="gb2312"><title>退款_灯具商店</title><p>三个工作日内退款。</p></html>'
    )
    document = read(tmp_path, "refund.html", page.encode("gb18030"))
    assert (document.title, document.language) == ("退款", "zh")
    assert texts(document).strip() == "三个工作日内退款。"


def test_a_word_document_keeps_headings_and_tables(tmp_path: Path) -> None:
    document = read(tmp_path, "handbook.docx", papers.docx())
    window, exceptions = passages_of(document)
    assert document.title == "Returns handbook"
    assert window.title == "Returns handbook: Return window"
    assert exceptions.section == "Return window > Exceptions"
    assert exceptions.text == "Hammocks cannot be returned once hung.\n\nCountry: Ireland, Fee: 4 euros."


def test_a_workbook_is_questions_where_it_says_so_and_rows_elsewhere(tmp_path: Path) -> None:
    book = papers.xlsx(
        {
            "FAQ": [
                ["问题", "答案", "相似问法", "分类"],
                ["多久到货？", "三天之内到货。", "几天能到；什么时候到", "物流"],
                ["Do you ship to Spain?", "Yes, within 5 days.", None, "shipping"],
            ],
            "Prices": [["Product", "Price"], ["Tent Alpha", 199.0], [None, None], ["Tent Beta", 299.5]],
        }
    )
    chinese, english, alpha, beta = passages_of(read(tmp_path, "shop.xlsx", book))
    assert (chinese.kind, chinese.title, chinese.language) == ("faq", "多久到货？", "zh")
    assert chinese.questions == ("几天能到", "什么时候到")
    assert chinese.tags == ("物流",)
    assert (english.language, english.text) == ("en", "Yes, within 5 days.")
    assert (alpha.kind, alpha.text) == ("article", "Product: Tent Alpha, Price: 199.")
    assert beta.source == "shop.xlsx#sheet-2-row-4"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("comma.csv", 'question,answer\n"Is it free, really?",Yes\nIs it far?,No'),
        ("semicolon.csv", "Frage;Q;A\nx;Is it free, really?;Yes\ny;Is it far?;No"),
        ("tab.tsv", "q\ta\nIs it free, really?\tYes\nIs it far?\tNo"),
        ("bare.csv", '"Is it free, really?",Yes\n"Is it far?",No'),
        (
            "list.json",
            '[{"Question": "Is it free, really?", "Answer": "Yes"}, {"Q": "Is it far?", "A": "No"}]',
        ),
        (
            "nested.json",
            '{"faq": [{"items": [{"q": "Is it free, really?", "a": "Yes"}]}, '
            '{"q": "Is it far?", "a": "No"}]}',
        ),
        ("map.json", '{"Is it free, really?": "Yes", "Is it far?": "No"}'),
        (
            "lines.jsonl",
            '{"prompt": "Is it free, really?", "completion": "Yes", "more": "a\u2028b"}\n\n'
            '{"prompt": "Is it far?", "completion": "No"}',
        ),
        (
            "intents.json",
            '{"intents": [{"tag": "t", "patterns": ["Is it free, really?", "Gratis?"], "responses": ["Yes"]},'
            ' {"tag": "u", "patterns": ["Is it far?"], "responses": ["No"]}]}',
        ),
        (
            "chats.jsonl",
            '{"messages": [{"role": "system", "content": "s"},'
            ' {"role": "user", "content": "Is it free, really?"},'
            ' {"role": "assistant", "content": "Yes"}]}\n'
            '{"messages": [{"role": "user", "content": "Is it far?"},'
            ' {"role": "assistant", "content": "No"}]}',
        ),
        ("text.txt", "Q: Is it free, really?\nA: Yes\n\nQ: Is it far?\nA: No"),
        ("zh.csv", '问题,回答\n"Is it free, really?",Yes\nIs it far?,No'),
    ],
)
def test_questions_and_answers_are_known_in_their_usual_spellings(
    tmp_path: Path, name: str, data: str
) -> None:
    passages = passages_of(read(tmp_path, name, data))
    assert [(one.kind, one.title, one.text) for one in passages] == [
        ("faq", "Is it free, really?", "Yes"),
        ("faq", "Is it far?", "No"),
    ]


def test_articles_in_json_keep_title_address_and_date(tmp_path: Path) -> None:
    entries = [
        {
            "title": "Opening hours",
            "content": "We open at nine.",
            "url": "https://shop.example/hours",
            "tags": ["shop"],
        },
        {"title": "停车", "content": "停车两小时免费。", "updated": "2026-05-06"},
    ]
    hours, parking = passages_of(read(tmp_path, "site.json", json.dumps(entries)))
    assert (hours.title, hours.url, hours.tags) == (
        "site: Opening hours",
        "https://shop.example/hours",
        ("shop",),
    )
    assert (parking.language, parking.updated) == ("zh", "2026-05-06")


def test_halves_of_characters_and_dates_of_all_kinds_do_no_harm(tmp_path: Path) -> None:
    data = (
        '[{"q": "Is it \\ud800free?", "a": "Yes\\udfff.", "tags": "a\\ud800;b", "updated": "2026年3月4日"}]'
    )
    passage = passages_of(read(tmp_path, "a.json", data))[0]
    assert (passage.title, passage.text, passage.tags) == ("Is it free?", "Yes.", ("a", "b"))
    assert passage.updated == "2026-03-04"


def test_rows_without_questions_say_what_each_cell_is(tmp_path: Path) -> None:
    document = read(tmp_path, "stores.csv", "City,Opens\nDublin,09:00\nCork,10:00\n")
    assert [(one.heading, one.text) for one in document.sections] == [
        ("Dublin", "City: Dublin, Opens: 09:00."),
        ("Cork", "City: Cork, Opens: 10:00."),
    ]
    assert passages_of(document)[1].source == "stores.csv#row-3"


def test_markdown_tables_and_underlined_headings_are_understood() -> None:
    document = parse_document(
        "Delivery\n========\n\nWe deliver.\n\n"
        "Zones\n-----\n\n| Zone | Days |\n|:--|--:|\n| Europe | 5 |\n| Asia | 9 |\n",
        "delivery.md",
    )
    assert document.title == "Delivery"
    assert [(one.heading, one.text) for one in document.sections] == [
        ("", "We deliver."),
        ("Zones", "Zone: Europe, Days: 5.\n\nZone: Asia, Days: 9."),
    ]


def test_a_text_of_two_languages_has_passages_of_two_languages() -> None:
    document = parse_document(
        "# Hours\n\n## Weekdays\n\nWe open at nine.\n\n## 周末\n\n周末十点开门，下午六点关门。", "hours.md"
    )
    assert [passage.language for passage in passages_of(document)] == ["en", "zh"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "Fünf Zelte"),
        ("utf-16", "Parking is free. 停车免费。"),
        ("utf-16-le", "Parking is free for two hours."),
        ("utf-16-be", "Parking is free for two hours."),
        ("gb18030", "所有灯具保修两年，请带上收据到店里来。"),
        ("big5", "所有燈具保固兩年，請帶上收據到店裡來，我們會免費為您修理或者更換。"),
        ("latin-1", "Die Rückgabe ist für 30 Tage möglich. Größe, Straße und Ärger sind kein Grund."),
        ("cp1252", "It’s free — “really” free for 30 days, says the café’s manager."),
    ],
)
def test_texts_are_read_whatever_program_wrote_them(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), "a.txt") == text


def test_zero_bytes_are_no_text() -> None:
    with pytest.raises(DocumentError, match="zero bytes"):
        decode(b"MZ\x90\x00\x03\x00\x00\x00\x04\x01\xff\xff\x02\x05", "a.txt")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 15_000,
        "<!--" * 15_000,
        "**a " * 15_000,
        "!" * 60_000 + "a",
        "```\n" * 15_001,
        "| " * 30_000,
        "<a" * 30_000,
        "`" * 60_000,
    ],
)
def test_texts_that_are_made_to_be_slow_are_not(text: str) -> None:
    # Where a step took time by the square of the length, these would take hours.
    plain_text(text)
    with contextlib.suppress(DocumentError):
        passages_of(parse_document(text, "slow.md"))


BARE_MARKDOWN = (
    "# Museum\n\n## Opening hours\n\n### Monday to Friday 9:00 to 17:00\n\n### Saturday 10:00 to 14:00\n\n"
    "## Tickets\n\nA ticket costs 8 euros.\n\n### Free for children\n\n## May I bring a dog?\n"
)
BARE_PAGE = (
    "<html lang=en><title>Museum</title><h1>Museum</h1><h2>Opening hours</h2>"
    "<h3>Monday to Friday 9:00 to 17:00</h3><h3>Saturday 10:00 to 14:00</h3>"
    "<h2>Tickets</h2><p>A ticket costs 8 euros.</p><h3>Free for children</h3><h2>May I bring a dog?</h2>"
)


@pytest.mark.parametrize(("name", "text"), [("m.md", BARE_MARKDOWN), ("h.html", BARE_PAGE)])
def test_headings_with_nothing_below_them_are_text_of_the_one_above(
    tmp_path: Path, name: str, text: str
) -> None:
    document = read(tmp_path, name, text)
    assert document.title == "Museum"
    assert [(one.heading, one.text) for one in document.sections] == [
        ("Opening hours", "Monday to Friday 9:00 to 17:00.\n\nSaturday 10:00 to 14:00."),
        ("Tickets", "A ticket costs 8 euros.\n\nFree for children."),
    ]


def test_a_bare_heading_keeps_its_place_and_a_title_alone_is_no_text(tmp_path: Path) -> None:
    document = read(
        tmp_path, "a.md", "# 门店\n\n## 北店\n\n### 地址\n\n长街一号。\n\n### 周日休息\n\n## 全天开放\n"
    )
    assert [(one.heading, one.text) for one in document.sections] == [
        ("地址", "长街一号。"),
        ("北店", "周日休息。"),
        ("", "全天开放。"),
    ]
    with pytest.raises(DocumentError, match="no text below the title"):
        read(tmp_path, "b.md", "# Museum\n")
    code = read(tmp_path, "c.md", "# Tool\n\nIt draws.\n\n## Example\n\n```\ndraw()\n```\n")
    assert texts(code) == "\nIt draws."
    faq = "---\nkind: faq\n---\n# Questions\n\n## warranty for tents\n\n## Can I pay by card\n\nYes.\n"
    assert [one.heading for one in read(tmp_path, "faq.md", faq).sections] == ["Can I pay by card"]
