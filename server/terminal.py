"""What commands print for people at a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

TIMED = ("vad", "recognition", "retrieval", "first_sentence", "first_sound", "first_frame", "total")


def show_reply(document: dict[str, Any]) -> None:
    """Print a reply with what it rests on."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
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
    console = Console(highlight=False, markup=False)
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
