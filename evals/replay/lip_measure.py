"""How far a mouth is open in a picture, and whether the face stands where it belongs: measured on the pixels.

The measure is set up once for each face: its renderer draws a talk of which the lips' opening is known from
the rig, and a linear map is fitted from the pixels around the mouth to that opening. Afterwards nothing but
pictures is looked at, wherever they come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.frames import FPS
from agent.painter import Picture
from avatar import Performer, Pose, Renderer
from avatar.framing import Frame, Framing, frame_of
from avatar.geometry import project
from avatar.lipcheck import lip_gap_mm
from avatar.rig import Rig
from speech.timeline import Phoneme, Speech

F32 = NDArray[np.float32]

MOUTH_PX = 32
"""Width of the mouth in the small pictures that are looked at."""
AROUND = (1.4, 1.2)
"""Width and height of the mouth's crop, in mouths."""
BRIDGE = (1.2, -1.5, -0.45)
"""Width of the piece by which the face is found, and from where to where below the mouth, in mouths: the
nose, which no expression changes much."""
ROAM = 0.8
"""How far from its place a face is looked for, in mouths."""
NEAR = 0.6
"""How far from its place it may stand: farther than heads turn while they talk."""
ALIKE = 0.85
"""Correlation from which the piece found is the face's own."""
RIDGE = 0.03
"""Of the fit, as a share of the pixels' variance."""

SAID = (
    "m", "aː", "p", "iː", "b", "oʊ", "s", "ɛ", "f", "u", "l", "æ", "m", "ɑ", "t", "w", "ɪ", "p", "eɪ",
    "k", "ɔ", "b", "ʌ", "n", "θ", "a", "m", "ʃ", "i", "ɹ", "ɑ", "v", "o", "d", "ɜ", "p", "æ", "b", "ə", "m",
)  # fmt: skip
"""What is said while the measure is set up: every viseme, p, b and m again and again."""
SOUND_S = 0.11
PAUSE_S = 0.2
MANNERS = (("neutral", 1.0), ("happy", 0.8), ("apologetic", 0.8))


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen in one picture."""

    opening_mm: float
    """Between the lips; negative where they are pressed together."""
    face: bool
    """A face stands where it belongs."""
    alike: float
    """Correlation of its nose with the rig's, -1 to 1."""
    away: float
    """By how much it stands beside its place, in mouths."""


