"""An independent look at a rig's face: does it close its lips, move with the sound, and show what it feels?

Nothing here looks at weights: a talk is spoken, drawn and then judged from the pictures by MediaPipe's
FaceLandmarker and, where its model is given, by LR-ASD, a network that tells whether a mouth goes with a
sound. `python -m evals.face RIG --landmarker FILE [--asd FILE]` prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar import Performer, Pose, load_renderer, load_rig
from avatar.expression import EMOTIONS, expression, gaze_aside, head_tilt
from avatar.pose import ARKIT_BLENDSHAPES
from avatar.viseme import is_bilabial, visemes_of
from speech import load_synthesizer
from speech.audio import to_mono_16k
from speech.timeline import Pcm, Phoneme

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FPS = 25
"""LR-ASD's rate."""
SIZE_PX = 512
PAUSE_S = 0.32
"""Between two sentences, in which the face lives on."""
TALK: tuple[tuple[str, str], ...] = (
    ("neutral", "Good morning, and thank you for asking about your order."),
    ("happy", "My pleasure! Most people may bring back a lamp within a month, and we pay for the parcel."),
    ("neutral", "Please pack the lamp in its box, and put the bill on top of the package."),
    ("apologetic", "I am sorry, the blue problem with the pump must have been a bad part."),
    ("concerned", "Maybe the battery became too warm; please keep it away from the window."),
    ("neutral", "Our shop is open from Monday to Friday, and both phone numbers are above the map."),
    ("surprised", "Oh, what a wonderful idea, I had not thought of that before!"),
    ("empathetic", "I understand how much bother that must be, and I will help you with both."),
    ("thinking", "Let me see, that could be a bug in the mobile app, or a simple bump on the cable."),
    ("happy", "Perfect, the payment is complete, and a member of the team will phone you by noon."),
    ("neutral", "Five very fine voices; the thing is, both of them think that the weather is rather cloudy."),
    ("neutral", "If anything else comes up, be it a question or a problem, simply push the button below."),
)
"""A minute when a voice says it: many /p b m/ and many open vowels, in every emotion."""
OTHER: tuple[tuple[str, str], ...] = (
    ("neutral", "Seven zealous sailors chased the thirsty geese across the northern ice."),
    ("neutral", "Yesterday the weather changed, so everyone should dress in thick and dry clothes."),
    ("neutral", "Our teacher reads stories in a very soft voice while the children draw the green hills."),
)
"""Another clip: what the mouth of `TALK` does not say."""

INNER_LIPS = ((82, 87), (13, 14), (312, 317))
"""MediaPipe's points on the inner upper and lower lip, right, middle and left."""
INNER_CORNERS = (78, 308)
LAGS = 8
"""Frames to each side in which the best agreement of mouth and sound is looked for."""
SHIFT_S = 0.4
"""Sound moved by this much does not belong to the mouth any more."""
OPEN_S = 0.06
"""Open vowels shorter than this are passed over by any speaker."""
SHOWN = (
    "mouthSmileLeft", "mouthFrownLeft", "browInnerUp", "browDownLeft", "browOuterUpLeft",
    "browOuterUpRight", "eyeWideLeft", "eyeSquintLeft", "jawOpen", "eyeLookInLeft",
)  # fmt: skip
"""Blendshapes by which MediaPipe's view of an expression is reported."""


class MissingPart(Exception):
    """A package or a model that the check needs is not there; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A talk: poses, sound and what is said when."""

    poses: tuple[Pose, ...]
    pcm: Pcm
    """16 kHz, as long as the poses."""
    phonemes: tuple[Phoneme, ...]


