from __future__ import annotations

from pathlib import Path

import pytest

from knowledge import DocumentError
from knowledge.chunk import MOST_CHARACTERS, passages_of, sentences_of, slugify
from knowledge.document import find_documents
from knowledge.reader import MOST_TEXT_BYTES, read_document
from knowledge.readers.markdown import parse_document, plain_text
from tests.knowledge.conftest import FAQ, REFUND_ZH, RETURNS


def test_front_matter_describes_the_document() -> None:
    document = parse_document(RETURNS, "en/returns.md")
    assert (document.title, document.language, document.kind) == ("Returns", "en", "article")
    assert document.tags == ("returns",)
    assert document.updated == "2026-09-01"
    assert document.questions == ("How long do I have to send something back?",)


def test_a_document_without_front_matter_takes_title_and_language_from_its_text() -> None:
    document = parse_document("# 保修\n\n灯具保修两年。", "warranty.md")
    assert (document.title, document.language) == ("保修", "zh")
    assert parse_document("Just one line.", "notes/opening.txt").title == "opening"


def test_markup_is_not_spoken() -> None:
    text = plain_text(
        "**Bold** and _thin_ [link](https://x.example) `code`\n- one\n- two\n\n"
        "<!-- hidden --><script>alert(1)</script>![picture](a.png)\n\nlast"
    )
    assert text == "Bold and thin link code one two\n\nlast"


def test_names_with_underscores_and_stars_survive() -> None:
    assert plain_text("look_up_order costs 3 * 4 euros") == "look_up_order costs 3 * 4 euros"


def test_headings_in_code_are_no_sections() -> None:
    document = parse_document("# A\n\ntext\n\n```\n# not a heading\n```\n", "a.md")
    assert len(document.sections) == 1


def test_passages_follow_the_sections_and_say_where_they_stand() -> None:
    window, how = passages_of(parse_document(RETURNS, "en/returns.md"))
    assert window.source == "en/returns.md#the-return-window"
    assert window.title == "Returns: The return window"
    assert window.text.startswith("You can return anything within 30 days")
    assert window.questions == ("How long do I have to send something back?",)
    assert how.questions == ()


def test_faq_passages_are_titled_by_their_question() -> None:
    cards, invoice = passages_of(parse_document(FAQ, "faq.md"))
    assert (cards.kind, cards.title) == ("faq", "Which cards do you accept?")
    assert invoice.source == "faq.md#can-i-pay-by-invoice"


def test_chinese_sections_keep_their_headings() -> None:
    passage = passages_of(parse_document(REFUND_ZH, "zh/refunds.md"))[0]
    assert (passage.title, passage.source) == ("退款：退款需要多久", "zh/refunds.md#退款需要多久")


def test_ids_depend_on_content_only() -> None:
    before = passages_of(parse_document(RETURNS, "en/returns.md"))
    after = passages_of(parse_document(RETURNS.replace("Sale items", "Reduced items"), "en/returns.md"))
    assert before[0].id != after[0].id
    assert before[1].id == after[1].id


def test_long_sections_are_split_between_sentences() -> None:
    text = " ".join(f"This is sentence number {number} about chairs." for number in range(100))
    passages = passages_of(parse_document(text, "chairs.txt"))
    assert len(passages) > 1
    assert all(len(passage.text) <= MOST_CHARACTERS for passage in passages)
    assert all(passage.text.endswith(".") for passage in passages)
    assert " ".join(passage.text for passage in passages) == text
    assert len({passage.id for passage in passages}) == len(passages)


def test_sentences_end_where_people_stop() -> None:
    assert sentences_of("It costs 4.50 euros. Is that all? Yes.") == [
        "It costs 4.50 euros.",
        "Is that all?",
        "Yes.",
    ]
    assert sentences_of("可以退货。请先联系我们！") == ["可以退货。", "请先联系我们！"]


def test_slugs_are_readable_in_both_languages() -> None:
    assert slugify("When can I return it?") == "when-can-i-return-it"
    assert slugify("退货 多久？") == "退货-多久"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("broken.md", b"---\ntitle: [unclosed\n---\ntext", "not YAML"),
        ("list.md", b"---\n- a\n---\ntext", "name: value"),
        ("kind.md", b"---\nkind: poem\n---\ntext", 'write "article" or "faq"'),
        ("empty.md", b"", "no text"),
        ("title.md", b"# Only a title\n", "no text"),
        ("binary.md", b"abc\0def", "zero bytes"),
        ("large.md", b"a" * (MOST_TEXT_BYTES + 1), "split the file"),
        ("photo.png", b"\x89PNG", "not a type"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_remedy(
    tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(DocumentError, match=name) as caught:
        read_document(file, name)
    assert says in str(caught.value)


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    document = parse_document("---\r\ntitle: A\r\n---\r\n\r\nText.\r\n", "a.md")
    assert (document.title, document.sections[0].text) == ("A", "Text.")


def test_folders_are_searched_for_documents_only(documents: Path) -> None:
    (documents / ".hidden").mkdir()
    (documents / ".hidden" / "secret.md").write_text("secret")
    (documents / "en" / "photo.jpg").write_bytes(b"")
    assert [source for source, _ in find_documents(documents)] == [
        "en/delivery.md",
        "en/faq-payment.md",
        "en/returns.md",
        "en/warranty.md",
        "zh/refunds.md",
    ]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file or folder"):
        list(find_documents(tmp_path / "nowhere"))
