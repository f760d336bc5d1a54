"""The runs behind the live figures: each is made once, whatever is asked of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.live_browser import Trace, converse
from evals.live_load import Load, measured
from evals.live_script import QUESTIONS, Recording, script
from evals.live_server import LiveServer
from evals.live_skew import Skew, skew_of
from evals.live_speech import recording
from evals.live_trace import Talk, talk_of
from speech.synthesizer import load_synthesizer

QUESTIONS_A_RUN = 5
INTERRUPTIONS_A_RUN = 4
SKEW_S_A_RUN = 60.0
LOADS = (1, 2, 3, 4, 6, 8)
"""Visitors at once; it ends at the second number that is too many."""
LOAD_S = 30.0
TAIL_S = 3.0
"""After the recording's end."""


@dataclass
class LiveRuns:
    """Runs of the live conversation.

    Args:
        runs: how long each is; five are 25 questions, 20 interruptions and 5 minutes of marks.
        told: called with what is being done.
        loads: numbers of visitors at once that are tried.
        speech: files and folders of people's recordings for `trace`; none: a synthetic voice.
    """

    runs: int
    told: Callable[[str], None] = lambda _: None
    loads: Sequence[int] = LOADS
    speech: Sequence[Path] = ()
    server_metrics: str = field(default="", init=False)

    @cached_property
    def recording(self) -> Recording:
        """What the visitor says.

        Raises:
            AudioError: `speech` cannot be read, or holds nothing that can be said.
        """
        if self.speech:
            return recording(self.speech, (QUESTIONS_A_RUN + 2 * INTERRUPTIONS_A_RUN) * self.runs)
        return self._recorded(QUESTIONS_A_RUN * self.runs, INTERRUPTIONS_A_RUN * self.runs)

    @cached_property
    def trace(self) -> Trace:
        """A conversation, as the browser saw and heard it."""
        self.told(f"talking for {self.recording.duration_s:.0f} s")
        with tempfile.TemporaryDirectory() as folder, LiveServer() as server:
            microphone = Path(folder) / "microphone.wav"
            self.recording.write(microphone)
            seconds = self.recording.duration_s + TAIL_S
            trace = converse(server, microphone, seconds, told=lambda far: self.told(f"talking, {far}"))
            self.server_metrics = server.metrics()
        return trace

    @cached_property
    def talk(self) -> Talk:
        """What came of it."""
        return talk_of(self.trace, self.recording.said)

    @cached_property
    def marked(self) -> Trace:
        """A conversation with marks in picture and sound."""
        seconds = SKEW_S_A_RUN * self.runs
        with tempfile.TemporaryDirectory() as folder, LiveServer(marks=True) as server:
            microphone = Path(folder) / "microphone.wav"
            self._recorded(max(int(seconds / 14), 1), 0).write(microphone)
            return converse(
                server,
                microphone,
                seconds,
                marks=True,
                told=lambda far: self.told(f"picture and sound, {far}"),
            )

    @cached_property
    def skew(self) -> Skew:
        """Its sound against its picture."""
        return skew_of(self.marked)

    @cached_property
    def load(self) -> list[Load]:
        """More and more visitors, each number on a server of its own."""
        found = list[Load]()
        with tempfile.TemporaryDirectory() as folder:
            microphone = Path(folder) / "questions.wav"
            self._recorded(len(QUESTIONS), 0).write(microphone)
            for sessions in self.loads:
                self.told(f"{sessions} visitors at once")
                with LiveServer() as server:
                    found.append(measured(server, sessions, LOAD_S, microphone))
                if sum(not one.holds for one in found) >= 2:
                    break
        return found

    def _recorded(self, questions: int, interruptions: int) -> Recording:
        voice = load_synthesizer(languages=("en",))
        try:
            return script(voice, questions, interruptions)
        finally:
            voice.close()


def percentile(values: Sequence[float] | NDArray[np.float64], share: float) -> float:
    """A percentile of measured values, between the two nearest."""
    return float(np.percentile(np.asarray(values, np.float64), share)) if len(values) else float("nan")