def talk(lines: Sequence[tuple[str, str]] = TALK, *, seed: int = 1, engine: str = "espeak") -> Clip:
    """Speak (emotion, text) lines one after the other.

    Raises:
        SpeechError: the voice cannot speak.
    """
    voice, performer = load_synthesizer(engine=engine), Performer(fps=FPS, seed=seed)
    poses: list[Pose] = []
    phonemes: list[Phoneme] = []
    sounds: list[Pcm] = []
    try:
        for emotion, text in lines:
            speech = voice.speak(text, emotion=emotion)
            start_s = len(poses) / FPS
            said = list(performer.speak(speech, emotion))
            rest = list(performer.idle(round(PAUSE_S * FPS)))
            phonemes += [
                Phoneme(p.symbol, p.start_s + start_s, p.end_s + start_s, p.stress) for p in speech.phonemes
            ]
            poses += said + rest
            sound = np.zeros((len(said) + len(rest)) * 16000 // FPS, np.float32)
            pcm = to_mono_16k(speech.pcm, speech.sample_rate)[: len(sound)]
            sound[: len(pcm)] = pcm
            sounds.append(sound)
    finally:
        voice.close()
    return Clip(tuple(poses), np.concatenate(sounds), tuple(phonemes))


class Landmarker:
    """MediaPipe's FaceLandmarker on single pictures, so that no smoothing over time flatters or blurs.

    Args:
        model: face_landmarker.task.

    Raises:
        MissingPart: mediapipe or the model is missing.
    """

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise MissingPart(
                f"there is no model {model}: visavis models pull face-landmarker, give its path"
            )
        try:
            import mediapipe
            from mediapipe.tasks import python as tasks
            from mediapipe.tasks.python import vision
        except ImportError as error:
            raise MissingPart(f"mediapipe is missing ({error}): pip install 'visavis[face]'") from error
        self._image, self._format = mediapipe.Image, mediapipe.ImageFormat.SRGB
        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(model)), output_face_blendshapes=True
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def look(self, picture: U8) -> tuple[F32, dict[str, float]] | None:
        """Points float32[478, 2] in pixels and blendshape scores; None where no face is found."""
        found = self._landmarker.detect(
            self._image(image_format=self._format, data=np.ascontiguousarray(picture))
        )
        if not found.face_landmarks:
            return None
        height, width = picture.shape[:2]
        points = np.array([(p.x * width, p.y * height) for p in found.face_landmarks[0]], np.float32)
        return points, {c.category_name: float(c.score) for c in found.face_blendshapes[0]}

    def close(self) -> None:
        """Free the model."""
        self._landmarker.close()


def mouth_aspect(points: F32) -> float:
    """Height of the mouth's opening by its width, of landmarks float32[478, 2]."""
    height = np.mean([np.linalg.norm(points[a] - points[b]) for a, b in INNER_LIPS])
    width = np.linalg.norm(points[INNER_CORNERS[0]] - points[INNER_CORNERS[1]])
    return float(height / max(float(width), 1e-6))


def closing(aspects: F32, phonemes: Sequence[Phoneme], fps: float = FPS) -> dict[str, Any]:
    """Mean mouth aspect in the middle of /p b m/ and of open vowels, and their ratio; nan is left out."""
    times = (np.arange(len(aspects)) + 0.5) / fps

    def at(sounds: Sequence[Phoneme]) -> F32:
        found = [aspects[np.abs(times - (p.start_s + p.end_s) / 2).argmin()] for p in sounds]
        return np.array([value for value in found if np.isfinite(value)], np.float32)

    closed = at([p for p in phonemes if is_bilabial(p.symbol)])
    opened = at([p for p in phonemes if p.end_s - p.start_s >= OPEN_S and visemes_of(p.symbol)[0][0] == "aa"])
    if not len(closed) or not len(opened):
        raise MissingPart("the talk holds no /p b m/ or no open vowel: give other lines")
    return {
        "bilabials": len(closed),
        "open_vowels": len(opened),
        "aspect_at_pbm": round(float(closed.mean()), 4),
        "worst_aspect_at_pbm": round(float(closed.max()), 4),
        "aspect_at_a": round(float(opened.mean()), 4),
        "ratio": round(float(closed.mean() / opened.mean()), 4),
    }


def envelope(pcm: Pcm, frames: int, sample_rate: int = 16000, fps: float = FPS) -> F32:
    """Loudness of each frame, float32[n]: root of the mean power in a window of two frames."""
    power = np.concatenate([[0.0], np.cumsum(pcm.astype(np.float64) ** 2)])
    middle = (np.arange(frames) + 0.5) / fps * sample_rate
    low = np.clip(middle - sample_rate / fps, 0, len(pcm)).astype(int)
    high = np.clip(middle + sample_rate / fps, 0, len(pcm)).astype(int)
    level = np.sqrt(np.maximum(power[high] - power[low], 0) / np.maximum(high - low, 1))
    return np.asarray(level, np.float32)


