"""Gestures: short motions of head and face that a dialogue asks for by name, kept as keyframes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX
from avatar.pose import ARKIT_BLENDSHAPES
from avatar.viseme import mirrored

F32 = NDArray[np.float32]
Angles = tuple[float, float, float]

SHAPES = len(ARKIT_BLENDSHAPES)
HEAD = slice(SHAPES, SHAPES + 3)
GAZE = slice(SHAPES + 3, SHAPES + 5)
"""Where head and gaze stand in an overlay, after the 52 weights."""
OVERLAY = SHAPES + 5
"""Length of an overlay: what a gesture adds to weights, to the head's degrees and to the gaze's."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a gesture has reached at one time; between keys it moves with the least jerk."""

    at_s: float
    weights: Mapping[str, float] = field(default_factory=dict)
    """ARKit weights added to the face; a name that ends in _ means both sides."""
    head: Angles = (0.0, 0.0, 0.0)
    """Degrees added, with the signs of `Pose.head`."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Degrees by which the eyes leave the visitor, with the signs of `Pose.gaze`."""


@dataclass(frozen=True)
class Gesture:
    """A motion that begins and ends at rest."""

    name: str
    meaning: str
    """When a dialogue uses it."""
    keys: tuple[Key, ...]
    """In time order; the rest before the first and after the last is understood."""
    end_s: float
    """When all is at rest again, in seconds."""

    @cached_property
    def _curve(self) -> tuple[F32, F32]:
        times = [0.0, *(key.at_s for key in self.keys), self.end_s]
        rows = np.zeros((len(times), OVERLAY), np.float32)
        for row, key in zip(rows[1:-1], self.keys, strict=True):
            for name, weight in mirrored(dict(key.weights)).items():
                row[BLENDSHAPE_INDEX[name]] = weight
            row[HEAD], row[GAZE] = key.head, key.gaze
        return np.array(times, np.float32), rows

    def at(self, time_s: float) -> F32:
        """What the gesture adds `time_s` seconds after its beginning: an overlay float32[57]."""
        times, rows = self._curve
        if not 0.0 < time_s < self.end_s:
            return np.zeros(OVERLAY, np.float32)
        after = int(np.searchsorted(times, time_s, side="right"))
        share = (time_s - float(times[after - 1])) / float(times[after] - times[after - 1])
        share = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        return np.asarray(rows[after - 1] + (rows[after] - rows[after - 1]) * share, np.float32)


def flipped(overlay: F32) -> F32:
    """The same gesture seen in a mirror: left and right change places."""
    out = overlay.copy()
    out[:SHAPES] = overlay[_OTHER_SIDE]
    for turn in (HEAD.start, HEAD.start + 2, GAZE.start):
        out[turn] = -overlay[turn]
    return out


def gesture_names() -> list[str]:
    """Names of all gestures."""
    return sorted(GESTURES)


def gesture_for(emotion: str) -> str | None:
    """The gesture that goes with an emotion when the dialogue names none; None for an unknown emotion."""
    return _BY_EMOTION.get(emotion)


_BY_EMOTION = {
    "neutral": "nod", "happy": "welcome", "empathetic": "reassure", "apologetic": "apologise",
    "concerned": "listen", "surprised": "surprise", "thinking": "think",
}  # fmt: skip


def _other_side(name: str) -> str:
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


_OTHER_SIDE = [BLENDSHAPE_INDEX[_other_side(name)] for name in ARKIT_BLENDSHAPES]

_SOFT_SMILE = {"mouthSmile_": 0.30, "cheekSquint_": 0.22}
_SMILE = {"mouthSmile_": 0.45, "cheekSquint_": 0.36, "eyeSquint_": 0.08}

