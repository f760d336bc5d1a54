import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.neural.mel import MelTrack, first_step, mel_filters, resample


def sound(seconds: float = 0.5, rate: int = 16_000) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    gliding = 0.2 * np.sin(2 * np.pi * (200 + 3000 * t) * t)
    voiced = sum(0.05 / k * np.sin(2 * np.pi * 140 * k * t) for k in range(1, 20))
    return np.asarray(gliding + voiced, np.float32)


def click(at_s: float, seconds: float, rate: int = 16_000) -> np.ndarray:
    pcm = np.zeros(int(seconds * rate), np.float32)
    middle = round(at_s * rate)
    burst = np.random.default_rng(1).normal(0, 0.3, rate // 100).astype(np.float32)
    pcm[middle - len(burst) // 2 :][: len(burst)] = burst
    return pcm


# What librosa 0.11 and scipy make of `sound()` with Wav2Lip's settings: (band, step) → value.
LIBROSA = {
    (0, 0): -0.56451,
    (1, 20): -0.36957,
    (5, 20): -0.37245,
    (9, 13): -0.32774,
    (14, 27): -1.23681,
    (20, 20): -0.96861,
    (31, 35): -0.71679,
    (44, 38): -1.12729,
    (79, 40): -1.58312,
}


def test_mel_steps_are_those_of_librosa() -> None:
    steps = MelTrack(sound(), 16_000).steps(0, 41)
    for (band, step), value in LIBROSA.items():
        assert steps[band, step] == pytest.approx(value, abs=2e-4), (band, step)
    assert steps.mean() == pytest.approx(-1.97083, abs=1e-4)


def test_bands_are_slaney_triangles_of_equal_area() -> None:
    filters = mel_filters()
    assert filters.shape == (80, 401)
    assert filters.sum() == pytest.approx(3.999498, abs=1e-5)
    assert filters[40].max() == pytest.approx(0.01434316, abs=1e-7)
    assert [int(f.argmax()) for f in filters[[0, 40, 79]]] == [5, 86, 366]


def test_silence_is_the_lowest_value() -> None:
    assert (MelTrack(np.zeros(1600, np.float32), 16_000).steps(-3, 20) == -4).all()


def test_steps_do_not_depend_on_how_they_are_asked_for() -> None:
    track = MelTrack(sound(), 16_000)
    whole = track.steps(-5, 60)
    assert np.array_equal(whole[:, 12:30], track.steps(7, 18))


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
def test_a_click_stays_at_its_time_at_any_rate(rate: int) -> None:
    steps = MelTrack(click(1.0, 2.0, rate), rate).steps(0, 160)
    level = (steps + 4).mean(axis=0)
    centre = (level * np.arange(160)).sum() / level.sum() / 80
    assert centre == pytest.approx(1.0, abs=0.008)


def test_sound_keeps_its_spectrum_when_resampled() -> None:
    at_48k = MelTrack(sound(rate=48_000), 48_000).steps(4, 32)
    at_16k = MelTrack(sound(), 16_000).steps(4, 32)
    audible = at_16k > -2
    assert audible.mean() > 0.2
    assert np.abs(at_48k - at_16k)[audible].mean() < 0.05


def test_windows_follow_the_training_of_wav2lip() -> None:
    # In training, frame f saw the 16 steps from int(80 · (f - 1) / 25) on.
    assert [first_step(f, 25) for f in range(1, 101)] == [80 * (f - 1) // 25 for f in range(1, 101)]
    windows = MelTrack(sound(1.0), 16_000).windows(range(3, 9), 25)
    whole = MelTrack(sound(1.0), 16_000).steps(0, 81)
    assert windows.shape == (6, 1, 80, 16)
    for f, window in zip(range(3, 9), windows, strict=True):
        first = 80 * (f - 1) // 25
        assert np.array_equal(window[0], whole[:, first : first + 16])


@pytest.mark.parametrize("fps", [12.5, 24, 25, 29.97, 30, 50, 60])
def test_windows_keep_their_place_around_the_frame_at_any_rate(fps: float) -> None:
    for frame in (0, 1, 7, 1000, 4999):
        begins = first_step(frame, fps) / 80
        assert -0.0725 - 1e-6 < begins - (frame + 0.5) / fps <= -0.06 + 1e-6


def test_windows_before_and_after_the_sound_are_silent() -> None:
    track = MelTrack(sound(0.2), 16_000)
    assert track.windows([0], 25)[0, 0, :, :2].max() == -4
    assert track.windows([40], 25).max() == -4
    assert track.windows([], 25).shape == (0, 1, 80, 16)


@pytest.mark.parametrize(
    ("pcm", "rate"),
    [
        (np.zeros((2, 100), np.float32), 16_000),
        (np.full(100, np.nan, np.float32), 16_000),
        (np.zeros(100, np.float32), 0),
    ],
)
def test_sound_that_cannot_be_is_refused(pcm: np.ndarray, rate: int) -> None:
    with pytest.raises(AvatarError, match="pass"):
        resample(pcm, rate)