def best_lag(mouth: F32, sound: F32) -> dict[str, Any]:
    """At which lag mouth and sound agree best: positive frames mean that the mouth comes late."""
    usable = np.isfinite(mouth)
    mouth = np.where(usable, mouth, np.nanmean(mouth))
    scores = {}
    for lag in range(-LAGS, LAGS + 1):
        a = mouth[max(lag, 0) : len(mouth) + min(lag, 0)]
        b = sound[max(-lag, 0) : len(sound) - max(lag, 0)]
        scores[lag] = float(np.corrcoef(a, b)[0, 1])
    best = max(scores, key=lambda lag: scores[lag])
    return {
        "lag_frames": best,
        "correlation": round(scores[best], 3),
        "correlation_at_0": round(scores[0], 3),
        "by_lag": {str(lag): round(score, 3) for lag, score in scores.items()},
    }


def mfcc(pcm: Pcm, sample_rate: int = 16000) -> F32:
    """13 mel cepstra float32[n, 13] every 10 ms over 25 ms, with the constants that LR-ASD was trained on."""
    signal = np.round(pcm.astype(np.float64) * 32767)
    signal = np.append(signal[0], signal[1:] - 0.97 * signal[:-1])
    size, step, points, filters = 0.025 * sample_rate, 0.010 * sample_rate, 512, 26
    count = 1 + int(np.ceil(max(len(signal) - size, 0) / step))
    padded = np.append(signal, np.zeros(int((count - 1) * step + size) - len(signal) + 1))
    frames = np.lib.stride_tricks.sliding_window_view(padded, int(size))[:: int(step)][:count]
    power = np.abs(np.fft.rfft(frames, points)) ** 2 / points
    mel = np.linspace(0, 2595 * np.log10(1 + sample_rate / 2 / 700), filters + 2)
    edges = np.floor((points + 1) * 700 * (10 ** (mel / 2595) - 1) / sample_rate)
    bins = np.arange(points // 2 + 1)[None]
    left, top, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bank = np.where(
        (bins >= left) & (bins < top),
        (bins - left) / np.maximum(top - left, 1),
        np.where((bins >= top) & (bins < right), (right - bins) / np.maximum(right - top, 1), 0.0),
    )
    tiny = np.finfo(np.float64).eps
    logs = np.log(np.maximum(power @ bank.T, tiny))
    k, n = np.arange(13)[:, None], np.arange(filters)[None]
    basis = np.cos(np.pi * k * (2 * n + 1) / (2 * filters)) * np.sqrt(2 / filters)
    basis[0] /= np.sqrt(2)
    cepstra = logs @ basis.T * (1 + 11 * np.sin(np.pi * np.arange(13) / 22))
    cepstra[:, 0] = np.log(np.maximum(power.sum(1), tiny))
    return np.asarray(cepstra, np.float32)


class Synchrony:
    """LR-ASD: does this mouth go with this sound?

    Args:
        model: the ONNX export with inputs mfcc[1, 4T, 13] and face112[1, T, 112, 112].

    Raises:
        MissingPart: onnxruntime or the model is missing.
    """

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise MissingPart(f"there is no model {model}: give the path of an LR-ASD export")
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPart(f"onnxruntime is missing ({error}): pip install onnxruntime") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def score(self, faces: F32, pcm: Pcm, speaking: NDArray[np.bool_]) -> float:
        """Mean logit over the speaking frames; high where mouth and sound belong together.

        Args:
            faces: grey float32[n, 112, 112] in 0..255 at 25 frames a second.
            pcm: 16 kHz, at least as long.
            speaking: bool[n].
        """
        cepstra = mfcc(pcm)
        count = min(len(faces), len(cepstra) // 4)
        feeds = {"mfcc": cepstra[None, : 4 * count], "face112": faces[None, :count]}
        logits = np.asarray(self._session.run(None, feeds)[0])
        return float(logits[speaking[:count]].mean())


def face_crop(picture: U8, points: F32) -> F32:
    """The face grey float32[112, 112], cut as LR-ASD's training data were: a square around the face's box."""
    import cv2

    low, high = points.min(0), points.max(0)
    half = float((high - low).max()) / 2
    x, y = (low + high) / 2
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    patch = cv2.getRectSubPix(grey, (round(2 * half), round(2 * half)), (float(x), float(y)))
    return np.asarray(cv2.resize(patch, (112, 112), interpolation=cv2.INTER_AREA), np.float32)


def expressions(rig: str | Path, landmarker: Landmarker, size: int = SIZE_PX) -> dict[str, Any]:
    """MediaPipe's scores of the seven emotions at 0.5 and 1.0; None where it finds no face."""
    renderer = load_renderer(load_rig(rig), size=size)
    seen: dict[str, Any] = {}
    for emotion in EMOTIONS:
        for level in (0.5, 1.0):
            yaw, pitch, roll = (float(angle) for angle in head_tilt(emotion, level))
            left, up = gaze_aside(emotion, level)
            weights = dict(zip(ARKIT_BLENDSHAPES, expression(emotion, level).tolist(), strict=True))
            pose = Pose(weights, (yaw, pitch, roll), (left - yaw, up + pitch))
            found = landmarker.look(renderer.draw(pose))
            scores = {name: round(found[1][name], 3) for name in SHOWN} if found else None
            seen.setdefault(emotion, {})[str(level)] = scores
    return seen


def judge(
    rig: str | Path,
    landmarker: Landmarker,
    synchrony: Synchrony | None,
    size: int = SIZE_PX,
    lines: Sequence[tuple[str, str]] = TALK,
) -> dict[str, Any]:
    """Everything that can be said of a rig's talk; see the module's text.

    Raises:
        AvatarError, SpeechError: the rig cannot be drawn or nothing can be said.
    """
    clip = talk(lines)
    aspects = np.full(len(clip.poses), np.nan, np.float32)
    faces = np.zeros((len(clip.poses), 112, 112), np.float32)
    for number, picture in enumerate(_pictures(rig, clip, size)):
        found = landmarker.look(picture)
        if found:
            aspects[number] = mouth_aspect(found[0])
            faces[number] = face_crop(picture, found[0])
    missed = np.flatnonzero(~np.isfinite(aspects))
    report: dict[str, Any] = {
        "rig": str(rig),
        "frames": len(clip.poses),
        "seconds": round(len(clip.poses) / FPS, 2),
        "faces_missed": len(missed),
        "closing": closing(aspects, clip.phonemes),
        "opening_and_sound": best_lag(aspects, envelope(clip.pcm, len(aspects))),
        "expressions": expressions(rig, landmarker, size),
    }
    if synchrony is not None:
        report["synchrony"] = _compare(clip, faces, synchrony)
    return report


def _compare(clip: Clip, faces: F32, synchrony: Synchrony) -> dict[str, float]:
    times = (np.arange(len(faces)) + 0.5) / FPS
    speaking = np.zeros(len(faces), bool)
    for phoneme in clip.phonemes:
        if phoneme.symbol:
            speaking |= (times >= phoneme.start_s) & (times < phoneme.end_s)
    shift = round(SHIFT_S * 16000)
    silence = np.zeros(shift, np.float32)
    other = talk(OTHER).pcm
    heard = {
        "as_made": clip.pcm,
        "sound_400_ms_early": np.concatenate([clip.pcm[shift:], silence]),
        "sound_400_ms_late": np.concatenate([silence, clip.pcm[:-shift]]),
        "another_clips_sound": np.resize(other, len(clip.pcm)),
    }
    scores = {name: round(synchrony.score(faces, pcm, speaking), 2) for name, pcm in heard.items()}
    frozen = np.repeat(faces[:1], len(faces), axis=0)
    scores["frozen_face"] = round(synchrony.score(frozen, clip.pcm, speaking), 2)
    return scores


def _pictures(rig: str | Path, clip: Clip, size: int) -> Iterator[U8]:
    renderer = load_renderer(load_rig(rig), size=size)
    for pose in clip.poses:
        yield renderer.draw(pose)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge one rig and write the JSON document to standard output."""
    parser = argparse.ArgumentParser(prog="python -m evals.face", description=__doc__)
    parser.add_argument("rig", help="a built-in rig's name or a rig folder")
    parser.add_argument("--landmarker", type=Path, required=True, help="face_landmarker.task")
    parser.add_argument("--asd", type=Path, help="LR-ASD as ONNX; left out: no synchrony")
    parser.add_argument("--size", type=int, default=SIZE_PX, help="pixels of the drawn picture")
    options = parser.parse_args(arguments)
    try:
        synchrony = Synchrony(options.asd) if options.asd else None
        landmarker = Landmarker(options.landmarker)
    except MissingPart as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    try:
        report = judge(options.rig, landmarker, synchrony, options.size)
    finally:
        with suppress(RuntimeError):
            landmarker.close()
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
