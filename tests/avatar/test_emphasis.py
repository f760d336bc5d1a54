import numpy as np

from avatar.emphasis import APART_S, beats
from speech.timeline import Phoneme, Speech
from tests.avatar.lines import spoken

TIMES = np.arange(0, 6, 0.02, dtype=np.float32)
STRESSED = spoken("t 'ɑː t ɑː t 'ɑː t ɑː t 'ɑː _ t 'ɑː t ɑː t 'ɑː t ɑː t 'ɑː t 'ɑː", vowel_s=0.16)


def moved(speech: Speech, emotion: str = "neutral", seed: int = 0) -> np.ndarray:
    return beats(speech, TIMES, emotion, np.random.default_rng(seed))


def test_without_stress_or_sound_nothing_moves() -> None:
    assert not moved(spoken("t ɑː t ɑː")).any()
    assert not moved(Speech(np.zeros(0, np.float32), 16000, ())).any()


def test_beats_keep_their_distance() -> None:
    for seed in range(10):
        size = np.abs(moved(STRESSED, seed=seed)[:, :3]).max(axis=1)
        peaks = np.flatnonzero((size[1:-1] > size[:-2]) & (size[1:-1] >= size[2:]) & (size[1:-1] > 0.5))
        assert 2 <= len(peaks) <= 5
        assert (np.diff(TIMES[peaks]) >= APART_S[0] - 0.05).all()


def test_no_two_sentences_beat_alike() -> None:
    assert not np.allclose(moved(STRESSED, seed=1), moved(STRESSED, seed=2))
    assert np.array_equal(moved(STRESSED, seed=1), moved(STRESSED, seed=1))


def test_the_louder_stress_is_chosen() -> None:
    phonemes = (Phoneme("a", 0.5, 0.7, 2), Phoneme("a", 1.0, 1.2, 2), Phoneme("", 1.2, 2.0))
    pcm = np.zeros(32000, np.float32)
    pcm[8000:11200], pcm[16000:19200] = 0.01, 0.5
    size = np.abs(moved(Speech(pcm, 16000, phonemes))[:, :3]).max(axis=1)
    assert 0.8 < TIMES[size.argmax()] < 1.2


def test_sorrow_moves_less_than_joy() -> None:
    sizes = {
        emotion: np.mean([np.abs(moved(STRESSED, emotion, seed)).max() for seed in range(8)])
        for emotion in ("happy", "apologetic")
    }
    assert sizes["happy"] > 1.2 * sizes["apologetic"]
