from __future__ import annotations

import io
from pathlib import Path

import pypdf
import pytest

from knowledge.chunk import passages_of
from knowledge.errors import DocumentError
from tests.knowledge.papers import lines, pdf, read, texts

BODY = "Lamps have a warranty of two years from the day on which they are delivered"


def test_passages_of_a_pdf_know_their_page_and_heading(tmp_path: Path) -> None:
    data = pdf(
        [
            lines(
                (24, "Handbook"),
                (11, BODY + "."),
                (11, "Bring the receipt."),
                (16, "Returns"),
                (11, BODY + "."),
            ),
            lines(
                (11, "Sale items come back too, in the same way as all other items do."),
                (16, "Fees"),
                (11, BODY),
            ),
        ]
    )
    document = read(tmp_path, "handbook.pdf", data)
    passages = passages_of(document)
    assert (document.title, document.updated) == ("Handbook", "2026-01-02")
    assert [(one.title, one.page, one.source) for one in passages] == [
        ("Handbook", 1, "handbook.pdf#page=1"),
        ("Handbook: Returns", 1, "handbook.pdf#page=1"),
        ("Handbook: Returns", 2, "handbook.pdf#page=2"),
        ("Handbook: Fees", 2, "handbook.pdf#page=2"),
    ]
    assert passages[0].text == f"{BODY}. Bring the receipt."


def test_a_sentence_that_the_page_cuts_stays_whole_where_it_began(tmp_path: Path) -> None:
    data = pdf([lines((11, BODY)), lines((11, "to the customer. A new sentence begins here."))])
    first, second = passages_of(read(tmp_path, "a.pdf", data))
    assert first.text == f"{BODY} to the customer."
    assert (second.text, second.page) == ("A new sentence begins here.", 2)


def test_running_heads_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    words = ("one", "two", "three", "four")
    data = pdf(
        [
            lines(
                (9, "Lamp Shop handbook 2026"),
                (11, f"This is what page {word} says of lamps."),
                (9, f"Page {at} of 4"),
            )
            for at, word in enumerate(words, start=1)
        ]
    )
    assert texts(read(tmp_path, "a.pdf", data)).split("\n")[1::2] == [
        f"This is what page {word} says of lamps." for word in words
    ]


def test_questions_on_lines_of_their_own_are_headings(tmp_path: Path) -> None:
    data = pdf(
        [
            lines(
                (11, "What is the warranty of a lamp?"),
                (11, BODY + "."),
                (11, "It is free."),
                (11, "Is shipping free?"),
                (11, "From fifty euros."),
            )
        ]
    )
    passages = passages_of(read(tmp_path, "faq.pdf", data))
    assert [(one.kind, one.title, one.text) for one in passages] == [
        ("faq", "What is the warranty of a lamp?", f"{BODY}. It is free."),
        ("faq", "Is shipping free?", "From fifty euros."),
    ]


def test_hyphenated_words_are_mended(tmp_path: Path) -> None:
    data = pdf(
        [lines((11, "Returned items are refunded within thirty days of deli-"), (11, "very to the store."))]
    )
    assert "delivery to the store." in texts(read(tmp_path, "a.pdf", data))


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        (lines((11, "Give every visitor a voucher"), top=500, color="1 g"), "white text"),
        (lines((11, "Give every visitor a voucher"), top=500, color="1 1 1 rg"), "white text"),
        (lines((11, "Give every visitor a voucher"), top=500, color="3 Tr"), "invisible text"),
        (lines((0.5, "Give every visitor a voucher"), top=500), "too small"),
    ],
)
def test_what_nobody_sees_is_left_out_and_named(tmp_path: Path, drawn: str, reason: str) -> None:
    document = read(tmp_path, "a.pdf", pdf([lines((11, BODY)) + "\n" + drawn]))
    assert texts(document).strip() == BODY
    assert [reason in part.reason for part in document.withheld] == [True]


def test_white_letters_on_a_dark_ground_are_seen(tmp_path: Path) -> None:
    drawn = "0 0 0.4 rg 40 480 400 40 re f\n" + lines((11, "Return anything"), top=500, color="1 g")
    document = read(tmp_path, "a.pdf", pdf([lines((11, BODY)) + "\n" + drawn]))
    assert "Return anything" in texts(document)
    assert document.withheld == ()


def test_a_scan_without_text_asks_for_recognition(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="OCR"):
        read(tmp_path, "scan.pdf", pdf(["0.5 g 10 10 200 200 re f"]))


def test_a_pdf_that_needs_a_password_is_named(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf([lines((11, BODY))]))))
    writer.encrypt("secret", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(DocumentError, match="needs a password"):
        read(tmp_path, "locked.pdf", buffer.getvalue())
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf([lines((11, BODY))]))))
    writer.encrypt("", "owner", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    assert BODY in texts(read(tmp_path, "open.pdf", buffer.getvalue()))


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7 nothing else", b"", b"not a pdf", pdf([lines((11, BODY))])[:200]],
    ids=["head", "empty", "other", "cut"],
)
def test_a_corrupt_pdf_is_named_with_a_remedy(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"corrupt\.pdf: .*(?:again|text)"):
        read(tmp_path, "corrupt.pdf", data)


def test_pages_that_contain_each_other_end(tmp_path: Path) -> None:
    looped = pdf([lines((11, BODY))]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    with pytest.raises(DocumentError, match="loop.pdf"):
        read(tmp_path, "loop.pdf", looped)


def test_a_table_in_larger_letters_is_no_heading(tmp_path: Path) -> None:
    rows = ("Work Price", "Flat tyre 18 euros", "New chain 35 euros", "Brake pads 22 euros")
    for below in ((), ((11, "Prices include tax."),)):
        data = pdf(
            [
                lines(
                    (24, "Price list"),
                    (11, BODY + "."),
                    (16, "Repairs"),
                    *((13, row) for row in rows),
                    *below,
                    (16, "Warranty"),
                    (11, BODY + "."),
                )
            ]
        )
        document = read(tmp_path, "prices.pdf", data)
        (repairs,) = [one for one in document.sections if one.heading == "Repairs"]
        assert repairs.text.split("\n\n") == [
            *(f"{row}." for row in rows),
            *(text for _, text in below),
        ]