class LipMeasure:
    """Looks at pictures of one face.

    Args:
        rig: the face.
        renderer: draws it.
        framing: that the renderer draws in.
    """

    def __init__(self, rig: Rig, renderer: Renderer, framing: Framing = "square") -> None:
        self._mouth = _mouth(rig, frame_of(rig.manifest, renderer.width, framing))
        self._width = renderer.width
        self._face = self._bridge(self._small(renderer.draw(Pose())))
        poses = tuple(_talk())[::2]
        seen = [self._pixels(renderer.draw(pose))[0] for pose in poses]
        self._weights, self._mean, self._middle = _fitted(np.stack(seen), lip_gap_mm(rig, poses))

    def look(self, picture: Picture) -> Look:
        """Look at a picture, RGB[H, W, 3] of the same shape as the renderer's, in any size."""
        pixels, alike, away = self._pixels(picture)
        opening = float((pixels - self._mean) @ self._weights + self._middle)
        return Look(opening, alike >= ALIKE and away <= NEAR, alike, away)

    def _pixels(self, picture: Picture) -> tuple[F32, float, float]:
        """The mouth's pixels where the face stands, how alike the face is, and how far it is away."""
        import cv2

        small = self._small(picture)
        reach = round(ROAM * MOUTH_PX)
        found: Any = cv2.matchTemplate(self._bridge(small, reach), self._face, cv2.TM_CCOEFF_NORMED)
        if not np.isfinite(found).all():
            found = np.zeros_like(found)  # one colour throughout
        _, alike, _, (left, up) = cv2.minMaxLoc(found)
        dx, dy = left - reach, up - reach
        width, height = (round(MOUTH_PX * share) for share in AROUND)
        x, y = _CENTRE[0] + dx - width // 2, _CENTRE[1] + dy - height // 2
        crop = small[y : y + height, x : x + width]
        return crop.reshape(-1), float(alike), float(np.hypot(dx, dy) / MOUTH_PX)

    def _bridge(self, small: F32, reach: int = 0) -> F32:
        width, top, bottom = BRIDGE
        half = round(MOUTH_PX * width / 2)
        rows = slice(
            _CENTRE[1] + round(MOUTH_PX * top) - reach, _CENTRE[1] + round(MOUTH_PX * bottom) + reach
        )
        return np.ascontiguousarray(small[rows, _CENTRE[0] - half - reach : _CENTRE[0] + half + reach])

    def _small(self, picture: Picture) -> F32:
        """The neighbourhood of the mouth, grey, in which it is `MOUTH_PX` wide and stands at `_CENTRE`."""
        import cv2

        x, y, width = self._mouth
        scale = picture.shape[1] / self._width
        x, y, width = x * scale, y * scale, width * scale
        grow = MOUTH_PX / width
        left, top = _CENTRE[0] / grow, _CENTRE[1] / grow
        rows = slice(max(int(y - top), 0), int(y + (_SHAPE[1] - _CENTRE[1]) / grow) + 2)
        columns = slice(max(int(x - left), 0), int(x + (_SHAPE[0] - _CENTRE[0]) / grow) + 2)
        grey = cv2.cvtColor(picture[rows, columns], cv2.COLOR_RGB2GRAY)
        if grow < 0.7:
            grey = cv2.blur(grey, (max(round(1 / grow), 1),) * 2)
        place = np.array(
            [
                [grow, 0, _CENTRE[0] - grow * (x - columns.start)],
                [0, grow, _CENTRE[1] - grow * (y - rows.start)],
            ]
        )
        return np.asarray(cv2.warpAffine(grey, place, _SHAPE, borderMode=cv2.BORDER_REPLICATE), np.float32)


_CENTRE = (64, 76)
_SHAPE = (128, 128)
"""Where the mouth stands in the small picture, and its size."""


def _mouth(rig: Rig, frame: Frame) -> tuple[float, float, float]:
    """Centre and width of the mouth at rest, in the frame's pixels."""
    upper, _, lower, _ = rig.lips
    camera = rig.manifest.camera
    places, _ = project(rig.vertices[np.union1d(upper, lower)], (camera.y, camera.z, camera.focal), 1)
    places = places * frame.scale + np.array(frame.origin, np.float32)
    low, high = places.min(axis=0), places.max(axis=0)
    return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2, float(high[0] - low[0])


def _talk() -> Iterator[Pose]:
    performer = Performer(FPS, 7)
    for emotion, intensity in MANNERS:
        phonemes = list[Phoneme]()
        at_s = 0.0
        for symbol in SAID:
            phonemes.append(Phoneme(symbol, at_s, at_s + SOUND_S))
            at_s += SOUND_S
        phonemes.append(Phoneme("", at_s, at_s + PAUSE_S))
        pcm = np.full(round((at_s + PAUSE_S) * 16000), 0.05, np.float32)
        yield from performer.speak(Speech(pcm, 16000, tuple(phonemes)), emotion, intensity)


def _fitted(pixels: F32, opening: F32) -> tuple[F32, F32, float]:
    """Ridge regression: weights, mean of the pixels, mean of the opening."""
    mean, middle = pixels.mean(axis=0), float(opening.mean())
    centred = (pixels - mean).astype(np.float64)
    gram = centred @ centred.T
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = centred.T @ np.linalg.solve(gram, opening - middle)
    return weights.astype(np.float32), mean.astype(np.float32), middle


def closed_below_mm(openings: Sequence[float]) -> float:
    """Return the opening up to which the lips count as closed, for a talk of such openings."""
    seen = np.asarray(openings, np.float32)
    return max(CLOSED_MM, CLOSED_SHARE * float(np.percentile(seen, 90))) if len(seen) else CLOSED_MM


CLOSED_MM = 1.0
"""About what a tenth of the mouth's height is: nearer than this no picture of 384 tells lips apart."""
CLOSED_SHARE = 0.2
"""Of the opening that the talk exceeds a tenth of the time."""
