import pytest

from avatar.expression import EMOTIONS
from avatar.style import STYLES, Style, rate_of, style_of
from speech.timeline import Phoneme


def run(sounds: int, length_s: float, pause_s: float = 0.0) -> list[Phoneme]:
    phonemes, at = [Phoneme("", 0.0, pause_s)] if pause_s else [], pause_s
    for number in range(sounds):
        phonemes.append(Phoneme("ta"[number % 2], at, at + length_s))
        at += length_s
    return phonemes


def test_every_emotion_has_a_style() -> None:
    assert set(STYLES) == set(EMOTIONS)
    assert style_of("neutral") == Style()
    assert style_of("no such emotion") == Style()


def test_joy_is_wide_and_sorrow_is_small() -> None:
    happy, sorry = style_of("happy"), style_of("apologetic")
    assert happy.spread > 1.1 > 0.9 > sorry.spread
    assert happy.opening > 1.0 > sorry.opening


def test_half_an_emotion_lies_in_between() -> None:
    assert style_of("happy", 0.5).spread == pytest.approx((1 + style_of("happy").spread) / 2)
    assert style_of("happy", 0.0) == Style()
    assert style_of("happy", 9.0) == style_of("happy", 1.0)


def test_hurried_speech_is_smaller_and_runs_together() -> None:
    slow, usual, fast = (style_of("neutral", rate=rate) for rate in (0.75, 1.0, 1.5))
    assert slow.opening > usual.opening > fast.opening
    assert slow.reach < usual.reach < fast.reach
    assert style_of("neutral", rate=50) == style_of("neutral", rate=1.6)


def test_rate_counts_sounds_and_not_pauses() -> None:
    assert rate_of(run(20, 0.08)) == pytest.approx(1.0)
    assert rate_of(run(20, 0.08, pause_s=2.0)) == pytest.approx(1.0)
    assert rate_of(run(20, 0.04)) == pytest.approx(2.0)
    assert rate_of([]) == rate_of([Phoneme("", 0, 3)]) == 1.0
