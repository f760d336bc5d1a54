"""The face of a desk under test: drawn when asked, and measured on the pixels."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from agent.desk import Desk
from agent.face import face_of
from agent.painter import Easels, Picture
from avatar import Pose, Renderer, load_rig
from evals.replay.desk import DeskUnderTest
from evals.replay.lip_measure import LipMeasure
from evals.replay.timed_stage import TINY

PICTURE_PX = 384
"""Width of the pictures that are drawn and measured, where the desk wants larger ones."""

Through = Callable[[Renderer], Renderer]
"""Puts something around what draws the face: planted faults do."""


@dataclass(slots=True)
class DrawnFace:
    """What draws a desk's face, and measures it."""

    renderer: Renderer
    ai_label: bool
    measure: LipMeasure


_FACES: WeakKeyDictionary[DeskUnderTest, DrawnFace] = WeakKeyDictionary()


def drawn_face(desk: DeskUnderTest) -> DrawnFace:
    """Return what draws a desk's face; made once for each desk.

    Raises:
        AvatarError: it cannot be drawn.
    """
    if desk not in _FACES:
        _FACES[desk] = _drawn(desk.desk)
    return _FACES[desk]


def _drawn(desk: Desk) -> DrawnFace:
    face = face_of(desk)
    scale = min(1.0, PICTURE_PX / face.size)
    renderer, rig = face.renderers((scale,))[scale], load_rig(face.rig)
    return DrawnFace(renderer, face.ai_label, LipMeasure(rig, renderer, face.framing))


def face_measure(desk: Desk) -> LipMeasure:
    """Return what measures a desk's face in pictures of any size.

    Raises:
        AvatarError: the face cannot be drawn.
    """
    return _drawn(desk).measure


class AtOncePainter:
    """Draws when asked, on the caller's thread: so a replay takes the same course every time.

    Args:
        easels: draw; None: pictures are tiny, grey and all the same.
    """

    def __init__(self, easels: Easels | None) -> None:
        self.size = easels.size if easels else TINY
        self._easels = easels
        self._poses: dict[int, tuple[Pose, Picture]] = {}

    def paint(self, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Draw; see `agent.painter.Painter`."""
        done: Future[tuple[Picture, float]] = Future()
        try:
            picture = self._easels.draw(pose, scale)[0] if self._easels else _grey()
        except Exception as error:  # told where the picture is taken, as by any painter
            done.set_exception(error)
            return done
        if self._easels is None:
            self._poses[id(picture)] = pose, picture  # held, so that its id stays its own
        done.set_result((picture, 0.0))
        return done

    def pose_of(self, picture: Picture) -> Pose | None:
        """Return what a tiny picture shows, and forget it."""
        found = self._poses.pop(id(picture), None)
        return found[0] if found else None


def _grey() -> Picture:
    return np.full((TINY[1], TINY[0], 3), 128, np.uint8)
