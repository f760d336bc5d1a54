"""A desk under test: its engines open once, with a state of its own that every replay begins anew."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from agent.desk import Desk
from agent.engines import Engines
from agent.llm import OpenAIAnswerer
from agent.tools import Tool
from evals.replay.outside import Outside
from evals.replay.record import Called, Mode
from evals.replay.remembered_voice import RememberedVoice
from evals.scripts import Script, ScriptError
from moderation.classifier import shared_classifier
from speech.scripted_voice import ScriptedSynthesizer

REMEMBERED = 4096
"""Texts whose scores a replay in words need not ask the classifier for again."""

Change = Callable[[Engines], None]
"""Changes engines after they were opened: another answerer, a slower voice. For A/B and planted faults."""


class DeskUnderTest:
    """A desk's engines, opened for replays.

    Args:
        desk: which.
        mode: "text" speaks without sound and hears nothing.
        step: told what is being opened.
        change: made to the engines.

    Raises:
        AgentError, KnowledgeError, ModerationError, SpeechError: an engine cannot be opened.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        mode: Mode = "text",
        step: Callable[[str], None] = lambda _: None,
        change: Change | None = None,
    ) -> None:
        self.calls: list[Called] = []
        """Actions that were taken since `fresh`."""
        self._scratch = Path(tempfile.mkdtemp(prefix="visavis-eval-"))
        try:
            learnt = desk.state_folder / "knowledge"
            if learnt.is_dir():
                shutil.copytree(learnt, self._scratch / "knowledge")
            self.desk = replace(desk, state=self._scratch)
            self.engines = Engines.open(
                self.desk,
                hearing=mode == "audio",
                remind=False,
                step=step,
                voice=RememberedVoice(ScriptedSynthesizer()) if mode == "text" else None,
                watched=self._watched,
            )
            if mode == "text" and self.engines.guard.policy.engines.embedded:
                shared_classifier().remember(REMEMBERED)
            if isinstance(self.engines.answerer, OpenAIAnswerer):
                self.engines.answerer = Outside(self.engines.answerer)
            if change is not None:
                change(self.engines)
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        self._kept = {one.name for one in self._scratch.iterdir()}

    def fresh(self, script: Script) -> None:
        """Forget what was done before, and lay out what a script begins with.

        Raises:
            ScriptError: a file that it names cannot be copied, or the desk has no such action.
        """
        self._check_tools(script)
        self.calls.clear()
        for one in self._scratch.iterdir():
            if one.name not in self._kept:
                shutil.rmtree(one) if one.is_dir() else one.unlink()
        for name, source in script.fixtures.files.items():
            target = self._scratch / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(script.file.parent / source, target)
            except OSError as error:
                line = script.line("fixtures", "files", name)
                raise ScriptError(f"{source} cannot be copied ({error})", script.file, line) from None

    def _check_tools(self, script: Script) -> None:
        """See that the actions that are wanted, or ruled out, could be taken at all."""
        known = [tool.name for tool in self.engines.tools]
        for place in (("expect",), *(("turns", number, "expect") for number in range(len(script.turns)))):
            wanted = script.expect if place == ("expect",) else script.turns[int(place[1])].expect
            for number, one in enumerate(wanted.tools or ()):
                if one.name in known:
                    continue
                near = difflib.get_close_matches(one.name, known, n=1)
                choice = (
                    f"choose from {', '.join(sorted(known))}" if known else "write it in the desk's tools.py"
                )
                raise ScriptError(
                    f"the desk has no action `{one.name}`: "
                    + (f"did you mean `{near[0]}`?" if near else choice),
                    script.file,
                    script.line(*place, "tools", number, "name") or script.line(*place, "tools"),
                )

    @property
    def state(self) -> Path:
        """The folder in which its tools keep what they do."""
        return self._scratch

    def close(self) -> None:
        """End the engines, and remove the state."""
        self.engines.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> DeskUnderTest:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _watched(self, tool: Tool) -> Tool:
        """Return a tool that writes down how it is called."""

        def call(**values: Any) -> str:
            told = {name: str(value) for name, value in values.items() if name in tool.slots}
            try:
                line = tool.call(**values)
            except Exception as error:
                self.calls.append(Called(tool.name, told, f"{type(error).__name__}: {error}", failed=True))
                raise
            self.calls.append(Called(tool.name, told, str(line)))
            return line

        return replace(tool, call=call)


@contextmanager
def at_its_time(script: Script) -> Iterator[None]:
    """Let the date be the one that a script names, for everything in this process.

    Monotonic clocks go on as they are.
    """
    if script.fixtures.clock is None:
        yield
        return
    import time_machine

    with time_machine.travel(script.fixtures.clock, tick=True):
        yield
