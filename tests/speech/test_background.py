"""What stands out from the background is heard, be it soft; what does not is none of the desk's business."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speech.audio import load_audio
from speech.background import HEARD, Background
from speech.timeline import Pcm
from speech.vad import WINDOW, SpeechEnded, SpeechStarted, VadSettings, VoiceActivity

DATA = Path(__file__).parents[3] / "shared" / "data"


class Talkative:
    """Takes everything for speech."""

    def probability(self, window: Pcm) -> float:
        return 0.95

    def reset(self) -> None:
        pass


def noise(level_db: float, seconds: float) -> Pcm:
    """Noise of a level in dBFS."""
    numbers = np.random.default_rng(7).standard_normal(int(seconds * 16_000))
    return np.asarray(numbers * 10 ** (level_db / 20), np.float32)


def starts(*sounds: Pcm, above_db: float = 6.0) -> list[float]:
    """When something is taken for speech, in seconds, of all that a detector hears as such."""
    activity = VoiceActivity(Talkative(), VadSettings(above_background_db=above_db))
    found = [event for sound in sounds for event in activity.feed(sound)]
    return [event.start_s for event in found if isinstance(event, SpeechStarted)]


def test_far_talk_is_no_speech_and_near_talk_is() -> None:
    found = starts(noise(-45, 8), noise(-30, 1), noise(-45, 3))
    assert found[0] < 0.1, "of the first second nobody knows"
    assert found[1:] == [pytest.approx(8.0, abs=0.05)]


def test_a_soft_voice_in_a_quiet_room_is_heard() -> None:
    assert len(starts(noise(-75, 8), noise(-60, 1), noise(-75, 2))) == 2


def test_what_stays_becomes_the_background() -> None:
    activity = VoiceActivity(Talkative())
    activity.feed(noise(-75, 4))
    assert activity.speaking is False
    activity.feed(noise(-40, 4))
    assert activity.speaking
    activity.feed(noise(-40, 4))
    assert not activity.speaking


def test_zero_hears_everything() -> None:
    activity = VoiceActivity(Talkative(), VadSettings(above_background_db=0))
    activity.feed(noise(-45, 30))
    assert activity.speaking


def test_it_keeps_as_much_of_an_hour_as_of_six_seconds() -> None:
    background = Background(6.0)
    window = noise(-45, 0.032)
    for _ in range(10 * HEARD):
        background.stands_out(window)
    assert background._powers.shape == (HEARD,)
    assert not background.stands_out(window)
    assert background.stands_out(window * np.float32(4))


@pytest.mark.parametrize("gain_db", [6, -25])
@pytest.mark.parametrize("name", ["jfk/jfk.flac", "cosyvoice_zh/zero_shot_prompt.wav"])
def test_speech_without_a_background_is_heard_whole_however_soft(name: str, gain_db: float) -> None:
    file = DATA / name
    if not file.is_file():
        pytest.skip(f"{name} is not among the shared data")
    pcm = load_audio(file)
    numbers = np.random.default_rng(1).standard_normal(len(pcm) + 16_000)
    sound = np.asarray(numbers * 10 ** (-75 / 20), np.float32)
    sound[8_000 : 8_000 + len(pcm)] += np.clip(pcm * 10 ** (gain_db / 20), -1, 1)

    def heard_s(above_db: float) -> float:
        activity = VoiceActivity(settings=VadSettings(above_background_db=above_db))
        events = [*activity.feed(sound[: len(sound) // WINDOW * WINDOW]), *activity.finish()]
        began = sum(event.start_s for event in events if isinstance(event, SpeechStarted))
        return sum(event.end_s for event in events if isinstance(event, SpeechEnded)) - began

    assert heard_s(6.0) >= 0.98 * heard_s(0.0) > 0
