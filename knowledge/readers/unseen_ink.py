"""Text in a PDF that is drawn so that nobody sees it."""

from __future__ import annotations

from typing import Any

WHITE = 0.97
"""Of 1, on every channel."""
LEAST_SIZE = 1.5
"""Points on paper; smaller letters are not there to be read."""
_SHOW = (b"Tj", b"TJ", b"'", b'"')
_PAINT = (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"sh")


def without_unseen(page: Any, reader: Any) -> list[str]:
    """Cut from a page's own content what is drawn invisible, white on white, or too small to see.

    White letters count as seen where the page paints something coloured or a picture before them; invisible
    ones where it holds a picture, for then they are a scan's recognised text.

    Returns:
        What was cut, a phrase each.
    """
    from pypdf.generic import ContentStream, NameObject

    contents = page.get_contents()
    if contents is None:
        return []
    stream = ContentStream(contents, reader)
    kept: list[Any] = []
    found: list[str] = []
    state = _Ink()
    stack: list[_Ink] = []
    painted = pictured = False
    for operands, operator in stream.operations:
        if operator == b"q":
            stack.append(state.copy())
        elif operator == b"Q" and stack:
            state = stack.pop()
        elif operator in _PAINT:
            painted |= not state.white
        elif operator in (b"Do", b"INLINE IMAGE"):
            painted = pictured = True
        elif operator in _SHOW:
            reason = state.unseen(painted=painted, pictured=pictured)
            if reason and any(_letters(operand) for operand in operands):
                found.append(reason)
                continue
        else:
            state.follow(operator, operands)
        kept.append((operands, operator))
    if found:
        stream.operations = kept
        page[NameObject("/Contents")] = stream
    return list(dict.fromkeys(found))


class _Ink:
    """What the next letters are drawn with."""

    def __init__(self) -> None:
        self.white = False
        self.mode = 0
        self.points = 12.0
        self.scale = 1.0
        self.page_scale = 1.0

    def copy(self) -> _Ink:
        other = _Ink()
        other.__dict__.update(self.__dict__)
        return other

    def follow(self, operator: bytes, operands: Any) -> None:
        """Take over what an operator sets."""
        try:
            values = [float(operand) for operand in operands if not isinstance(operand, str)]
            if operator in (b"g", b"rg", b"sc", b"scn") and values:
                self.white = sum(values) <= 4 * (1 - WHITE) if len(values) == 4 else min(values) >= WHITE
            elif operator == b"k":
                self.white = sum(values) <= 4 * (1 - WHITE)
            elif operator == b"Tr":
                self.mode = int(values[0])
            elif operator == b"Tf":
                self.points = abs(values[-1])
            elif operator == b"Tm":
                self.scale = (values[2] ** 2 + values[3] ** 2) ** 0.5
            elif operator == b"cm":
                self.page_scale *= (values[2] ** 2 + values[3] ** 2) ** 0.5
            elif operator == b"BT":
                self.scale = 1.0
        except (TypeError, ValueError, IndexError):
            return

    def unseen(self, *, painted: bool, pictured: bool) -> str:
        """Return why letters drawn now would not be seen; empty where they are."""
        if self.mode == 3 and not pictured:
            return "invisible text"
        if self.white and self.mode in (0, 4) and not painted:
            return "white text on white"
        if self.points * self.scale * self.page_scale < LEAST_SIZE:
            return "text too small to read"
        return ""


def _letters(operand: Any) -> bool:
    if isinstance(operand, str | bytes):
        return bool(operand.strip())
    return isinstance(operand, list) and any(_letters(one) for one in operand)
