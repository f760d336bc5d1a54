"""Text in a PDF that is drawn so that nobody sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

WHITE = 0.97
"""Of 1, on every channel."""
LEAST_SIZE = 1.5
"""Points on paper; smaller letters are not there to be read."""
MOST_BOXES = 20_000
_SHOW = (b"Tj", b"TJ", b"'", b'"')
_PAINT = (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*")
_END_PATH = (*_PAINT, b"S", b"s", b"n")

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
_PLAIN: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Ink:
    """What the next letters are drawn with."""

    ctm: Matrix = _PLAIN
    white: bool = False
    mode: int = 0
    """3 is invisible."""
    points: float = 12.0
    leading: float = 0.0


@dataclass(slots=True)
class _Drawing:
    """A page while its content is followed."""

    ink: Ink = Ink()
    text: Matrix = _PLAIN
    path: list[tuple[float, float]] = field(default_factory=list)
    stack: list[Ink] = field(default_factory=list)
    painted: list[Box] = field(default_factory=list)
    """Where something coloured lies."""
    pictured: bool = False


def without_unseen(page: Any, reader: Any) -> list[str]:
    """Cut from a page's own content what is drawn invisible, white on white, or too small to see.

    White letters count as seen where something coloured was painted below them; invisible ones where the page
    holds a picture, for then they are a scan's recognised text.

    Returns:
        What was cut, a phrase each.
    """
    from pypdf.generic import ContentStream, NameObject

    contents = page.get_contents()
    if contents is None:
        return []
    # Forced to bytes: else the letters' codes would be taken for characters, and written back as other ones.
    stream = ContentStream(contents, reader, "bytes")
    drawing = _Drawing()
    kept: list[Any] = []
    found: list[str] = []
    for operands, operator in stream.operations:
        if operator in _SHOW:
            if operator in (b"'", b'"'):
                _step(drawing, 0.0, -drawing.ink.leading)
            reason = _unseen(drawing)
            if reason and any(_letters(operand) for operand in operands):
                found.append(reason)
                continue
        else:
            _follow(drawing, operator, operands)
        kept.append((operands, operator))
    if found:
        stream.operations = kept
        page[NameObject("/Contents")] = stream
    return list(dict.fromkeys(found))


def _unseen(drawing: _Drawing) -> str:
    """Return why letters drawn now would not be seen; empty where they are."""
    ink = drawing.ink
    place = _times(drawing.text, ink.ctm)
    if ink.mode == 3:
        return "" if drawing.pictured else "invisible text"
    if ink.white and ink.mode in (0, 4):
        x, y = place[4], place[5]
        boxes = drawing.painted
        if not any(
            left - 1 <= x <= right + 1 and low - 1 <= y <= high + 1 for left, low, right, high in boxes
        ):
            return "white text on white"
    if ink.points * (place[2] ** 2 + place[3] ** 2) ** 0.5 < LEAST_SIZE:
        return "text too small to read"
    return ""


def _follow(drawing: _Drawing, operator: bytes, operands: Any) -> None:
    """Take over what an operator sets or paints."""
    try:
        values = [float(operand) for operand in operands if not isinstance(operand, str | bytes)]
        if operator == b"q":
            drawing.stack.append(drawing.ink)
        elif operator == b"Q":
            drawing.ink = drawing.stack.pop()
        elif operator == b"cm":
            drawing.ink = replace(drawing.ink, ctm=_times(_matrix(values), drawing.ink.ctm))
        elif operator in (b"g", b"rg", b"sc", b"scn", b"k"):
            drawing.ink = replace(drawing.ink, white=_is_white(values))
        elif operator in (b"Do", b"INLINE IMAGE"):
            drawing.pictured = True
            _add_box(drawing, [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)])
        elif operator == b"sh":
            drawing.painted.append((-1e9, -1e9, 1e9, 1e9))
        elif operator in _END_PATH:
            if operator in _PAINT and not drawing.ink.white:
                _add_box(drawing, drawing.path)
            drawing.path = []
        elif operator == b"re":
            x, y, width, height = values
            drawing.path += [(x, y), (x + width, y + height), (x, y + height), (x + width, y)]
        elif operator in (b"m", b"l", b"c", b"v", b"y"):
            drawing.path.append((values[-2], values[-1]))
        else:
            _follow_text(drawing, operator, values)
    except (TypeError, ValueError, IndexError):
        return


def _follow_text(drawing: _Drawing, operator: bytes, values: list[float]) -> None:
    if operator == b"BT":
        drawing.text = _PLAIN
    elif operator == b"Tm":
        drawing.text = _matrix(values)
    elif operator in (b"Td", b"TD"):
        _step(drawing, values[0], values[1])
        if operator == b"TD":
            drawing.ink = replace(drawing.ink, leading=-values[1])
    elif operator == b"T*":
        _step(drawing, 0.0, -drawing.ink.leading)
    elif operator == b"TL":
        drawing.ink = replace(drawing.ink, leading=values[0])
    elif operator == b"Tr":
        drawing.ink = replace(drawing.ink, mode=int(values[0]))
    elif operator == b"Tf":
        drawing.ink = replace(drawing.ink, points=abs(values[-1]))


def _step(drawing: _Drawing, x: float, y: float) -> None:
    drawing.text = _times((1.0, 0.0, 0.0, 1.0, x, y), drawing.text)


def _add_box(drawing: _Drawing, path: list[tuple[float, float]]) -> None:
    if not path or len(drawing.painted) >= MOST_BOXES:
        return
    a, b, c, d, e, f = drawing.ink.ctm
    xs = [a * x + c * y + e for x, y in path]
    ys = [b * x + d * y + f for x, y in path]
    drawing.painted.append((min(xs), min(ys), max(xs), max(ys)))


def _is_white(values: list[float]) -> bool:
    if not values:
        return False
    return sum(values) <= 4 * (1 - WHITE) if len(values) == 4 else min(values) >= WHITE


def _matrix(values: list[float]) -> Matrix:
    a, b, c, d, e, f = values
    return (a, b, c, d, e, f)


def _times(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix of the first transformation followed by the second."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


def _letters(operand: Any) -> bool:
    if isinstance(operand, str | bytes):
        return bool(operand.strip())
    return isinstance(operand, list) and any(_letters(one) for one in operand)
