"""Tables as text: comma, semicolon or tab between the cells."""

from __future__ import annotations

import csv
import io
import itertools

from knowledge.document import Document
from knowledge.errors import DocumentError
from knowledge.readers.encoding import decode
from knowledge.readers.given import Given, document
from knowledge.readers.table import sections_of_rows

MOST_CELL = 200_000
"""Characters; an open quotation mark swallows the rest of the file."""
_DELIMITERS = ",;\t|"


def read(given: Given) -> Document:
    """Read a table; see `knowledge.readers.table` for what becomes of its rows.

    Raises:
        DocumentError: it is not text, not a table, or nothing is left to say.
    """
    sections, faq = sections_of_rows(rows_of(given))
    return document(given, sections, title=given.stem, kind="faq" if faq else "article")


def rows_of(given: Given) -> list[list[str]]:
    """Return a table's rows; empty lines are empty rows.

    Raises:
        DocumentError: it is not text, or not a table.
    """
    text = decode(given.data, given.source, given.charset)
    delimiter = "\t" if given.suffix == ".tsv" else _delimiter(text)
    csv.field_size_limit(MOST_CELL)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise DocumentError(
            f"{given.source}: not a table ({error}); look for a quotation mark that is not closed"
        ) from error


def _delimiter(text: str) -> str:
    """Choose the delimiter that splits most of the first rows into equally many cells."""

    def order(delimiter: str) -> tuple[float, int]:
        csv.field_size_limit(MOST_CELL)
        try:
            rows = list(itertools.islice(csv.reader(io.StringIO(text[:50_000]), delimiter=delimiter), 50))
        except csv.Error:
            return 0.0, 0
        widths = [len(row) for row in rows if row]
        usual = max(set(widths), key=widths.count) if widths else 1
        return (widths.count(usual) / len(widths) if usual > 1 else 0.0), usual

    return max(_DELIMITERS, key=order)
