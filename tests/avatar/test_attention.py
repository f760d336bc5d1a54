import numpy as np
import pytest

from avatar.attention import BACK_S, MANNERS, Attention, Glance, glances, pauses
from speech.timeline import Phoneme
from tests.avatar.lines import SENTENCE, spoken

FPS = 25


def gaze(manner: str, seconds: float, seed: int = 0) -> np.ndarray:
    eyes = Attention(seed)
    return np.array([eyes.look((i + 0.5) / FPS, manner) for i in range(int(seconds * FPS))])


@pytest.mark.parametrize("manner", MANNERS)
def test_eyes_rest_and_jump(manner: str) -> None:
    moved = np.hypot(*np.diff(gaze(manner, 60), axis=0).T) > 1e-6
    assert 0.01 < moved.mean() < 0.25


@pytest.mark.parametrize("manner", MANNERS)
def test_a_jump_is_over_within_three_frames(manner: str) -> None:
    moved = np.hypot(*np.diff(gaze(manner, 120), axis=0).T) > 1e-6
    runs = np.split(moved, np.flatnonzero(np.diff(moved)) + 1)
    assert max(len(run) for run in runs if run[0]) <= 4


def test_who_listens_looks_at_the_visitor_and_who_thinks_looks_up_and_aside() -> None:
    listening, thinking = gaze("listening", 120), gaze("thinking", 120)
    assert np.mean(np.hypot(*listening.T) < 4) > 0.9
    away = thinking[np.hypot(*thinking.T) > 5]
    assert len(away) > 0.6 * len(thinking)
    assert np.median(away[:, 1]) > 3


def test_a_glance_begins_and_ends_when_planned() -> None:
    eyes = Attention(1)
    plan = Glance(1.0, 2.0, (10.0, -3.0))
    seen = []
    for i in range(4 * FPS):
        now = (i + 0.5) / FPS
        seen.append(eyes.look(now, "speaking", plan if plan.start_s <= now < plan.end_s else None))
    off = np.hypot(*np.array(seen).T)
    assert off[: FPS - 1].max() < 8
    assert off[FPS + 3 : 2 * FPS].min() > 6
    assert off[2 * FPS + 4 : 2 * FPS + 10].max() < 4


def test_shifts_are_told_once() -> None:
    eyes = Attention(3)
    shifts = []
    for i in range(60 * FPS):
        eyes.look((i + 0.5) / FPS, "thinking")
        shifts.append(eyes.shift_deg)
    assert 10 < np.count_nonzero(shifts) < 200
    assert max(shifts) > 8


def test_pauses_are_those_inside_the_speech() -> None:
    found = pauses(SENTENCE.phonemes)
    assert len(found) == 1
    assert 0.5 < found[0].start_s < SENTENCE.duration_s - 0.5
    assert pauses([Phoneme("", 0, 1)]) == []


def test_a_speaker_is_back_before_the_end() -> None:
    end_s = SENTENCE.phonemes[-2].end_s
    planned = [
        g for seed in range(40) for g in glances(SENTENCE.phonemes, "neutral", np.random.default_rng(seed))
    ]
    assert len(planned) > 10
    assert all(g.end_s <= end_s - BACK_S + 1e-6 and g.end_s - g.start_s >= 0.2 for g in planned)


def test_short_answers_are_given_without_looking_away() -> None:
    short = spoken("j ɛ s")
    assert not any(glances(short.phonemes, "neutral", np.random.default_rng(seed)) for seed in range(20))


def test_apologies_go_down_and_thoughts_go_up() -> None:
    def heights(emotion: str) -> list[float]:
        runs = [glances(SENTENCE.phonemes, emotion, np.random.default_rng(seed)) for seed in range(30)]
        return [run[0].place[1] for run in runs if run]

    assert np.median(heights("apologetic")) < -6
    assert np.median(heights("thinking")) > 3
