"""A desk under test: its engines open once, with a state of its own that every replay begins anew."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from agent.desk import Desk
from agent.engines import Engines
from agent.llm import OpenAIAnswerer
from evals.replay.actions import Actions
from evals.replay.outside import Outside
from evals.replay.record import Called, Mode
from evals.replay.remembered_voice import RememberedVoice
from evals.scripts import Script, ScriptError
from moderation.classifier import shared_classifier
from speech.espeak import EspeakSynthesizer
from speech.scripted_voice import ScriptedSynthesizer

REMEMBERED = 4096
"""Texts whose scores a replay in words need not ask the classifier for again."""

INDEX = "knowledge"
"""Folder of a desk's state in which lies what it learnt."""

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
        self._scratch = Path(tempfile.mkdtemp(prefix="visavis-eval-"))
        with ExitStack() as opened:
            opened.callback(shutil.rmtree, self._scratch, ignore_errors=True)
            learnt = desk.state_folder / INDEX
            if learnt.is_dir():
                shutil.copytree(learnt, self._scratch / INDEX)
            self.desk = replace(desk, state=self._scratch)
            self._actions = Actions(self.desk)
            self.engines = Engines.open(
                self.desk,
                hearing=mode == "audio",
                remind=False,
                step=step,
                voice=RememberedVoice(ScriptedSynthesizer()) if mode == "text" else None,
                watched=self._actions.watched,
            )
            opened.callback(self.engines.close)
            if mode == "text" and self.engines.guard.policy.engines.embedded:
                shared_classifier().remember(REMEMBERED)
            if isinstance(self.engines.synthesizer, EspeakSynthesizer):
                self.engines.synthesizer.repeatable = True
            if isinstance(self.engines.answerer, OpenAIAnswerer):
                self.engines.answerer = Outside(self.engines.answerer)
            self._known = [tool.name for tool in self.engines.tools]
            if change is not None:
                change(self.engines)
            self._opened = opened.pop_all()
        self._kept = {one.name for one in self._scratch.iterdir()}
        self._covered: list[tuple[Path, bytes | None]] = []
        """Files that a script laid among those that are kept, and what stood there before; None: nothing."""

    def fresh(self, script: Script) -> None:
        """Forget what was done before, and lay out what a script begins with.

        Raises:
            ScriptError: a file that it names cannot be copied, or the desk has no such action.
            ToolError: the desk's actions cannot be begun anew.
        """
        self._check_tools(script)
        self._clear()
        for name, source in script.fixtures.files.items():
            target = self._scratch / name
            try:
                if Path(name).parts[0] in self._kept and not target.is_dir():
                    self._covered.append((target, target.read_bytes() if target.is_file() else None))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(script.file.parent / source, target)
            except OSError as error:
                line = script.line("fixtures", "files", name)
                raise ScriptError(f"{source} cannot be copied ({error})", script.file, line) from None
        with at_its_time(script):
            self._actions.renew(script.fixtures.clock, self.engines.mcp)

    def _clear(self) -> None:
        """Remove what a script before laid out, and what was done in it."""
        while self._covered:
            file, before = self._covered.pop()
            if before is None:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(before)
        for one in self._scratch.iterdir():
            if one.name not in self._kept:
                shutil.rmtree(one) if one.is_dir() else one.unlink()

    def _check_tools(self, script: Script) -> None:
        """See that the actions that are wanted, or ruled out, could be taken at all."""
        known = self._known
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
    def calls(self) -> list[Called]:
        """Actions that were taken since `fresh`."""
        return self._actions.calls

    @property
    def state(self) -> Path:
        """The folder in which its tools keep what they do."""
        return self._scratch

    def close(self) -> None:
        """End the engines, and remove the state."""
        self._opened.close()

    def __enter__(self) -> DeskUnderTest:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


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
