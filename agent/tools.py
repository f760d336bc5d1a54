"""Business actions of a desk: plain typed functions in its `tools.py`, listed in `TOOLS`."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
_TENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
}  # fmt: skip
_PAIR = re.compile(
    rf"\b({'|'.join(_TENS)})(?:[\s-]+(one|two|three|four|five|six|seven|eight|nine))?\b", re.IGNORECASE
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_TITLES = {"en": ("What we found", "What was done"), "zh": ("查询结果", "办理结果")}
"""Language → the title of a tool that has none: one that looks something up, one that changes something."""
_ONE = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
_REPEATED = re.compile(rf"\b(double|triple|treble)[\s-]+(\d|{_ONE})\b", re.IGNORECASE)
_ONE_WORD = re.compile(rf"\b{_ONE}\b|[零〇一幺二两三四五六七八九]", re.IGNORECASE)
_GAP = re.compile(r"(?<=\d)[\s,，、.\-–]+(?=\d)")
_SPACED = re.compile(r"(?<=\d)[ \u00a0-](?=\d)")
_NONSENSE = "qzx vwk"
"""A pattern that finds something in this takes any words."""
_DIGIT_WORD = re.compile("|".join(DIGIT_WORDS), re.IGNORECASE)
_SPELT_DIGITS = re.compile(r"(?<!\d)\d(?:[\s-]\d){2,}(?!\d)")


@dataclass(frozen=True, slots=True)
class Slot:
    """What a tool's argument looks like in a visitor's words; stands in `Annotated[str, Slot(…)]`."""

    pattern: str
    """Regular expression; group 1, or the whole match, is the value. Digits are given as digits."""
    ask: Mapping[str, str]
    """Language → the question that asks the visitor for it."""
    answer: str = ""
    """Regular expression of the value where the visitor was asked for it; empty: `pattern`."""

    @property
    def free(self) -> bool:
        """Whether any words will do, so that only an answer to `ask` fills it."""
        return bool(re.search(self.pattern, _NONSENSE, re.IGNORECASE))

    @property
    def digits(self) -> bool:
        """Whether its value is made of digits, which people dictate one by one."""
        if self.free or self.answer and re.search(self.answer, _NONSENSE, re.IGNORECASE):
            return False
        bare = re.sub(r"\\.", "", self.pattern)
        return bool(re.search(r"\\d|\[0-9", self.pattern)) and not re.search(
            r"[A-Za-z]{3}|[\u3400-\u9fff]", bare
        )

    def find(self, text: str) -> str | None:
        """Return the value that stands in a visitor's words, or None."""
        if self.free:
            return None
        spoken = digits_from_words(text)
        value = _found(self.pattern, spoken)
        return _found(self.pattern, _SPACED.sub("", spoken)) if value is None and self.digits else value

    def read(self, text: str, before: str = "") -> str | None:
        """Return the value in the answer to `ask`, or None.

        Args:
            text: the visitor's words.
            before: digits that were dictated before.
        """
        pattern = self.answer or self.pattern
        if not self.digits:
            return _found(pattern, text.strip().rstrip(" .。"))  # a question is made of it
        tries = [digits_from_words(text), dictated(text)]
        if before:
            tries.append(before + digits_of(text))
        return next((value for one in tries if (value := _found(pattern, one)) is not None), None)

    def question(self, language: str) -> str:
        """Return `ask` in a language, or in any; empty where there is none."""
        return self.ask.get(language) or next(iter(self.ask.values()), "")


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
    changes: bool = False
    """It changes something: it runs only after the visitor has said yes, and at most once."""
    confirm: Mapping[str, str] = field(default_factory=dict)
    """Language → the question whether to do it, with the slots' names in braces."""
    asks: re.Pattern[str] | None = None
    """What the visitor's words must be about for missing slots to be asked for; None: a wish of their own."""

    title: Mapping[str, str] = field(default_factory=dict)
    """Language → what visitors see it called, for example "Your order"."""

    def titled(self, language: str) -> str:
        """Return what visitors see it called: its title, or its description if that is in their language."""
        line = self.description.split("\n", 1)[0].rstrip(".。 ")
        own = "zh" if _HAN.search(line) else "en"
        plain = _TITLES.get(language, _TITLES["en"])[self.changes]
        return self.title.get(language) or (line if own == language else "") or plain

    def fill(self, text: str) -> dict[str, str] | None:
        """Return the slots' values found in a visitor's words, or None when one is missing."""
        values = self.found(text)
        return values if len(values) == len(self.slots) else None

    def found(self, text: str) -> dict[str, str]:
        """Return the values that stand in a visitor's words, of as many slots as there are."""
        found = {name: slot.find(text) for name, slot in self.slots.items()}
        return {name: value for name, value in found.items() if value is not None}


def tool(
    *,
    about: str,
    changes: bool = False,
    confirm: Mapping[str, str] | None = None,
    asks: str = "",
    title: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., str]], Tool]:
    """Declare a function as a desk's tool.

    The function takes keyword arguments: `language` (ISO 639-1), `state_dir` (a `Path` that it may
    write to), and one `Annotated[str, Slot(…)]` for each thing that it must know. It returns a line that
    can be said aloud.

    Args:
        about: regular expression; the embedded answerer calls the tool only where it matches.
        changes: it changes something, so the visitor is asked first and it is done at most once.
        confirm: language → that question, for example "Shall I cancel the order {order_number}?".
        asks: regular expression; missing slots are asked for only where it matches. Left out: where the
            visitor speaks of something of their own, or wants something done.
        title: language → what visitors see it called, for example "Your order".
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
            changes=changes,
            confirm=dict(confirm or {}),
            asks=re.compile(asks, re.IGNORECASE) if asks else None,
            title=dict(title or {}),
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


def dictated(text: str) -> str:
    """Write the digits of an answer to "what is the number?" together, however they were grouped.

    "ten three forty-two", "double four one", "103 42" and "一零三 四二" become one number each; where other
    words stand between digits, they stay apart.
    """

    def pair(found: re.Match[str]) -> str:
        tens, ones = _TENS[found.group(1).casefold()], found.group(2)
        if not ones:
            return f" {tens} "
        one = DIGIT_WORDS[ones.casefold()]
        return f" {tens[0]}{one} " if tens[1] == "0" and tens != "10" else f" {tens} {one} "

    def again(found: re.Match[str]) -> str:
        times = 2 if found.group(1).casefold() == "double" else 3
        digit = found.group(2).casefold()
        return f" {DIGIT_WORDS.get(digit, digit) * times} "

    text = _PAIR.sub(pair, _REPEATED.sub(again, text))
    text = _ONE_WORD.sub(lambda found: f" {DIGIT_WORDS[found.group().casefold()]} ", text)
    return _GAP.sub("", text)


def digits_of(text: str) -> str:
    """Return all digits of an answer, dictated or written, one behind the other."""
    return "".join(re.findall(r"[0-9]", dictated(text)))


def _found(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.IGNORECASE)
    if not found:
        return None
    value = found.group(1) if found.re.groups else found.group()
    return value.strip() or None if value else None


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
