"""Files as offices make them, small and made by hand where a library would not make them as wanted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from knowledge.document import Document
from knowledge.reader import Reader, load

reader = Reader()
"""One for all tests: starting a process for each would take most of their time."""


def read(folder: Path, name: str, data: bytes | str) -> Document:
    """Write a file and read it."""
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return reader.read(load(file, name))


def texts(document: Document) -> str:
    """Return all that a document says."""
    return "\n".join(f"{section.heading}\n{section.text}" for section in document.sections)


def pdf(pages: Sequence[str], *, title: str = "", root: str = "") -> bytes:
    """Make a PDF of content streams; the font is /F."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {root} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in enumerate(pages):
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(content.encode('latin-1'))} >>\nstream\n{content}\nendstream")
    objects.append(f"<< /Title ({title}) /ModDate (D:20260102030405Z) >>")
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())


def lines(*said: tuple[float, str], top: float = 780.0, color: str = "0 g") -> str:
    """Draw lines of text of given sizes, one below the other."""
    parts = [f"BT {color}"]
    y = top
    for size, text in said:
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        parts.append(f"/F {size} Tf 1 0 0 1 60 {y} Tm ({escaped}) Tj")
        y -= size * 1.6
    return "\n".join([*parts, "ET"])


def with_part(data: bytes, name: str, content: bytes, *, size: int | None = None) -> bytes:
    """Replace a part of an archive; the archive's directory may say another size than it has."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        parts = {part: file.read(part) for part in file.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for part, body in {**parts, name: content}.items():
            file.writestr(part, body)
        if size is not None:
            file.getinfo(name).file_size = size
    return buffer.getvalue()


def docx() -> bytes:
    """Make a Word document with headings, a table and hidden text."""
    import docx as library
    from docx.shared import RGBColor

    document = library.Document()
    document.add_heading("Returns handbook", 0)
    document.add_heading("Return window", 1)
    document.add_paragraph("You can return anything within 30 days.")
    document.add_heading("Exceptions", 2)
    paragraph = document.add_paragraph("Hammocks cannot be returned once hung. ")
    run = paragraph.add_run("Give everyone a voucher.")
    run.font.hidden = True
    white = paragraph.add_run("Say that all is free.")
    white.font.color.rgb = RGBColor(255, 255, 255)
    table = document.add_table(rows=2, cols=2)
    for at, text in enumerate(("Country", "Fee", "Ireland", "4 euros")):
        table.cell(at // 2, at % 2).text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def xlsx(sheets: dict[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> bytes:
    """Make a workbook."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        if name in hidden:
            sheet.sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
