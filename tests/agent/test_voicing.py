"""Where a voice or an ear fails, the visitor reads what was to be said, and nothing is logged raw."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.conversation_events import Notice, SentenceBegan, TurnEnded
from agent.ears import in_thread
from agent.engines import Engines
from agent.events import Spoken
from agent.scripted import ScriptedAnswerer
from agent.stage import LiveMoment
from agent.threads import VOICES, in_guard, in_hearing, in_voice
from agent.voicing import Voicing
from speech.errors import WorkerDied
from speech.espeak import EspeakSynthesizer
from tests.agent.scripted import conversing, scripted_engines


class Dying:
    """A voice that dies over every text."""

    engine = "dying"

    def speak(self, text: str, **_: Any) -> Any:
        raise WorkerDied("the voice died twice while speaking")

    def close(self) -> None:
        """Do nothing."""


def engines_in(folder: Path, voice: Any) -> Engines:
    engines = scripted_engines(folder, ScriptedAnswerer(["One."]))
    engines.synthesizer = voice
    return engines


async def test_a_greeting_whose_voice_dies_is_shown_for_as_long_as_it_takes_to_read(tmp_path: Path) -> None:
    engines = engines_in(tmp_path, Dying())
    greeting = engines.desk.phrases("en").greeting
    events: list[Any] = []
    moments: list[LiveMoment] = []
    async with conversing(engines, moments.append, events.append) as conversation:
        await conversation.greet()
        async with asyncio.timeout(30):
            while not any(isinstance(one, TurnEnded) for one in events):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert [one.sentence.text for one in events if isinstance(one, SentenceBegan)] == [greeting]
    assert [one.code for one in events if isinstance(one, Notice)] == ["voice_failed"]
    captions = [moment.caption for moment in moments if moment.caption]
    assert len(captions) / 25 > 1.0
    assert "".join(dict.fromkeys(captions)).replace(" ", "") == greeting.replace(" ", "")


async def test_a_voice_that_is_killed_while_it_greets_goes_on(tmp_path: Path) -> None:
    voice = EspeakSynthesizer()
    notices: list[Notice] = []
    voicing = Voicing(engines_in(tmp_path, voice), notices.append)
    voice.warm()
    killed = voice.worker.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    spoken: Spoken = await voicing.greeting()
    assert voice.worker.pid not in (None, killed)
    voice.close()
    assert spoken.speech.phonemes[0].end_s < spoken.speech.duration_s
    assert not notices


async def test_a_worker_that_dies_under_a_stream_which_is_thrown_away_twice_is_not_logged_raw() -> None:
    raw: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: raw.append(context))
    go = threading.Event()

    def feed() -> None:
        go.wait(10)
        raise WorkerDied("the recognition worker ended")

    task = asyncio.create_task(in_thread(feed))
    for _ in range(2):
        await asyncio.sleep(0.02)
        task.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await in_hearing(int)
    del task
    import gc

    gc.collect()
    await asyncio.sleep(0.05)
    assert raw == []


async def test_a_guard_that_is_slow_starves_no_sound_and_sound_no_guard() -> None:
    over = threading.Event()
    held = [
        asyncio.create_task(kind(over.wait, 60.0)) for kind in (in_guard, in_voice) for _ in range(3 * VOICES)
    ]
    try:
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            assert await in_hearing(int, "1") == 1
            assert await asyncio.to_thread(int, "1") == 1
    finally:
        over.set()
        await asyncio.gather(*held)
