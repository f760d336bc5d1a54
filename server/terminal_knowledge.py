"""What `visavis knowledge` prints for people at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.terminal import Terminal

LONG = 200
"""Characters of a text that are shown."""
SHOWN = 60
"""Rows of a table; --json holds all."""
KINDS = {
    "abstained": "not known",
    "handoff": "passed on",
    "clarified": "asked back",
    "low_rated": "rated low",
}
NAMED = 3
"""Documents that a version names."""


def show_documents(document: dict[str, Any]) -> None:
    """Print the documents of a desk."""
    console = Terminal()
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
    console = Terminal()
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


def show_unanswered(document: dict[str, Any]) -> None:
    """Print what visitors got no good answer to."""
    console = Terminal()
    questions = document["questions"]
    if not document["turns"]:
        console.print(f"No conversation with {document['desk']} was kept since {document['since']}.")
        console.print(Text("`visavis serve` keeps them; --store names another place", "dim"))
        return
    rows = [
        (
            str(each["times"]),
            str(each["visitors"]),
            ", ".join(f"{KINDS[kind]} {count}" for kind, count in each["kinds"].items()),
            each["last"][:10],
            each["question"],
        )
        for each in questions
    ]
    if rows:
        _table(console, ("times", "visitors", "what happened", "last", "question"), rows)
    told = [f"{len(rows)} open questions in {document['turns']} turns since {document['since']}"]
    if document["learnt_since"]:
        told.append(f"{len(document['learnt_since'])} more are answered by what was learnt since")
    if document["asked_for_a_person"]:
        told.append(f"a person was asked for {document['asked_for_a_person']} times")
    if document["words_not_kept"]:
        told.append(f"{document['words_not_kept']} without their words, which this store does not keep")
    console.print(Text("; ".join(told), "dim"))


def show_hints(document: dict[str, Any]) -> None:
    """Print places that a person should look at."""
    console = Terminal(soft_wrap=True)
    hints = document["hints"]
    for each in hints[:SHOWN]:
        console.print(Text.assemble((each["kind"], "bold"), f": {each['why']}"))
        for place in (each["first"], each["second"]):
            text = place["text"] if len(place["text"]) <= LONG else f"{place['text'][:LONG]} …"
            console.print(Text.assemble("  ", " ".join(text.split()), (f"  {place['source']}", "dim")))
    if len(hints) > SHOWN:
        console.print(f"and {len(hints) - SHOWN} more; --json names all")
    count = Counter(each["kind"] for each in hints)
    told = f"{count['contradiction']} contradictions, {count['duplicate']} duplicates"
    console.print(Text(f"{told} in {document['passages']} passages", "dim"))


def _table(console: Console, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows[:SHOWN]:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"and {len(rows) - SHOWN} more; --json names all")
