"""The sweep: what of a long text engines read, when they cannot read all of it.

A flood of harmless words costs as much to judge as any other. So a quick model reads everything first, and
engines judge the beginning, and the pieces that look worst to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Sketch: TypeAlias = Callable[[Sequence[str]], Sequence[float]]
"""How bad each text may be, on any scale; a tenth of the cost of judging it."""
PIECE = 200
"""Characters: some two sentences, so that one sentence is not lost in what stands around it."""
STEP = 130
"""Characters from one piece to the next: a sentence of 70 stands in one as a whole."""
MOST_SWEPT = 200_000
"""Characters that are read so, half a second; the rules call what is longer a flood."""
BEGINNING = 2
"""Windows at a text's beginning that are judged in any case."""
WORST = 24
"""Pieces that are judged of what is said."""
WORST_WINDOWS = 6
"""Of documents and results: a single sentence of them is often an order, so more is judged at once."""


def worst_of(text: str, sketch: Sketch, size: int = PIECE, most: int = WORST) -> list[str]:
    """Return what of a long text looks worst, as it follows one another there.

    Args:
        text: of which the first `MOST_SWEPT` characters are read.
        sketch: tells how bad a piece of `PIECE` characters may be.
        size: characters that are returned around each.
        most: how many are returned.
    """
    starts = range(0, max(1, min(len(text), MOST_SWEPT) - PIECE + STEP), STEP)
    pieces = [text[start : start + PIECE] for start in starts]
    first = {piece: at for at, piece in reversed(list(enumerate(pieces)))}  # the same words say the same
    scores = dict(zip(first, sketch(list(first)), strict=True))
    chosen: list[int] = []
    for piece in sorted(first, key=lambda piece: -scores[piece]):
        begins = max(0, starts[first[piece]] - (size - PIECE) // 2)
        if not any(abs(begins - other) < size - PIECE for other in chosen):
            chosen.append(begins)
        if len(chosen) == most:
            break
    return list(dict.fromkeys(text[begins : begins + size] for begins in sorted(chosen)))
