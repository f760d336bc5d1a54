"""What the tests of the stage share: sounds that tell their place, a pool that waits, a watched renderer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np

from agent.events import Spoken
from agent.frames import whole_frames
from agent.sentence import Sentence
from avatar import Pose, Renderer
from avatar.renderer import Picture
from speech.timeline import Phoneme, Speech, Word

RATE = 16_000
TOP = 0.9


class AtOnce(Executor):
    """Draws when asked: no frame is ever late."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Watched:
    """A renderer that remembers what it drew, and may be told what else to do."""

    engine = "watched"

    def __init__(self, renderer: Renderer, before: Callable[[], None] = lambda: None) -> None:
        self._renderer = renderer
        self.before = before
        self.size, self.width, self.height = renderer.size, renderer.width, renderer.height
        self.drawn: list[tuple[Picture, Pose]] = []

    def draw(self, pose: Pose) -> Picture:
        self.before()
        picture = self._renderer.draw(pose)
        self.drawn.append((picture, pose))
        return picture

    def pose_of(self, picture: Picture) -> Pose:
        return next(pose for drawn, pose in self.drawn if drawn is picture)

    draw_many = draw_rgba = None


def ramp(words: str, seconds: float = 0.3, *, timed: bool = True, start_s: float = 0.0) -> Spoken:
    """A sentence whose every sample says where it stands: 0 to `TOP` over its length, then silence.

    Words of equal length; between the third and the fourth there is a pause of 0.3 s.
    """
    units = words.split() if " " in words else list(words)
    phonemes: list[Phoneme] = []
    spans: list[Word] = []
    at = 0.0
    for number, unit in enumerate(units):
        if number == 3:
            phonemes.append(Phoneme("", at, at + 0.3))
            at += 0.3
        phonemes.append(Phoneme("a", at, at + seconds, 2))
        spans.append(Word(unit, at, at + seconds))
        at += seconds
    pcm = np.linspace(0, TOP, round(at * RATE), dtype=np.float32)
    pcm[-80:] *= np.linspace(1, 0, 80, dtype=np.float32)  # a filter would ring where it breaks off
    speech = Speech(pcm, RATE, tuple(phonemes), tuple(spans) if timed else (), text=words)
    return Spoken(Sentence(words), whole_frames(speech, pause_s=0.28), start_s, 0.0)


def place_s(sample: float, spoken: Spoken) -> float:
    """Where a sample of such a sentence stands in it."""
    end_s = max(phoneme.end_s for phoneme in spoken.speech.phonemes if phoneme.symbol)
    return float(sample) / 32767 / TOP * end_s
