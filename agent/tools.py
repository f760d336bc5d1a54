"""Business actions of a desk: plain typed functions in its `tools.py`, listed in `TOOLS`."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from agent.errors import ToolError

DIGIT_WORDS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "零": "0", "〇": "0", "一": "1", "幺": "1", "二": "2", "两": "2", "三": "3", "四": "4",
    "五": "5", "六": "6", "七": "7", "八": "8", "九": "9",
}  # fmt: skip
_SPOKEN_DIGITS = re.compile(
    r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b[\s,-]*){3,}|[零〇一幺二两三四五六七八九]{3,}",
    re.IGNORECASE,
)
_DIGIT_WORD = re.compile("|".join(DIGIT_WORDS), re.IGNORECASE)
_SPELT_DIGITS = re.compile(r"(?<!\d)\d(?:[\s-]\d){2,}(?!\d)")


@dataclass(frozen=True, slots=True)
class Slot:
    """What a tool's argument looks like in a visitor's words; stands in `Annotated[str, Slot(…)]`."""

    pattern: str
    """Regular expression; group 1, or the whole match, is the value. Digits are given as digits."""
    ask: Mapping[str, str]
    """Language → the question that asks the visitor for it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One action that the dialogue may take."""

    name: str
    description: str
    call: Callable[..., str]
    """Called with `language`, `state_dir` and one keyword argument a slot; returns a line to say."""
    slots: Mapping[str, Slot]
    about: re.Pattern[str]
    """What the visitor's words must be about, for a tool to be called without a language model."""

    def fill(self, text: str) -> dict[str, str] | None:
        """Return the slots' values found in a visitor's words, or None when one is missing."""
        spoken = digits_from_words(text)
        values = {}
        for name, slot in self.slots.items():
            found = re.search(slot.pattern, spoken, re.IGNORECASE)
            if not found:
                return None
            values[name] = found.group(1) if found.re.groups else found.group()
        return values


def tool(*, about: str) -> Callable[[Callable[..., str]], Tool]:
    """Declare a function as a desk's tool.

    The function takes keyword arguments: `language` (ISO 639-1), `state_dir` (a `Path` that it may
    write to), and one `Annotated[str, Slot(…)]` for each thing that it must know. It returns a line that
    can be said aloud.

    Args:
        about: regular expression; the embedded answerer calls the tool only where it matches.
    """

    def declare(function: Callable[..., str]) -> Tool:
        hints = get_type_hints(function, include_extras=True)
        slots: dict[str, Slot] = {}
        for name in inspect.signature(function).parameters:
            hint = hints.get(name)
            if get_origin(hint) is Annotated:
                slots.update((name, part) for part in get_args(hint)[1:] if isinstance(part, Slot))
        return Tool(
            name=function.__name__,
            description=inspect.getdoc(function) or "",
            call=function,
            slots=slots,
            about=re.compile(about, re.IGNORECASE),
        )

    return declare


def load_tools(file: Path) -> tuple[Tool, ...]:
    """Import a desk's `tools.py` and return its `TOOLS`; none where there is no file.

    Raises:
        ToolError: the file cannot be imported or lists something that is not a tool.
    """
    if not file.is_file():
        return ()
    module = _import(file)
    tools: Any = getattr(module, "TOOLS", None)
    if not isinstance(tools, list | tuple) or not all(isinstance(t, Tool) for t in tools):
        raise ToolError(f"{file}: TOOLS must be a list of functions declared with @tool(about=…)")
    return tuple(tools)


def run_tool(chosen: Tool, values: Mapping[str, str], *, language: str, state_dir: Path) -> str:
    """Call a tool and return its line.

    Raises:
        ToolError: the tool raised or said nothing; the message names it, not its arguments.
    """
    try:
        line = chosen.call(language=language, state_dir=state_dir, **values)
    except Exception as error:
        raise ToolError(
            f"the desk's tool {chosen.name} failed ({type(error).__name__}); see tools.py"
        ) from error
    if not isinstance(line, str) or not line.strip():
        raise ToolError(f"the desk's tool {chosen.name} returned no line to say; see tools.py")
    return line


def digits_from_words(text: str) -> str:
    """Write digits that were spelt out ("one oh three", "1 0 3", "一零三") as one number."""

    def join(found: re.Match[str]) -> str:
        digits = _DIGIT_WORD.sub(lambda word: DIGIT_WORDS[word.group().casefold()], found.group())
        return re.sub(r"\D", "", digits) + (" " if found.group()[-1:].isspace() else "")

    return _SPELT_DIGITS.sub(lambda found: re.sub(r"\D", "", found.group()), _SPOKEN_DIGITS.sub(join, text))


def _import(file: Path) -> ModuleType:
    name = f"visavis_desk_tools_{abs(hash(str(file.resolve())))}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ToolError(f"{file}: cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ToolError(f"{file}: {type(error).__name__}: {error}; mend the file or remove it") from error
    return module
