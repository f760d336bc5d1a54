import json
from pathlib import Path

import numpy as np
import pytest

from avatar.photo import Landmarker
from avatar.photo.landmarks import INNER_LOWER, INNER_UPPER, mouth_aspect
from evals import face, synchrony
from speech.timeline import Phoneme
from tests.avatar.landmarker import MODEL as LANDMARKER
from tests.avatar.landmarker import needs_landmarker

MODELS = Path(__file__).parents[2].parent / "shared" / "models"
ASD = MODELS / "lr-asd" / "lr_asd_ava.onnx"


def tone(seconds: float, hz: float = 440.0, level: float = 0.1) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(int(16000 * seconds)) / 16000)).astype(np.float32)


def points(gap: float) -> np.ndarray:
    """Landmarks of a mouth 40 px wide and open by `gap` px."""
    marks = np.zeros((478, 2), np.float32)
    across = np.linspace(80, 120, len(INNER_UPPER))
    for x, upper, lower in zip(across[1:-1], INNER_UPPER[1:-1], INNER_LOWER[1:-1], strict=True):
        marks[upper], marks[lower] = (x, 100 - gap / 2), (x, 100 + gap / 2)
    marks[[INNER_UPPER[0], INNER_UPPER[-1]]] = (80, 100), (120, 100)
    return marks


def test_mouth_aspect_is_height_by_width() -> None:
    assert mouth_aspect(points(0)) == 0
    assert mouth_aspect(points(20)) == pytest.approx(0.5)


def test_closing_compares_bilabials_with_open_vowels() -> None:
    said = (Phoneme("a", 0.0, 0.4), Phoneme("p", 0.4, 0.6), Phoneme("a", 0.6, 1.0), Phoneme("s", 1.0, 1.2))
    aspects = np.full(30, 0.5, np.float32)
    aspects[10:15] = 0.02
    report = face.closing(aspects, said)
    assert (report["bilabials"], report["open_vowels"]) == (1, 2)
    assert report["ratio"] == pytest.approx(0.04)
    aspects[10:15] = np.nan
    with pytest.raises(synchrony.MissingPart, match="other lines"):
        face.closing(aspects, said)


@pytest.mark.parametrize("late", [-3, 0, 2])
def test_best_lag_finds_how_late_the_mouth_is(late: int) -> None:
    sound = np.convolve(np.random.default_rng(0).normal(0, 1, 400), np.ones(4), "same").astype(np.float32)
    mouth = np.roll(sound, late).astype(np.float32)
    mouth[50] = np.nan
    found = synchrony.best_lag(mouth, sound)
    assert found["lag_frames"] == late
    assert found["correlation"] > 0.95


def test_envelope_follows_the_sound() -> None:
    pcm = np.concatenate([np.zeros(16000, np.float32), tone(1.0)])
    level = synchrony.envelope(pcm, 50)
    assert level[:23].max() < 1e-6
    assert level[28:].min() == pytest.approx(0.0707, rel=0.05)


def test_cepstra_of_louder_and_of_later_sound() -> None:
    pcm = tone(1.0) + np.random.default_rng(0).normal(0, 0.01, 16000).astype(np.float32)
    plain, loud = synchrony.mfcc(pcm), synchrony.mfcc(2 * pcm)
    assert plain.shape[1] == 13
    assert len(plain) == 99
    # twice the amplitude is four times the power: only the energy term moves
    assert np.abs(loud[:, 0] - plain[:, 0] - np.log(4)).max() < 0.01
    assert np.abs(loud[:, 1:] - plain[:, 1:]).max() < 0.2
    later = synchrony.mfcc(np.concatenate([np.zeros(1600, np.float32), pcm]))
    assert np.abs(later[12:100] - plain[2:90]).max() < 0.2


def test_cepstra_are_those_of_the_textbook() -> None:
    pcm = np.random.default_rng(1).normal(0, 0.1, 400).astype(np.float32)
    signal = np.round(pcm.astype(np.float64) * 32767)
    signal[1:] -= 0.97 * np.round(pcm.astype(np.float64) * 32767)[:-1]
    power = np.abs(np.fft.rfft(signal, 512)) ** 2 / 512
    edges = [
        int(513 * 700 * (10 ** (m / 2595) - 1) / 16000)
        for m in np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)
    ]
    bank = np.zeros((26, 257))
    for number in range(26):
        low, top, high = edges[number : number + 3]
        for at in range(low, top):
            bank[number, at] = (at - low) / (top - low)
        for at in range(top, high):
            bank[number, at] = (high - at) / (high - top)
    logs = np.log(bank @ power)
    expected = np.array(
        [
            sum(log * np.cos(np.pi * k * (n + 0.5) / 26) for n, log in enumerate(logs))
            * (np.sqrt(1 / 26) if k == 0 else np.sqrt(2 / 26))
            for k in range(13)
        ]
    )
    expected *= 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    expected[0] = np.log(power.sum())
    assert np.abs(synchrony.mfcc(pcm)[0] - expected).max() < 1e-2


def test_face_crop_is_a_square_around_the_face() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[60:140, 70:130] = 200
    marks = np.zeros((478, 2), np.float32) + 100
    marks[0], marks[1] = (70, 60), (130, 140)
    crop = synchrony.face_crop(picture, marks)
    assert crop.shape == (112, 112)
    assert crop[56, 56] == 200
    assert crop[56, 2] == 0
    assert crop[3, 56] == 200


def test_a_missing_model_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(synchrony.MissingPart, match="no model"):
        synchrony.Synchrony(tmp_path / "x.onnx")
    assert face.main(["mira", "--landmarker", str(tmp_path / "x.task")]) == 2
    assert "no face landmarker model" in capsys.readouterr().err


@needs_landmarker
@pytest.mark.skipif(not ASD.is_file(), reason="needs ../shared/models/lr-asd")
def test_a_rig_that_speaks_is_judged_from_its_pictures() -> None:
    with Landmarker(LANDMARKER) as landmarker:
        report = face.judge("mira", landmarker, synchrony.Synchrony(ASD), size=384, lines=face.TALK[2:3])
    assert json.loads(json.dumps(report)) == report
    assert report["faces_missed"] == 0
    assert report["closing"]["bilabials"] >= 5
    assert report["closing"]["ratio"] < 0.2
    assert abs(report["opening_and_sound"]["lag_frames"]) <= 1
    assert report["synchrony"]["as_made"] > report["synchrony"]["frozen_face"] + 2
    seen = report["expressions"]
    assert seen["happy"]["1.0"]["mouthSmileLeft"] > seen["neutral"]["1.0"]["mouthSmileLeft"]
