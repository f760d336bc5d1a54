"""What visitors wrote does not steer the terminal of who reads it."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from server.printable import printable
from server.terminal import Terminal

HOSTILE = "price \x1b]0;PWNED\x07\x1b[2J of\x9b31m \u202epaddles\r\n"


def test_nothing_that_steers_a_terminal_is_left() -> None:
    assert printable(HOSTILE) == "price ·]0;PWNED··[2J of·31m ·paddles·\n"
    assert printable("保修多久？\tcafé 👩‍🚀") == "保修多久？\tcafé 👩‍🚀"


@pytest.mark.parametrize("how", [str, Text, lambda text: _row(Text(text)), lambda text: _row(text)])
def test_a_terminal_prints_words_rows_and_texts_harmlessly(how: object) -> None:
    out = io.StringIO()
    terminal = Terminal()
    terminal.file = out
    terminal.print(how(HOSTILE))
    assert "PWNED" in out.getvalue()
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(out.getvalue())


def _row(cell: object) -> Table:
    table = Table(box=None)
    table.add_column("question")
    table.add_row(cell)
    return table
