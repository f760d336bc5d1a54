from pathlib import Path
from typing import Annotated

import pytest

from agent.errors import ToolError
from agent.tools import Slot, digits_from_words, load_tools, run_tool, tool

NUMBER = Slot(pattern=r"\b(?:HP-?)?(\d{5})\b", ask={"en": "Which order?"})


@tool(about=r"order|订单")
def look(*, number: Annotated[str, NUMBER], language: str, state_dir: Path) -> str:
    """Look."""
    return f"{number} in {language} at {state_dir.name}"


@pytest.mark.parametrize(
    ("spoken", "digits"),
    [
        ("my order one oh three four two please", "my order 10342 please"),
        ("order 1 0 3 4 2", "order 10342"),
        ("订单一零三四二", "订单10342"),
        ("one lamp and two chairs", "one lamp and two chairs"),
        ("HP-10342", "HP-10342"),
        ("order ſix ſeven one zero two", "order 67102"),
    ],
)
def test_spelt_digits_become_a_number(spoken: str, digits: str) -> None:
    assert digits_from_words(spoken) == digits


def test_slots_are_filled_from_the_visitors_words() -> None:
    assert look.fill("where is HP-10342") == {"number": "10342"}
    assert look.fill("where is my order one zero three four two") == {"number": "10342"}
    assert look.fill("where is my order") is None


def test_a_tool_is_called_with_language_and_state(tmp_path: Path) -> None:
    line = run_tool(look, {"number": "10342"}, language="en", state_dir=tmp_path)
    assert line == f"10342 in en at {tmp_path.name}"


def test_a_failing_tool_is_named_but_not_its_arguments(tmp_path: Path) -> None:
    @tool(about="x")
    def broken(*, language: str, state_dir: Path) -> str:
        """Break."""
        raise RuntimeError("secret 10342")

    with pytest.raises(ToolError, match="broken") as caught:
        run_tool(broken, {}, language="en", state_dir=tmp_path)
    assert "10342" not in str(caught.value)


@pytest.mark.parametrize("line", [None, "", "  ", 7])
def test_a_tool_that_says_nothing_is_an_error(tmp_path: Path, line: object) -> None:
    @tool(about="x")
    def silent(*, language: str, state_dir: Path) -> str:
        """Say nothing."""
        return line  # type: ignore[return-value]

    with pytest.raises(ToolError, match="no line"):
        run_tool(silent, {}, language="en", state_dir=tmp_path)


def test_a_desk_without_tools_has_none(tmp_path: Path) -> None:
    assert load_tools(tmp_path / "tools.py") == ()


@pytest.mark.parametrize("code", ["TOOLS = [1]", "x = 1", "def broken(:", "raise ValueError('no')"])
def test_a_bad_tools_file_is_refused(tmp_path: Path, code: str) -> None:
    file = tmp_path / "tools.py"
    file.write_text(code)
    with pytest.raises(ToolError, match=r"tools\.py"):
        load_tools(file)
