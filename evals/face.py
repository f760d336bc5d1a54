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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar import AvatarError, Performer, Pose, load_renderer, load_rig
from avatar.expression import EMOTIONS, expression, gaze_aside, head_tilt
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.photo import Landmarker
from avatar.photo.landmarks import mouth_aspect
from avatar.pose import ARKIT_BLENDSHAPES
from avatar.viseme import is_bilabial, visemes_of
from evals.synchrony import FPS, MissingPart, Synchrony, best_lag, envelope, face_crop
from speech import load_synthesizer
from speech.audio import to_mono_16k
from speech.timeline import Pcm, Phoneme

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

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

SHIFT_S = 0.4
"""Sound moved by this much does not belong to the mouth any more."""
OPEN_S = 0.06
"""Open vowels shorter than this are passed over by any speaker."""
SHOWN = (
    "mouthSmileLeft", "mouthFrownLeft", "browInnerUp", "browDownLeft", "browOuterUpLeft",
    "browOuterUpRight", "eyeWideLeft", "eyeSquintLeft", "jawOpen", "eyeLookInLeft",
)  # fmt: skip
"""Blendshapes by which MediaPipe's view of an expression is reported."""


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
            found = landmarker.find(renderer.draw(pose))
            scores = (
                {n: round(float(found[0].blendshapes[BLENDSHAPE_INDEX[n]]), 3) for n in SHOWN}
                if found
                else None
            )
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
        if found := landmarker.find(picture):
            points = found[0].points[:, :2]
            aspects[number] = mouth_aspect(points)
            faces[number] = face_crop(picture, points)
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
    except (AvatarError, MissingPart) as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    with landmarker:
        report = judge(options.rig, landmarker, synchrony, options.size)
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
