"""Excel workbooks: one table a sheet."""

from __future__ import annotations

import datetime
import io
import re
import warnings
from dataclasses import replace
from typing import Any

from knowledge.document import Document, Section
from knowledge.errors import DocumentError
from knowledge.readers.archive import check_archive
from knowledge.readers.given import Given, document
from knowledge.readers.table import sections_of_rows

_MONEY = re.compile(r'\[\$([^\-\]]{1,5})[^\]]*\]|"\s*([€$£¥￥元]|[A-Z]{3})\s*"|(?<!\[)([€$£¥￥])')
MOST_ROWS = 250_000
MOST_COLUMNS = 200
MOST_EMPTY = 1000
"""Empty rows in a row after which a sheet is over; formatting reaches to row 1,048,576."""


def read(given: Given) -> Document:
    """Read a workbook's visible sheets; formulas give the values that were last computed.

    Raises:
        DocumentError: it is damaged, encrypted, a bomb, or nothing is left to say.
    """
    tables, modified, hidden = sheets(given)
    sections: list[Section] = []
    kinds = []
    filled = [(name, rows) for name, rows in tables if any(any(row) for row in rows)]
    for number, (name, rows) in enumerate(filled, start=1):
        found, faq = sections_of_rows(rows, anchor="row" if len(filled) == 1 else f"sheet-{number}-row")
        kinds += [faq] * len(found)
        sections += [replace(one, parents=(name,)) if len(filled) > 1 else one for one in found]
    return document(
        given,
        sections,
        title=given.stem,
        kind="faq" if kinds and all(kinds) else "article",
        updated=modified.date().isoformat() if modified else "",
        hidden=["a hidden sheet"] if hidden else (),
    )


def sheets(given: Given) -> tuple[list[tuple[str, list[list[str]]]], datetime.datetime | None, int]:
    """Return the visible sheets' names and rows, when the workbook was changed, and how many are hidden.

    Raises:
        DocumentError: it is damaged, encrypted, or a bomb.
    """
    check_archive(given, "xl/workbook.xml")
    import openpyxl  # type: ignore[import-untyped]

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles that it does not know
            book = openpyxl.load_workbook(io.BytesIO(given.data), read_only=True, data_only=True)
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            hidden = len(book.worksheets) - len(shown)
            tables = [(sheet.title, _rows(sheet)) for sheet in shown]
            return tables, book.properties.modified, hidden
    except Exception as error:  # whatever a damaged part makes of openpyxl
        raise DocumentError(
            f"{given.source}: the workbook is damaged ({type(error).__name__}); "
            "open it in its program and save it again"
        ) from error


def _rows(sheet: object) -> list[list[str]]:
    rows: list[list[str]] = []
    empty = 0
    for row in sheet.iter_rows(max_col=MOST_COLUMNS):  # type: ignore[attr-defined]
        cells = [_text(cell.value, cell) for cell in row]
        empty = 0 if any(cells) else empty + 1
        rows.append(cells)
        if empty > MOST_EMPTY:
            break
        if len(rows) > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS} rows")
    return rows


def _text(value: object, cell: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        midnight = not (value.hour or value.minute or value.second)
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.time):
        return value.isoformat("minutes")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format or ""))
    return str(value)


def _number(value: int | float, form: str) -> str:
    """Write a number as people see it: 0.19 may be shown as 19 %, 4 as 4.00 euros."""
    if "%" in form:
        return f"{value * 100:.10g}%"
    money = _MONEY.search(form)
    if not money:
        return f"{value:.10g}"
    sign = money.group(1) or money.group(2) or money.group(3)
    shown = f"{value:.2f}" if ".00" in form else f"{value:.10g}"
    behind = form.find(sign) > form.find("0") or len(sign) > 1
    return f"{shown} {sign}" if behind else f"{sign}{shown}"
