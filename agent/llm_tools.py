"""A desk's tools in a language model's hands: typed, bounded, fed by the visitor's words alone."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from agent.errors import ToolError
from agent.llm_prompt import result
from agent.mcp import McpTool
from agent.sentence import Citation
from agent.threads import in_guard, in_tool
from agent.tools import Slot, Tool, digits_from_words, run_tool

if TYPE_CHECKING:
    from langchain_core.messages import InvalidToolCall, ToolCall, ToolMessage
    from langchain_core.tools import StructuredTool
    from pydantic import BaseModel

MOST_CALLS = 6
"""Tool calls in one answer; a model that wants more goes round in circles."""
TOOL_S = 5.0
"""How long one call may take; the visitor waits."""
LONGEST_RESULT = 4000
"""Characters of a result that the model reads and the desk may rest on."""

_RUN = re.compile(r"\d{3,}")
_ADDRESS = re.compile(r"https?://[^\s\"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_GAPS = re.compile(r"(?<=\d)[\s,.\-]+(?=\d)")


@dataclass(frozen=True, slots=True)
class Wish:
    """A tool that would change something: it waits for the visitor's yes."""

    tool: Tool
    values: Mapping[str, str]


class Toolbox:
    """The tools of one answer.

    Args:
        tools: what may be called.
        said: the visitor's words, this turn's and those before: numbers and addresses come from them alone.
        language: ISO 639-1, of the lines.
        state_dir: the desk's state folder.
        screened: returns a result as it may be used, or None where it is withheld.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        said: Sequence[str],
        *,
        language: str,
        state_dir: Path,
        screened: Callable[[str], str | None] = lambda text: text,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._language = language
        self._state_dir = state_dir
        self._screened = screened
        self._said = " \n ".join([*said, *map(digits_from_words, said)])
        self._said += " \n " + _GAPS.sub("", self._said)
        self._answers: dict[str, str] = {}
        self._calls = 0
        self.results: list[Citation] = []
        """What tools returned; sentences rest on it as on passages."""
        self.wish: Wish | None = None
        """What the model wants changed; nothing was done."""
        self.failed: list[str] = []
        """Messages of tools that did not work."""

    def __bool__(self) -> bool:
        return bool(self._tools)

    def offered(self) -> list[StructuredTool]:
        """Return the tools as a chat model takes them."""
        return [self._offer(tool) for tool in self._tools.values()]

    async def run(self, calls: Iterable[ToolCall | InvalidToolCall], first: int) -> list[ToolMessage]:
        """Run what a model asks for; whatever is wrong with a call is told to the model.

        Args:
            calls: as langchain parsed them.
            first: number by which the next result is cited.
        """
        from langchain_core.messages import ToolMessage

        messages = []
        for call in calls:
            name = call["name"] or ""
            content, fine = await self._one(name, call["args"], first + len(self.results))
            status = "success" if fine else "error"
            messages.append(ToolMessage(content, tool_call_id=call["id"] or "", name=name, status=status))
        return messages

    async def _one(self, name: str, args: Any, number: int) -> tuple[str, bool]:
        self._calls += 1
        if self._calls > MOST_CALLS:
            return "No more calls; answer with what there is.", False
        chosen = self._tools.get(name)
        if chosen is None:
            return f"There is no tool {name[:60]!r}; there are: {', '.join(self._tools)}.", False
        if not isinstance(args, dict):
            return "The arguments are no JSON object; write them anew.", False
        key = f"{name} {json.dumps(args, sort_keys=True, default=str)}"
        if key in self._answers:
            return self._answers[key], True
        foreign = self._foreign(args)
        if foreign:
            return f"The visitor did not say {foreign[:80]!r}; ask them, and call no tool with it.", False
        try:
            values = _checked(chosen, args)
        except ValueError as error:
            return str(error), False
        if chosen.changes:
            if self.wish is None:
                self.wish = Wish(chosen, values)
            return "The visitor is asked first; nothing was done.", False
        try:
            async with asyncio.timeout(TOOL_S):
                line = await in_tool(
                    run_tool, chosen, values, language=self._language, state_dir=self._state_dir
                )
        except (ToolError, TimeoutError) as error:
            self.failed.append(str(error) or f"the desk's tool {name} took over {TOOL_S:g} s; see tools.py")
            return "The tool does not work at the moment; say that you cannot look it up.", False
        kept = await in_guard(self._screened, line[:LONGEST_RESULT])
        if kept is None:
            self.failed.append(f"the result of the desk's tool {name} was withheld by the guard")
            return "The result was withheld; say that you cannot look it up.", False
        self.results.append(Citation(f"tool:{name}", chosen.titled(self._language), kept, 1.0))
        self._answers[key] = result(number, name, kept)
        return self._answers[key], True

    def _foreign(self, args: Mapping[str, Any]) -> str:
        """Return a number or an address among the arguments that the visitor never said, or ""."""
        given = json.dumps(args, ensure_ascii=False, default=str)
        known = self._said.casefold() + " ".join(one.text.casefold() for one in self.results)
        for found in [*_ADDRESS.findall(given), *_RUN.findall(_GAPS.sub("", digits_from_words(given)))]:
            if found.casefold() not in known:
                return str(found)
        return ""

    def _offer(self, chosen: Tool) -> StructuredTool:
        from langchain_core.tools import StructuredTool

        description = chosen.description.split("\n\n", 1)[0] or chosen.name
        return StructuredTool(
            name=chosen.name,
            description=description,
            args_schema=dict(chosen.schema) if isinstance(chosen, McpTool) else _arguments(chosen),
            func=lambda **_: "",  # the toolbox runs it, with what it has checked
        )


def _arguments(chosen: Tool) -> type[BaseModel]:
    """Return the model of a tool's arguments: a text for each slot, of the slot's pattern."""
    from pydantic import AfterValidator, Field, create_model

    fields: dict[str, Any] = {
        name: (
            Annotated[str, AfterValidator(_taken_by(slot))],
            Field(description=slot.ask.get("en", "") or next(iter(slot.ask.values()), "")),
        )
        for name, slot in chosen.slots.items()
    }
    model: type[BaseModel] = create_model(chosen.name, **fields)
    return model


def _taken_by(slot: Slot) -> Callable[[str], str]:
    def take(value: str) -> str:
        found = re.search(slot.pattern, digits_from_words(value), re.IGNORECASE)
        if not found:
            raise ValueError(f"{value[:60]!r} is not what is meant; ask: {next(iter(slot.ask.values()), '')}")
        return str(found.group(1) if found.re.groups else found.group())

    return take


def _checked(chosen: Tool, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's arguments, typed.

    Raises:
        ValueError: something is missing, too much or not of its slot's pattern; the message is for the model.
    """
    from pydantic import ValidationError

    if isinstance(chosen, McpTool):  # the server checks types; names and presence are told here
        known, needed = chosen.schema.get("properties", {}), chosen.schema.get("required", ())
        missing = [name for name in needed if name not in args]
        if missing:
            raise ValueError(f"missing: {', '.join(missing)}; ask the visitor for it.")
        return {name: value for name, value in args.items() if name in known}
    try:
        model = _arguments(chosen).model_validate({k: str(v) for k, v in args.items()})
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3]]
        raise ValueError("; ".join(told)) from None
    return dict(model.model_dump())
