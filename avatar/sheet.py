"""Contact sheets: every mouth shape, expression or eye and head movement of a rig in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.expression import EMOTIONS, EXPRESSIONS, expression, head_tilt
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.renderer import Renderer
from avatar.viseme import VISEME_WEIGHTS, mirrored

Kind = Literal["visemes", "expressions", "eyes", "head"]
KINDS: tuple[Kind, ...] = ("visemes", "expressions", "eyes", "head")

LABEL_PX = 22
"""Height of the strip with the name over each picture."""
MOUTH_CROP = (0.28, 0.72, 0.30, 0.74)
FACE_CROP = (0.15, 0.85, 0.06, 0.76)
"""Left, right, top, bottom of the part shown, in picture sizes."""

EYES: dict[str, Pose] = {
    "open": Pose(),
    "half blink": Pose(mirrored({"eyeBlink_": 0.5})),
    "blink": Pose(mirrored({"eyeBlink_": 1.0})),
    "wide": Pose(mirrored({"eyeWide_": 0.8})),
    "squint": Pose(mirrored({"eyeSquint_": 0.9})),
    "her left": Pose(gaze=(18, 0)),
    "her right": Pose(gaze=(-18, 0)),
    "up": Pose(gaze=(0, 14)),
    "down": Pose(gaze=(0, -14)),
    "brows": Pose(mirrored({"browInnerUp": 1.0, "browOuterUp_": 1.0})),
}
HEADS: dict[str, Pose] = {
    "straight": Pose(),
    "yaw +8": Pose(head=(8, 0, 0)),
    "yaw -8": Pose(head=(-8, 0, 0)),
    "pitch +6": Pose(head=(0, 6, 0)),
    "pitch -6": Pose(head=(0, -6, 0)),
    "roll +6": Pose(head=(0, 0, 6)),
    "roll -6": Pose(head=(0, 0, -6)),
    "deep breath": Pose(breath=1.0),
}


def draw_sheet(renderer: Renderer, kind: Kind, cell: int = 256) -> NDArray[np.uint8]:
    """One contact sheet.

    Args:
        renderer: of the rig to show.
        kind: "visemes" (15), "expressions" (seven emotions at 0.5 and 1.0), "eyes" or "head".
        cell: width of a picture in pixels.

    Returns:
        RGB uint8[H, W, 3] with labels.

    Raises:
        AvatarError: unknown kind.
    """
    if kind == "visemes":
        neutral = {name: 0.5 * weight for name, weight in EXPRESSIONS["neutral"].items()}
        poses = {name: _over(neutral, weights) for name, weights in VISEME_WEIGHTS.items()}
        return _grid(renderer, poses, 5, MOUTH_CROP, cell)
    if kind == "expressions":
        shown = {f"{e} {level}": _expressive(e, level) for level in (0.5, 1.0) for e in EMOTIONS}
        return _grid(renderer, shown, 7, FACE_CROP, cell)
    friendly = EXPRESSIONS["neutral"]
    if kind == "eyes":
        return _grid(
            renderer, {n: _over(friendly, p.blendshapes, p) for n, p in EYES.items()}, 5, FACE_CROP, cell
        )
    if kind == "head":
        return _grid(
            renderer, {n: _over(friendly, p.blendshapes, p) for n, p in HEADS.items()}, 4, FACE_CROP, cell
        )
    raise AvatarError(f"no sheet {kind!r}: choose one of {', '.join(KINDS)}")


def _over(under: Mapping[str, float], weights: Mapping[str, float], pose: Pose | None = None) -> Pose:
    mixed = {name: min(1.0, under.get(name, 0.0) + weights.get(name, 0.0)) for name in {*under, *weights}}
    return Pose(
        mixed,
        pose.head if pose else (0.0, 0.0, 0.0),
        pose.gaze if pose else (0.0, 0.0),
        pose.breath if pose else 0.0,
    )


def _expressive(emotion: str, level: float) -> Pose:
    weights, (yaw, pitch, roll) = expression(emotion, level), (float(a) for a in head_tilt(emotion, level))
    named = {name: float(weights[BLENDSHAPE_INDEX[name]]) for name in ARKIT_BLENDSHAPES}
    aside = (-11.0 * level, 7.0 * level) if emotion == "thinking" else (0.0, 0.0)
    return Pose(named, (yaw, pitch, roll), (aside[0] - yaw, aside[1] + pitch))


def _grid(
    renderer: Renderer,
    poses: Mapping[str, Pose],
    columns: int,
    crop: tuple[float, float, float, float],
    cell: int,
) -> NDArray[np.uint8]:
    import cv2

    left, right, top, bottom = (int(edge * renderer.size) for edge in crop)
    tall = round(cell * (bottom - top) / (right - left))
    cells = []
    for label, pose in poses.items():
        part = np.ascontiguousarray(renderer.draw(pose)[top:bottom, left:right])
        way = cv2.INTER_AREA if right - left > cell else cv2.INTER_CUBIC
        picture = cv2.resize(part, (cell, tall), interpolation=way)
        strip = np.full((LABEL_PX, cell, 3), 255, np.uint8)
        cv2.putText(strip, label, (8, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 30, 60), 1, cv2.LINE_AA)
        picture = np.vstack([strip, picture])
        cells.append(picture)
    while len(cells) % columns:
        cells.append(np.full((tall + LABEL_PX, cell, 3), 255, np.uint8))
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return np.asarray(np.vstack(rows), np.uint8)
