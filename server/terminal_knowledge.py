"""What `visavis knowledge` prints for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

SHOWN = 60
"""Rows of a table; --json holds all."""
NAMED = 3
"""Documents that a version names."""


def show_documents(document: dict[str, Any]) -> None:
    """Print the documents of a desk."""
    console = Console(highlight=False, markup=False)
    if not document["documents"]:
        console.print(
            "The desk knows nothing yet; put documents into its knowledge folder, or: visavis learn"
        )
    else:
        rows = [
            (
                each["source"],
                str(each["passages"]),
                " ".join(each["languages"]),
                " ".join(each["tags"]),
                each["updated"],
            )
            for each in document["documents"]
        ]
        _table(console, ("document", "passages", "language", "tags", "updated"), rows)
        console.print(f"{len(rows)} documents, {document['passages']} passages")
    if document["kept_out"]:
        names = ", ".join(document["kept_out"])
        console.print(Text(f"removed, and left alone until their files change: {names}", "dim"))


def show_versions(document: dict[str, Any]) -> None:
    """Print the versions of a desk's knowledge."""
    console = Console(highlight=False, markup=False)
    if not document["versions"]:
        console.print("No version is kept yet; the first is kept when something is learnt.")
        return
    rows = []
    for each in document["versions"]:
        changes = each["changes"]
        signs = (("+", "added"), ("~", "updated"), ("−", "removed"))
        told = " ".join(f"{sign}{changes[kind]}" for sign, kind in signs if changes[kind])
        names = [name for _, kind in signs for name in changes["names"].get(kind, ())]
        named = ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
        when = datetime.fromisoformat(each["at"]).astimezone().strftime("%Y-%m-%d %H:%M")
        number = f"{each['number']}{' now' if each['present'] else ''}"
        rows.append((number, when, each["cause"], told, str(each["documents"]), named))
    _table(console, ("version", "time", "by", "changed", "documents", "which"), rows)


def _table(console: Console, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows[:SHOWN]:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"and {len(rows) - SHOWN} more; --json names all")
