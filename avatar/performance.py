"""Acting: speech, emotion and life become a run of poses, without a jump from one call to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avatar.coarticulation import loudness_gain, mouth_track
from avatar.expression import expression, head_tilt, speak_over
from avatar.geometry import BLENDSHAPE_INDEX, smoothstep
from avatar.life import Life
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from speech.timeline import Phoneme, Speech

F32 = NDArray[np.float32]
Look = Literal["idle", "listening", "thinking"]

EASE_S = 0.45
"""Time in which one expression becomes the next."""
MOUTH_JOIN_S = 0.10
"""Time in which the mouth leaves the shape in which the last call ended."""
NOD_DEG, NOD_S, NOD_APART_S = 1.7, 0.17, 0.9
"""Depth and half width of the nod on a stressed sound, and how far apart nods stay."""
NOD_BROW = 0.10
"""How much the brows rise with a nod."""
LISTENING_NOD_S = (2.2, 5.0)
"""Shortest and longest time between two nods while the visitor speaks."""
GAZE_OF: dict[str, tuple[float, float]] = {"thinking": (-11.0, 7.0)}
"""Degrees by which a look turns the eyes from the visitor."""
LOOKS: dict[str, tuple[str, float]] = {
    "idle": ("neutral", 1.0),
    "listening": ("empathetic", 0.35),
    "thinking": ("thinking", 0.8),
}
"""Look → emotion and intensity."""
SMALLEST_WEIGHT = 1e-3
"""Weights below this are left out of a pose."""


def frame_count(duration_s: float, fps: float) -> int:
    """Frames of a sound: its length × fps, rounded; frame i shows the time (i + ½) / fps."""
    return int(duration_s * fps + 0.5)


def perform(
    speech: Speech,
    emotion: str = "neutral",
    intensity: float = 1.0,
    fps: float = 25.0,
    seed: int = 0,
    start_s: float = 0.0,
) -> list[Pose]:
    """Poses of a face that speaks: `frame_count(speech.duration_s, fps)` of them, frame i at (i + ½) / fps.

    Args:
        speech: sound with its phoneme timeline.
        emotion: one of the seven labels; an unknown one is neutral.
        intensity: 0..1.
        fps: frames a second.
        seed: same seed, same blinks.
        start_s: place of the speech in the face's life, so that consecutive speeches join.
    """
    return list(Performer(fps, seed, start_s).speak(speech, emotion, intensity))


class Performer:
    """One face over time; each call goes on where the last one ended. One session, one performer."""

    def __init__(self, fps: float = 25.0, seed: int = 0, start_s: float = 0.0) -> None:
        self.fps = fps
        self.life = Life(seed)
        self._frame = 0
        self._start_s = start_s
        self._rng = np.random.default_rng([seed, 4])
        self._face = expression("neutral")
        self._tilt = np.zeros(3, np.float32)
        self._gaze = np.zeros(2, np.float32)
        self._mouth = np.zeros(len(ARKIT_BLENDSHAPES), np.float32)
        self._speaking = 0.0
        self._closure = 0.0
        self._nod = 0.0

    @property
    def time_s(self) -> float:
        """Seconds of this face's life at the next frame's start."""
        return self._start_s + self._frame / self.fps

    def speak(self, speech: Speech, emotion: str = "neutral", intensity: float = 1.0) -> Iterator[Pose]:
        """Poses of one speech; see `perform`. Closed early, the next call goes on from there."""
        count = frame_count(speech.duration_s, self.fps)
        times = ((np.arange(count) + 0.5) / self.fps).astype(np.float32)
        gain = loudness_gain(speech.pcm, speech.sample_rate, times)
        mouth, closure = mouth_track(speech.phonemes, times, gain)
        speaking = np.clip(mouth.max(axis=1, initial=0.0) / 0.12, 0, 1)
        # what speaks now still speaks between two sounds: hold over a fifth of a second
        speaking = _held(speaking, max(1, int(0.2 * self.fps)))
        nods = _nods(speech.phonemes, times)
        yield from self._act(count, emotion, intensity, (0.0, 0.0), mouth, speaking, closure, nods)

    def idle(self, n_frames: int, look: Look = "idle") -> Iterator[Pose]:
        """Poses of a face that waits, listens or thinks."""
        emotion, intensity = LOOKS.get(look, LOOKS["idle"])
        still = np.zeros((n_frames, len(ARKIT_BLENDSHAPES)), np.float32)
        none = np.zeros(n_frames, np.float32)
        nods = self._listening_nods(n_frames) if look == "listening" else none
        yield from self._act(
            n_frames, emotion, intensity, GAZE_OF.get(look, (0.0, 0.0)), still, none, none, nods
        )

    def _act(
        self, count: int, emotion: str, intensity: float, aside: tuple[float, float],
        mouth: F32, speaking: F32, closure: F32, nods: F32,
    ) -> Iterator[Pose]:  # fmt: skip
        elapsed = ((np.arange(count) + 1) / self.fps).astype(np.float32)
        ease = smoothstep(0.0, EASE_S, elapsed)[:, None]
        join = smoothstep(0.0, MOUTH_JOIN_S, elapsed)
        face = self._face + (expression(emotion, intensity) - self._face) * ease
        tilt = self._tilt + (head_tilt(emotion, intensity) - self._tilt) * ease
        gaze = (
            self._gaze + (np.array(aside, np.float32) - self._gaze) * smoothstep(0.0, 0.16, elapsed)[:, None]
        )
        mouth = self._mouth + (mouth - self._mouth) * join[:, None]
        closure = self._closure + (closure - self._closure) * join
        speaking = self._speaking + (speaking - self._speaking) * smoothstep(0.0, 0.2, elapsed)
        nods = self._nod + (nods - self._nod) * smoothstep(0.0, 0.2, elapsed)
        weights = speak_over(face, mouth, speaking, closure)
        for i in range(count):
            pose = self._pose(weights[i], tilt[i], gaze[i], float(nods[i]))
            # kept frame by frame: an interrupted call leaves the face where it was last seen
            self._frame += 1
            self._face, self._tilt, self._gaze, self._mouth = face[i], tilt[i], gaze[i], mouth[i]
            self._speaking, self._closure, self._nod = float(speaking[i]), float(closure[i]), float(nods[i])
            yield pose

    def _pose(self, weights: F32, tilt: F32, gaze: F32, nod: float) -> Pose:
        moment = self.life.at(self._start_s + (self._frame + 0.5) / self.fps)
        weights = weights.copy()
        for side in ("Left", "Right"):
            blink = BLENDSHAPE_INDEX["eyeBlink" + side]
            weights[blink] = max(weights[blink], moment.blink)
            # a closing lid takes the widened eye with it
            weights[BLENDSHAPE_INDEX["eyeWide" + side]] *= 1 - moment.blink
        inner = BLENDSHAPE_INDEX["browInnerUp"]
        weights[inner] = min(1.0, float(weights[inner]) + NOD_BROW * nod)
        yaw, pitch, roll = moment.head
        # the eyes stay on the visitor while the head moves
        return Pose(
            blendshapes={
                n: float(w) for n, w in zip(ARKIT_BLENDSHAPES, weights, strict=True) if w >= SMALLEST_WEIGHT
            },
            head=(yaw + float(tilt[0]), pitch + float(tilt[1]) + NOD_DEG * nod, roll + float(tilt[2])),
            gaze=(
                moment.gaze[0] + float(gaze[0]) - yaw - float(tilt[0]),
                moment.gaze[1] + float(gaze[1]) + pitch + float(tilt[1]) + NOD_DEG * nod,
            ),
            breath=moment.breath,
        )

    def _listening_nods(self, count: int) -> F32:
        seconds = (np.arange(count) / self.fps).astype(np.float32)
        nods = np.zeros(count, np.float32)
        at = float(self._rng.uniform(*LISTENING_NOD_S)) / 2
        while at < count / self.fps:
            depth = float(self._rng.uniform(0.8, 1.6))
            nods += depth * np.exp(-(((seconds - at) / 0.22) ** 2)) + 0.5 * depth * np.exp(
                -(((seconds - at - 0.6) / 0.2) ** 2)
            )
            at += float(self._rng.uniform(*LISTENING_NOD_S))
        return nods.astype(np.float32)


def _nods(phonemes: Sequence[Phoneme], times: F32) -> F32:
    """Nods float32[n] on primary stresses, never two close together."""
    nods, last = np.zeros(len(times), np.float32), -NOD_APART_S
    for phoneme in phonemes:
        middle = (phoneme.start_s + phoneme.end_s) / 2
        if phoneme.stress == 2 and middle - last >= NOD_APART_S:
            last = middle
            nods += np.exp(-(((times - middle) / NOD_S) ** 2))
    return nods


def _held(values: F32, frames: int) -> F32:
    """Running maximum over the last and next `frames`, then smoothed as long."""
    padded = np.pad(values, frames, mode="constant")
    highest = (
        np.max(np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1), axis=1)
        if len(values)
        else values
    )
    kernel = np.ones(frames) / frames
    return np.convolve(highest, kernel, mode="same").astype(np.float32) if len(highest) >= frames else highest
