import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from agent.desk import Desk
from agent.events import Ended, Event, Moment, Spoken
from agent.frames import LEAD_S, TAIL_S
from agent.presence import Presence
from agent.sentence import Outcome, Sentence
from avatar import AvatarError
from speech.timeline import Phoneme, Speech
from tests.avatar.lip_models import lip_model

RATE = 16_000


def spoken(seconds: float, start_s: float) -> Spoken:
    sound = np.zeros(round(seconds * RATE), np.float32)
    speech = Speech(sound, RATE, (Phoneme("a", 0.0, seconds),), text="Ah.")
    return Spoken(Sentence("Ah."), speech, start_s, 0.0)


async def reply(sentences: int) -> AsyncIterator[Event]:
    for number in range(sentences):
        yield spoken(1.0, LEAD_S + number)
    yield Ended(Outcome.ANSWERED, 0.0)


@pytest.fixture
def presence(tmp_path: Path) -> Presence:
    (tmp_path / "desk.toml").write_text('name = "Kiosk"\n[persona]\ncompany = "Acme"\n[avatar]\nsize = 128\n')
    opened = Presence.open(Desk.load(tmp_path))
    yield opened
    opened.close()


async def test_every_frame_comes_with_its_sound_and_in_order(presence: Presence) -> None:
    moments, ended = [], 0
    async with aclosing(presence.perform(reply(2))) as turn:
        async for item in turn:
            if isinstance(item, Moment):
                moments.append(item)
            ended += isinstance(item, Ended)
    assert ended == 1
    assert [moment.index for moment in moments] == list(range(len(moments)))
    shortest = round((LEAD_S + 2.0 + TAIL_S) * 25)
    assert shortest <= len(moments) <= shortest + 20
    assert sum(len(moment.pcm) for moment in moments) == 2 * RATE


@pytest.fixture
def lipped(tmp_path: Path) -> Iterator[Presence]:
    lip_model(tmp_path / "lips.onnx", "heard")
    (tmp_path / "desk.toml").write_text(
        'name = "Kiosk"\n[persona]\ncompany = "Acme"\n'
        '[avatar]\nsize = 128\nlips = "lips.onnx"\nai_label = false\ncaptions = false\n'
    )
    opened = Presence.open(Desk.load(tmp_path))
    yield opened
    opened.close()


async def loud_reply() -> AsyncIterator[Event]:
    """A second of silence, then one of noise."""
    for number, level in enumerate((0.0, 0.3)):
        noise = np.random.default_rng(0).normal(0, level, RATE).astype(np.float32)
        speech = Speech(noise, RATE, (Phoneme("m", 0.0, 1.0),), text="Mm.")
        yield Spoken(Sentence("Mm."), speech, LEAD_S + number, 0.0)
    yield Ended(Outcome.ANSWERED, 0.0)


async def test_a_desks_lip_model_redraws_the_mouth_in_time_with_the_sound(lipped: Presence) -> None:
    moments = []
    async with aclosing(lipped.perform(loud_reply(), seed=2)) as turn:
        async for item in turn:
            if isinstance(item, Moment):
                moments.append(item)
    assert [moment.index for moment in moments] == list(range(len(moments)))
    assert sum(len(moment.pcm) for moment in moments) == 2 * RATE
    mouths = np.array([moment.frame[62:82, 50:78].mean() for moment in moments])
    loud = np.array([bool(len(moment.pcm)) and float(np.abs(moment.pcm).max()) > 0.1 for moment in moments])
    inside = loud & np.roll(loud, 2) & np.roll(loud, -2)
    quiet = ~(loud | np.roll(loud, 2) | np.roll(loud, -2))
    # the model darkens the mouth as much as it hears
    assert mouths[inside].max() < mouths[quiet].min() - 3


async def test_lips_that_are_closed_halfway_serve_the_next_reply(lipped: Presence) -> None:
    for stop in (4, 20):
        async with aclosing(lipped.perform(reply(20))) as turn:
            seen = 0
            async for item in turn:
                seen += isinstance(item, Moment)
                if seen == stop:
                    break
    async with aclosing(lipped.perform(reply(1))) as turn:
        assert sum([isinstance(item, Moment) async for item in turn]) > 25


async def test_lips_that_fail_end_the_reply_with_their_reason(tmp_path: Path) -> None:
    lip_model(tmp_path / "lips.onnx", "nothing")
    (tmp_path / "desk.toml").write_text(
        'name = "Kiosk"\n[persona]\ncompany = "Acme"\n[avatar]\nsize = 128\nlips = "lips.onnx"\n'
    )
    presence = Presence.open(Desk.load(tmp_path))
    try:
        async with aclosing(presence.perform(reply(2))) as turn:
            with pytest.raises(AvatarError, match="not finite"):
                async for _ in turn:
                    pass
    finally:
        presence.close()


async def test_a_reply_that_is_closed_halfway_ends_quietly_and_its_threads_serve_the_next(
    presence: Presence,
) -> None:
    for _ in range(3):
        async with aclosing(presence.perform(reply(20))) as turn:
            seen = 0
            async for item in turn:
                seen += isinstance(item, Moment)
                if seen == 4:
                    break
        assert seen == 4
    async with aclosing(presence.perform(reply(1))) as turn:
        assert sum([isinstance(item, Moment) async for item in turn]) > 25


async def test_what_goes_wrong_outside_is_what_is_told(presence: Presence) -> None:
    async def record() -> None:
        async with aclosing(presence.perform(reply(20))) as turn:
            async for item in turn:
                if isinstance(item, Moment):
                    raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await record()


async def test_a_cancelled_task_stays_cancelled(presence: Presence) -> None:
    async def listen() -> None:
        async with aclosing(presence.perform(reply(50))) as turn:
            async for _ in turn:
                pass

    task = asyncio.create_task(listen())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
