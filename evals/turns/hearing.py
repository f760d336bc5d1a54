"""What the production ears make of a spoken turn: when there is voice, and its words at each silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.ears import Ears
from agent.floor import TICK_S
from evals.turns.speech import SpokenTurn
from speech.background import ABOVE_DB
from speech.recognizer import RECOGNITION_RATE_HZ, Recognizer
from speech.timeline import Pcm
from speech.vad import SpeechEnded, SpeechStarted

PIECE = round(TICK_S * RECOGNITION_RATE_HZ)


@dataclass(frozen=True, slots=True)
class KnownWords:
    """Words of a turn up to a silence, as turn taking is told them."""

    text: str
    confidence: float
    language: str
    ending: float | None
    voice: float | None
    """How finished the voice sounds; None where nothing tells."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Voice between two silences, as the detector has it; seconds of the turn's sound."""

    start_s: float
    known_s: float
    """When it was sure that there is voice."""
    end_s: float
    ended_s: float
    """When it was sure that there is none any more."""
    words: KnownWords
    """All words of the turn until then."""


@dataclass(frozen=True, slots=True)
class HeardTurn:
    """A spoken turn, and what was heard of it."""

    turn: SpokenTurn
    stretches: tuple[Stretch, ...]
    silence_s: NDArray[np.float32]
    """Silence since the last voice, sure or not, every `TICK_S`."""

    def by_script(self) -> HeardTurn:
        """Return it as with a recogniser that makes no mistake; of a turn whose words are known."""
        told = tuple(
            replace(
                one,
                words=KnownWords(self.turn.said_until(one.end_s), 1.0, self.turn.language, None, None),
            )
            for one in self.stretches
        )
        return replace(self, stretches=told)


async def heard_turn(
    turn: SpokenTurn,
    recognizer: Recognizer | None,
    turn_end: Callable[[Pcm], float] | None = None,
    above_background_db: float = ABOVE_DB,
) -> HeardTurn:
    """Play a turn into ears that ask for its words at every silence, as in a conversation that goes on.

    Args:
        turn: what is said.
        recognizer: of the desk; None hears no words.
        turn_end, above_background_db: as `agent.ears.Ears` takes them.

    Raises:
        SpeechError: the recognizer failed.
    """
    ears = Ears(recognizer, turn_end=turn_end, above_background_db=above_background_db)
    ears.expect_brief(True)
    found, silence = list[Stretch](), list[float]()
    started: SpeechStarted | None = None
    try:
        for begin in range(0, len(turn.pcm), PIECE):
            events = ears.take(turn.pcm[begin : begin + PIECE])
            now_s = ears.now_s
            silence.append(ears.silence_s)
            for event in events:
                if isinstance(event, SpeechStarted):
                    started = replace(event, at_s=now_s)
                elif isinstance(event, SpeechEnded) and started is not None:
                    told = await ears.words()
                    voice = await ears.finished()
                    words = KnownWords(told.text, told.confidence, told.language, told.ending, voice)
                    found.append(Stretch(started.start_s, started.at_s, event.end_s, now_s, words))
    finally:
        await ears.close()
    return HeardTurn(turn, tuple(found), np.asarray(silence, np.float32))
