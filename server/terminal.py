"""What commands print for people at a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.printable import printable

TIMED = ("vad", "recognition", "retrieval", "first_sentence", "first_sound", "first_frame", "total")


class Terminal(Console):
    """Prints what others wrote; nothing in it is markup, and nothing steers the terminal."""

    def __init__(self, *, soft_wrap: bool = False) -> None:
        super().__init__(highlight=False, markup=False, soft_wrap=soft_wrap)

    def print(self, *objects: Any, **how: Any) -> None:
        """Print; words and rows are made printable."""
        super().print(*(_made_printable(one) for one in objects), **how)


def _made_printable(one: Any) -> Any:
    if isinstance(one, str):
        return printable(one)
    if isinstance(one, Text):
        one.plain = printable(one.plain)
    elif isinstance(one, Table):
        for column in one.columns:
            column._cells = [_made_printable(cell) for cell in column._cells]
    return one


def show_reply(document: dict[str, Any]) -> None:
    """Print a reply with what it rests on."""
    console = Terminal(soft_wrap=True)
    if document["engines"]["recognition"] != "typed":
        heard = document["transcript"] or "(nothing)"
        console.print(Text.assemble(("heard    ", "dim"), f"{heard}  ", (_by_ear(document), "dim")))
    for number, sentence in enumerate(document["sentences"]):
        label = document["outcome"] if number == 0 else ""
        console.print(Text.assemble((f"{label:<10}", "bold"), sentence["text"]))
    for citation in document["citations"]:
        page = f", page {citation['page']}" if citation["page"] else ""
        console.print(Text(f"{'from':<10}{citation['source']}{page} ({citation['score']:.2f})", "dim"))
    times = document["timings_ms"]
    shown = [f"{name.replace('_', ' ')} {times[name]:.0f} ms" for name in TIMED if times[name] is not None]
    console.print(Text(f"{'times':<10}{', '.join(shown)}", "dim"))
    video = document["video"]
    if video:
        console.print(f"{'clip':<10}{video['path']} ({video['duration_s']} s, {video['frames']} frames)")


def show_passages(document: dict[str, Any]) -> None:
    """Print search results, best first."""
    console = Terminal()
    table = Table(box=None, pad_edge=False)
    for name in ("score", "source", "passage"):
        table.add_column(name, overflow="fold")
    for passage in document["passages"]:
        words = f"{passage['title']}: {passage['text']}"
        table.add_row(f"{passage['score']:.2f}", passage["source"], Text(words))
    console.print(table)
    console.print(f"how likely the knowledge answers this: {document['answerable']:.2f}")


def _by_ear(document: dict[str, Any]) -> str:
    return f"({document['engines']['recognition']}, confidence {document['confidence']:.2f})"
