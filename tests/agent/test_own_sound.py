"""The avatar does not interrupt itself, and who speaks into its echo is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from agent.conversation_events import StateChanged
from agent.ears import Ears
from agent.hearing import Hearing
from agent.line import MOMENT_S, SAMPLES
from agent.own_sound import COMPARED_S, KEPT, OwnSound
from agent.tasks import Tasks
from agent.turn import TurnTaker
from agent.turn_commands import Command, Pause, Recognize
from speech.audio import Resampler, to_mono_16k
from speech.espeak import EspeakSynthesizer
from speech.timeline import Pcm

ANSWER = "A gift card cannot be paid out in cash, and you can use it in all our shops for three years."
QUESTION = "I would like to know where the nearest shop is, and when it opens."
MOMENT = round(MOMENT_S * 16_000)


@pytest.fixture(scope="module")
def voices() -> Iterator[tuple[Pcm, Pcm]]:
    """The avatar's answer, and a visitor's question, at 16 kHz."""
    avatar, visitor = EspeakSynthesizer(), EspeakSynthesizer(voice_en="en-us+m6")
    try:
        answer, question = (avatar.speak(ANSWER, language="en"), visitor.speak(QUESTION, language="en"))
        yield tuple(to_mono_16k(one.pcm, one.sample_rate) for one in (answer, question))  # type: ignore[misc]
    finally:
        avatar.close()
        visitor.close()


def moments(pcm: Pcm) -> list[np.ndarray]:
    """Sound as it leaves: int16[1920] each."""
    resampler = Resampler(16_000, 48_000)
    sound = np.concatenate([resampler.feed(pcm), resampler.flush()])
    sound = np.pad(sound, (0, -len(sound) % SAMPLES))
    return list((np.clip(sound, -1, 1) * 32767).astype(np.int16).reshape(-1, SAMPLES))


def in_room(pcm: Pcm, delay_s: float, level_db: float) -> Pcm:
    """What a microphone hears of a loudspeaker: weaker, later, and with reverberation."""
    numbers = np.random.default_rng(3)
    times = np.arange(4_800) / 16_000
    room = numbers.standard_normal(4_800) * np.exp(-times / 0.04) * 0.03
    room[0] = 1.0
    later = np.concatenate([np.zeros(round(delay_s * 16_000)), np.convolve(pcm, room)])[: len(pcm)]
    quiet = numbers.standard_normal(len(pcm)) * 3e-4
    return np.asarray(later * 10 ** (level_db / 20) + quiet, np.float32)


@dataclass
class Floor:
    """As much of a floor as hearing needs."""

    own: OwnSound = field(default_factory=OwnSound)
    taker: TurnTaker = field(default_factory=TurnTaker)
    now_s: float = 100.0
    commands: list[Command] = field(default_factory=list)
    closed: bool = False

    def clock(self) -> float:
        return self.now_s

    def follow(self, commands: list[Command]) -> None:
        self.commands += commands

    def tell(self, event: StateChanged) -> None:
        pass


def heard(answer: Pcm, microphone: Pcm) -> tuple[list[Command], Floor]:
    """What turn taking asks for while an answer is played and a microphone is heard."""
    floor = Floor()
    hearing = Hearing(Ears(None), floor, Tasks(lambda task: None), "en")  # type: ignore[arg-type]
    floor.taker.typed(floor.now_s, "can I get a gift card paid out")
    floor.taker.reply_began(floor.now_s)
    for number, moment in enumerate(moments(answer)):
        floor.own.played(moment, floor.now_s)
        floor.now_s += MOMENT_S
        hearing._listen(microphone[number * MOMENT : (number + 1) * MOMENT])
        floor.follow(floor.taker.tick(floor.now_s))
    return floor.commands, floor


@pytest.mark.parametrize(("delay_s", "level_db"), [(0.12, -24.0), (0.4, -20.0), (0.7, -6.0)])
def test_an_echo_holds_no_reply(voices: tuple[Pcm, Pcm], delay_s: float, level_db: float) -> None:
    answer, _ = voices
    commands, floor = heard(answer, in_room(answer, delay_s, level_db))
    assert not [one for one in commands if isinstance(one, (Pause, Recognize))]
    assert floor.taker.utterance is None


@pytest.mark.parametrize("level_db", [-40.0, -20.0, -8.0])
def test_who_speaks_into_the_echo_holds_the_reply(voices: tuple[Pcm, Pcm], level_db: float) -> None:
    answer, question = voices
    microphone = in_room(answer, 0.2, level_db)
    begin = 32_000
    microphone[begin : begin + len(question)] += question[: len(microphone) - begin]
    floor = heard(answer[: begin + 12_800], microphone)[1]
    assert [one for one in floor.commands if isinstance(one, Pause)], "within 0.8 s of the first word"


def test_an_echo_is_compared_with_what_was_played_then(voices: tuple[Pcm, Pcm]) -> None:
    answer, question = voices
    own = OwnSound()
    for number, moment in enumerate(moments(answer)[:50]):
        own.played(moment, 100.0 + number * MOMENT_S)
    latest = answer[: 50 * MOMENT][-round(COMPARED_S * 16_000) :]
    assert own.is_all_of(latest * np.float32(0.05), 102.0)
    assert not own.is_all_of(question[16_000:24_000], 102.0)
    assert not own.is_all_of(latest, 110.0), "nothing was played for long"
    assert not own.is_all_of(np.zeros(0, np.float32), 102.0)
    assert own._played.shape == (KEPT,)


def test_silence_is_nobodys_sound() -> None:
    own = OwnSound()
    own.played(np.zeros(SAMPLES, np.int16), 1.0)
    assert not own.is_all_of(np.zeros(8_000, np.float32), 1.0)
