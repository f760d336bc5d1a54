"""Replays in words: typed turns, and spoken ones that need no sound, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from agent.conversation import Conversation
from evals.replay.course import begun, measured, played
from evals.replay.desk import DeskUnderTest
from evals.replay.driver import Driver
from evals.replay.probe import Probe
from evals.replay.record import ConversationRecord
from evals.replay.scripted_ears import ScriptedEars
from evals.replay.timed_stage import TimedStage
from evals.replay.virtual_time import VirtualLoop
from evals.scripts import Script, Turn
from speech.recognizer import RECOGNITION_RATE_HZ

TICK_S = 1.0
"""How often turn taking looks at its timers while nothing is fed to the microphone: typed words need none."""
PIECE_S = 0.04
"""Of the microphone's silence that is fed at once."""


class Typing:
    """Types what is said while it is quiet, and speaks without sound into a reply.

    Args:
        conversation: hears it.
        ears: its.
        language: the visitor's.
    """

    def __init__(self, conversation: Conversation, ears: ScriptedEars, language: str) -> None:
        self._conversation, self._ears, self._language = conversation, ears, language
        self._microphone: asyncio.Task[None] | None = None

    async def say(self, turn: Turn, words: str, *, over: bool) -> None:
        """Say a turn; see `evals.replay.driver.Mouth`."""
        if not over:
            self._conversation.type(words)
            return
        if self._microphone is None:
            self._microphone = asyncio.create_task(self._listen())
        await asyncio.sleep(self._ears.say(words, self._language))

    def rest(self) -> None:
        """Close the microphone."""
        if self._microphone is not None:
            self._microphone.cancel()
            self._microphone = None

    async def _listen(self) -> None:
        silence = np.zeros(round(PIECE_S * RECOGNITION_RATE_HZ), np.float32)
        while True:
            self._conversation.hear(silence)
            await asyncio.sleep(PIECE_S)


def replay_text(
    desk: DeskUnderTest, script: Script, *, repeat: int = 0, driver: Callable[..., Driver] = Driver
) -> ConversationRecord:
    """Replay a script in words.

    Args:
        desk: opened with mode "text".
        script: what is said.
        repeat: which replay of it, from 0.
        driver: plays the visitor; the usual one says the script's turns.

    Raises:
        ScriptError: what the script begins with cannot be laid out.
    """
    record = begun(desk, script, "text", repeat)
    with measured(desk, script, record) as loop:
        loop.run_until_complete(_replayed(loop, desk, script, record, driver))
    return record


async def _replayed(
    loop: VirtualLoop,
    desk: DeskUnderTest,
    script: Script,
    record: ConversationRecord,
    driver: Callable[..., Driver],
) -> None:
    probe = Probe(loop.time, loop.lived, desk.calls, script.fixtures.people)
    stage, ears = TimedStage(), ScriptedEars()
    conversation = Conversation(
        desk.engines,
        stage,
        ears=ears,
        on_event=probe.take,
        language=script.language,
        clock=loop.time,
        tick_s=TICK_S,
    )
    conversation.people.staff = probe.staff
    typing = Typing(conversation, ears, script.language)
    await played(conversation, probe, typing, script, record, driver)
    stage.sounded.judge(probe.turns)
