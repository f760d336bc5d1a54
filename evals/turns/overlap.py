"""What the production conversation does when something sounds into its reply, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from agent.conversation import Conversation
from agent.conversation_events import ConversationEvent, StateChanged
from agent.ears import Ears
from agent.engines import Engines
from agent.errors import AgentError
from agent.floor import TICK_S
from agent.line import MOMENT_S
from agent.scripted import ScriptedAnswerer
from agent.threads import runs_tools
from agent.turn import TurnTaker
from agent.turn_commands import TurnState
from evals.replay.timed_stage import TimedStage
from evals.replay.virtual_time import VirtualLoop, virtual_loop
from evals.turns.hearing import PIECE
from evals.turns.sounds import Overlap, background
from evals.turns.speech import phrases
from speech.recognizer import RECOGNITION_RATE_HZ, Recognizer, Transcript
from speech.scripted_voice import ScriptedSynthesizer
from speech.timeline import Pcm

YIELD_S = 2.0
"""Who wants the floor has it when the reply is silent within this time (tau-voice's window)."""
WATCHED_S = 5.0
"""After its last sound: a reply that was held goes on after 2 s, an answer comes sooner."""
NOTHING_S = 12.0
"""So long a reply is watched into which nobody speaks: a false alarm may hold it for 8 s."""
BEGIN_S = 10.0
"""A reply has so much time to begin."""
OVER = (TurnState.LISTENING, TurnState.THINKING)
"""States in which the reply is given up."""
QUESTION = {"en": "what do you know about your tents", "zh": "请介绍一下你们的帐篷"}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a reply; milliseconds from the first sound that fell into it, None: that never was."""

    overlap: Overlap
    sounding: bool
    """Whether the reply was to be heard when it began; else what is behind had stopped it before."""
    silent_ms: float | None = None
    """Until the reply was silent: with the moment that was leaving, in which it fades out."""
    held_ms: float | None = None
    """How long it was silent before it went on; None where it was not silent, or did not go on."""
    ended: bool = False
    """It was given up."""
    answered_ms: float | None = None
    """Until an answer to it was begun."""
    silent_s: float = 0.0
    """Of the time that it was watched, the reply was not to be heard so long."""
    watched_s: float = 0.0

    @property
    def length_s(self) -> float:
        """How long it sounded."""
        return len(self.overlap.pcm) / RECOGNITION_RATE_HZ

    @property
    def yielded(self) -> bool:
        """Whether it left the floor in time."""
        return self.silent_ms is not None and self.silent_ms <= YIELD_S * 1e3


def prepared(engines: Engines, language: str) -> Engines:
    """Return engines whose every reply is long, and said without sound; the desk's own stay open."""
    return replace(
        engines,
        answerer=ScriptedAnswerer(phrases()[language]["reply"]),
        fallback=None,
        synthesizer=ScriptedSynthesizer(),
    )


class KnowingRecognizer:
    """Hears what is said, all of it from its first sound on, and nothing in what is behind.

    Args:
        overlap: what is said.
    """

    engine = "script"

    def __init__(self, overlap: Overlap) -> None:
        self.languages: tuple[str, ...] = (overlap.language,)
        self._said = overlap.said
        self.begun = False
        """Whether it is being said, or was."""

    def transcribe(self, pcm: Pcm, sample_rate: int) -> Transcript:
        """Return what was said so far."""
        return self.finish()

    def stream(self) -> KnowingRecognizer:
        """Begin an utterance; it is the same for all."""
        return self

    def feed(self, pcm: Pcm) -> None:
        """Need no sound."""

    def finish(self) -> Transcript:
        """Return what was said so far."""
        said = self._said if self.begun else ""
        return Transcript(said, self.languages[0], float(bool(said)), self.engine)

    def warm(self) -> None:
        """Need nothing."""

    def close(self) -> None:
        """Keep nothing."""


def fate_of(
    engines: Engines,
    overlap: Overlap,
    recognizer: Recognizer | None,
    taker: Callable[[], TurnTaker] | None = None,
) -> Fate:
    """Ask something, let the reply begin, let something sound into it, and see what becomes of it.

    Args:
        engines: from `prepared`.
        overlap: what sounds.
        recognizer: hears it.
        taker: makes another turn taking; None: the conversation's usual one.

    Raises:
        AgentError: the reply did not begin.
    """
    with virtual_loop(lambda executor: not runs_tools(executor)) as loop:
        return loop.run_until_complete(_fate(loop, engines, overlap, recognizer, taker))


async def _fate(
    loop: VirtualLoop,
    engines: Engines,
    overlap: Overlap,
    recognizer: Recognizer | None,
    taker: Callable[[], TurnTaker] | None,
) -> Fate:
    states = list[tuple[float, str]]()

    def told(event: ConversationEvent) -> None:
        if isinstance(event, StateChanged):
            states.append((loop.time(), event.state))

    microphone = Microphone(background(overlap.behind, overlap.seed))
    conversation = Conversation(
        engines,
        TimedStage(),
        ears=Ears(
            recognizer,
            turn_end=engines.turn_end,
            above_background_db=engines.desk.settings.hearing.above_background_db,
        ),
        on_event=told,
        language=overlap.language,
        taker=taker() if taker else None,
        clock=loop.time,
    )
    running = [
        asyncio.create_task(conversation.run()),
        asyncio.create_task(microphone.run(conversation.hear)),
    ]
    try:
        conversation.type(QUESTION[overlap.language])
        while not states or states[-1][1] != TurnState.SPEAKING:  # noqa: ASYNC110 - in virtual time
            if loop.time() > BEGIN_S:
                raise AgentError("the reply did not begin: ask the desk the same with `visavis chat`")
            await asyncio.sleep(TICK_S)
        await asyncio.sleep(overlap.after_s)
        microphone.play(overlap.pcm)
        began_s = loop.time()
        if isinstance(recognizer, KnowingRecognizer):
            recognizer.begun = True
        nothing = overlap.kind == "nothing"
        until_s = began_s + len(overlap.pcm) / RECOGNITION_RATE_HZ + (NOTHING_S if nothing else WATCHED_S)
        while loop.time() < until_s and not (nothing and states[-1][1] in OVER):  # noqa: ASYNC110 - as above
            await asyncio.sleep(TICK_S)
        return _seen(overlap, states, began_s, until_s)
    finally:
        await conversation.close()
        conversation.stage.close()
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


class Microphone:
    """Hears a background in a loop, and over it what is played into it.

    Args:
        behind: float32[n] at 16 kHz.
    """

    def __init__(self, behind: Pcm) -> None:
        self._behind, self._at = behind, 0
        self._rest: Pcm = np.zeros(0, np.float32)

    def play(self, pcm: Pcm) -> None:
        """Play something from the next piece on."""
        self._rest = pcm

    async def run(self, hear: Callable[[Pcm], None]) -> None:
        """Hear until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            place = (np.arange(PIECE) + self._at) % len(self._behind)
            piece = self._behind[place]
            said, self._rest = self._rest[:PIECE], self._rest[PIECE:]
            piece[: len(said)] += said
            self._at += PIECE
            hear(piece)


def _seen(overlap: Overlap, states: Sequence[tuple[float, str]], began_s: float, until_s: float) -> Fate:
    """Read from the states what became of the reply."""
    before = [state for at_s, state in states if at_s <= began_s]
    if before[-1] != TurnState.SPEAKING:
        return Fate(overlap, sounding=False)
    stopped = list[float]()
    since_s = resumed_s = answered_s = None
    ended, silent_s = False, 0.0
    for at_s, state in states[len(before) :]:
        if state == TurnState.THINKING and answered_s is None:
            answered_s = at_s
        if ended:
            continue  # what is heard from now on is another reply
        if state != TurnState.SPEAKING:
            ended = state in OVER
            if since_s is None:
                since_s = at_s
                stopped.append(at_s)
        elif since_s is not None:
            silent_s += at_s - since_s
            since_s, resumed_s = None, resumed_s or at_s
    if since_s is not None:
        silent_s += until_s - since_s
    return Fate(
        overlap,
        sounding=True,
        silent_ms=(stopped[0] + MOMENT_S - began_s) * 1e3 if stopped else None,
        held_ms=(resumed_s - stopped[0]) * 1e3 if stopped and resumed_s is not None else None,
        ended=ended,
        answered_ms=None if answered_s is None else (answered_s - began_s) * 1e3,
        silent_s=silent_s,
        watched_s=until_s - began_s,
    )