_ALL = (
    Gesture(
        "greet", "hello: brows flash, a smile opens, the head bows a little",
        (
            Key(0.28, {"browInnerUp": 0.35, "browOuterUp_": 0.42, "eyeWide_": 0.18, "mouthSmile_": 0.28},
                (0, -2.4, 1.2)),
            Key(0.66, _SMILE | {"browInnerUp": 0.12, "browOuterUp_": 0.14}, (0, 4.6, 2.6)),
            Key(1.12, _SMILE, (0, 0.4, 2.2)),
        ), 1.9,
    ),
    Gesture(
        "nod", "a plain yes, I follow",
        (Key(0.22, {}, (0, 4.4, 0)), Key(0.46, {}, (0, -0.8, 0)), Key(0.68, {}, (0, 2.0, 0))), 1.0,
    ),
    Gesture(
        "agree", "warm agreement: two nods and a smile",
        (
            Key(0.28, _SOFT_SMILE, (0, 5.2, 0.6)), Key(0.58, _SOFT_SMILE, (0, -0.8, 0.8)),
            Key(0.86, _SOFT_SMILE, (0, 3.8, 0.8)), Key(1.14, _SOFT_SMILE, (0, 0, 0.6)),
        ), 1.65,
    ),
    Gesture(
        "disagree", "a soft no: small shakes, lips together",
        (
            Key(0.24, {"browInnerUp": 0.18, "mouthPress_": 0.16}, (4.2, 0.8, 0)),
            Key(0.54, {"browInnerUp": 0.22, "mouthPress_": 0.22}, (-4.2, 1.2, 0)),
            Key(0.84, {"browInnerUp": 0.20, "mouthPress_": 0.20}, (3.0, 1.0, 0)),
            Key(1.10, {"browInnerUp": 0.12, "mouthPress_": 0.10}, (-1.4, 0.5, 0)),
        ), 1.45,
    ),
    Gesture(
        "apologise", "sorry: the head bows, the eyes go down, the brows come together and up",
        (
            Key(0.45, {"browInnerUp": 0.45, "mouthPress_": 0.30, "mouthFrown_": 0.12},
                (0, 5.6, 1.0), (0, -9)),
            Key(0.95, {"browInnerUp": 0.50, "mouthPress_": 0.34, "mouthFrown_": 0.14},
                (0, 5.8, 1.2), (0, -8)),
            Key(1.40, {"browInnerUp": 0.42, "mouthPress_": 0.14}, (0, 1.6, 1.4)),
        ), 2.1,
    ),
    Gesture(
        "think", "let me see: eyes up and aside, one brow, lips to the side",
        (
            Key(0.34, {"browOuterUpRight": 0.34, "browDownLeft": 0.20, "mouthLeft": 0.18,
                       "mouthPress_": 0.20},
                (-3.2, -2.4, 2.2), (-15, 10)),
            Key(1.10, {"browOuterUpRight": 0.40, "browDownLeft": 0.22, "mouthLeft": 0.22,
                       "mouthPress_": 0.24},
                (-3.8, -2.2, 2.6), (-17, 9)),
        ), 1.7,
    ),
    Gesture(
        "farewell", "goodbye: a slow bow with a smile that stays a while",
        (
            Key(0.30, _SOFT_SMILE | {"browInnerUp": 0.18, "browOuterUp_": 0.20}, (0, -1.2, -1.4)),
            Key(0.80, _SMILE | {"eyeBlink_": 0.45}, (0, 6.0, -2.4)),
            Key(1.40, _SMILE, (0, 0.6, -2.8)),
            Key(1.80, _SOFT_SMILE, (0, 0, -2.0)),
        ), 2.5,
    ),
    Gesture(
        "emphasise", "this matters: a short firm nod with the brows",
        (
            Key(0.18, {"browInnerUp": 0.26, "browOuterUp_": 0.30, "eyeWide_": 0.12}, (0, -1.4, 0)),
            Key(0.42, {"browInnerUp": 0.14, "browOuterUp_": 0.16}, (0, 4.8, 0)),
        ), 0.90,
    ),
    Gesture(
        "welcome", "glad to help: chin up, head to one side, a broad smile",
        (
            Key(0.40, _SMILE | {"browOuterUp_": 0.24, "browInnerUp": 0.14}, (1.6, -2.2, 3.4)),
            Key(1.00, _SMILE | {"browOuterUp_": 0.12}, (1.2, 0.8, 3.8)),
        ), 1.8,
    ),
    Gesture(
        "surprise", "oh: brows and lids up, the head goes back",
        (
            Key(0.20, {"browInnerUp": 0.55, "browOuterUp_": 0.60, "eyeWide_": 0.50, "jawOpen": 0.14,
                       "mouthFunnel": 0.10}, (0, -3.4, 0)),
            Key(0.60, {"browInnerUp": 0.50, "browOuterUp_": 0.55, "eyeWide_": 0.40, "jawOpen": 0.10,
                       "mouthFunnel": 0.08}, (0, -2.8, 0.8)),
        ), 1.3,
    ),
    Gesture(
        "listen", "go on: a small nod with a hint of a smile",
        (
            Key(0.30, {"browInnerUp": 0.16, "mouthSmile_": 0.16, "cheekSquint_": 0.10}, (0, 3.0, 1.6)),
            Key(0.62, {"browInnerUp": 0.14, "mouthSmile_": 0.20, "cheekSquint_": 0.12}, (0, -0.4, 2.0)),
            Key(0.94, {"browInnerUp": 0.08, "mouthSmile_": 0.16, "cheekSquint_": 0.10}, (0, 1.6, 1.8)),
        ), 1.7,
    ),
    Gesture(
        "confirm", "done, noted: one nod, the eyes close with it for a moment",
        (
            Key(0.26, {"eyeBlink_": 0.92, "mouthSmile_": 0.14}, (0, 4.6, 0)),
            Key(0.36, {"eyeBlink_": 0.92, "mouthSmile_": 0.18}, (0, 4.8, 0)),
            Key(0.66, {"mouthSmile_": 0.24, "cheekSquint_": 0.16}, (0, -0.4, 0)),
        ), 1.2,
    ),
    Gesture(
        "shrug", "who knows: brows up, corners of the mouth down, head to one side",
        (
            Key(0.30, {"browInnerUp": 0.40, "browOuterUp_": 0.50, "mouthFrown_": 0.34,
                       "mouthShrugLower": 0.42,
                       "mouthPress_": 0.14}, (1.5, -0.8, -4.2)),
            Key(0.70, {"browInnerUp": 0.34, "browOuterUp_": 0.44, "mouthFrown_": 0.30,
                       "mouthShrugLower": 0.38,
                       "mouthPress_": 0.12}, (1.5, -0.4, -4.6)),
        ), 1.25,
    ),
    Gesture(
        "reassure", "it will be all right: a slow nod, soft eyes, lips closed in a smile",
        (
            Key(0.50, {"browInnerUp": 0.34, "mouthSmile_": 0.26, "cheekSquint_": 0.16, "eyeSquint_": 0.10},
                (0, 3.6, 3.0)),
            Key(1.00, {"browInnerUp": 0.28, "mouthSmile_": 0.32, "cheekSquint_": 0.20, "eyeSquint_": 0.14},
                (0, 0.2, 3.6)),
            Key(1.45, {"browInnerUp": 0.20, "mouthSmile_": 0.28, "cheekSquint_": 0.18, "eyeSquint_": 0.10},
                (0, 2.2, 3.2)),
        ), 2.3,
    ),
    Gesture(
        "ask", "an open question: brows up, the head comes forward and to one side",
        (
            Key(0.30, {"browInnerUp": 0.28, "browOuterUp_": 0.40, "eyeWide_": 0.16}, (-1.6, 1.8, -3.0)),
            Key(0.90, {"browInnerUp": 0.32, "browOuterUp_": 0.42, "eyeWide_": 0.18, "mouthSmile_": 0.12},
                (-2.0, 1.4, -3.6)),
        ), 1.6,
    ),
    Gesture(
        "attend", "I am with you: the head comes up to the visitor, eyes open",
        (
            Key(0.36, {"browInnerUp": 0.20, "browOuterUp_": 0.24, "eyeWide_": 0.16, "mouthSmile_": 0.14},
                (0, -2.0, -1.4)),
            Key(0.80, {"browOuterUp_": 0.10, "mouthSmile_": 0.20, "cheekSquint_": 0.10},
                (0, 0.8, -1.8)),
        ), 1.5,
    ),
)  # fmt: skip

GESTURES: dict[str, Gesture] = {gesture.name: gesture for gesture in _ALL}
"""Name → gesture."""
