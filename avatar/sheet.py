"""Contact sheets: mouth shapes, expressions, blink, gaze, head turns and gestures of a rig in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.expression import EMOTIONS, EXPRESSIONS, expression, gaze_aside, head_tilt
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.gesture import GAZE, GESTURES, HEAD, SHAPES
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.renderer import Renderer
from avatar.viseme import SOUND_WEIGHTS, VISEME_WEIGHTS, mirrored

Kind = Literal["visemes", "expressions", "blink", "gaze", "head", "gestures"]
KINDS: tuple[Kind, ...] = ("visemes", "expressions", "blink", "gaze", "head", "gestures")

LABEL_PX = 22
"""Height of the strip with the name over each picture."""
Crop = tuple[float, float, float, float]
MOUTH_CROP: Crop = (0.30, 0.70, 0.34, 0.70)
EYES_CROP: Crop = (0.28, 0.72, 0.22, 0.52)
FACE_CROP: Crop = (0.20, 0.80, 0.06, 0.76)
"""Left, right, top, bottom of the part shown, in sides of the square picture."""
SQUARE = (0.0, 0.0, 1.0)
PORTRAIT = (0.21875, 0.0, 0.5625)
"""Left, top and width of the window that a 9:16 picture shows of it, unless the rig says otherwise."""
STRIP = 7
"""Pictures that show a gesture."""

EXTRA_SOUNDS = {"l": "nn: /l/", "w": "ou: /w/", "y": "ou: /y/", "æ": "aa: ash", "ʌ": "aa: cut"}
"""Sounds with a look of their own that a sheet adds to the 15 visemes, and their labels."""
BLINKS: dict[str, Pose] = {
    **{f"closed {step:.0%}": Pose(mirrored({"eyeBlink_": step})) for step in (0.0, 0.25, 0.5, 0.75, 1.0)},
    "one eye": Pose({"eyeBlinkLeft": 1.0}),
    "looking down": Pose(mirrored({"eyeBlink_": 0.3}), gaze=(0, -14)),
    "squint": Pose(mirrored({"eyeSquint_": 0.9})),
    "wide": Pose(mirrored({"eyeWide_": 0.8})),
    "brows": Pose(mirrored({"browInnerUp": 1.0, "browOuterUp_": 1.0})),
}
LOOKS: dict[str, Pose] = {
    f"{across} {along}".strip(): Pose(gaze=(left, up))
    for along, up in (("up", 12.0), ("", 0.0), ("down", -14.0))
    for across, left in (("its right", -18.0), ("ahead", 0.0), ("its left", 18.0))
}
HEADS: dict[str, Pose] = {
    "straight": Pose(),
    "yaw +5": Pose(head=(5, 0, 0), gaze=(-5, 0)),
    "yaw +10": Pose(head=(10, 0, 0), gaze=(-10, 0)),
    "yaw -5": Pose(head=(-5, 0, 0), gaze=(5, 0)),
    "yaw -10": Pose(head=(-10, 0, 0), gaze=(10, 0)),
    "pitch +6": Pose(head=(0, 6, 0), gaze=(0, 6)),
    "pitch -6": Pose(head=(0, -6, 0), gaze=(0, -6)),
    "roll +6": Pose(head=(0, 0, 6)),
    "roll -6": Pose(head=(0, 0, -6)),
    "deep breath": Pose(breath=1.0),
}


def draw_sheet(renderer: Renderer, kind: Kind, cell: int = 256) -> NDArray[np.uint8]:
    """One contact sheet.

    Args:
        renderer: of the rig to show, of any size and framing.
        kind: "visemes" (15 and some sounds that differ), "expressions" (seven emotions at 0.5 and 1.0),
            "blink", "gaze", "head", or "gestures" (each a strip of pictures in the order of time).
        cell: width of a picture in pixels; those of gestures are smaller.

    Returns:
        RGB uint8[H, W, 3] with labels.

    Raises:
        AvatarError: unknown kind.
    """
    if kind == "visemes":
        neutral = {name: 0.5 * weight for name, weight in EXPRESSIONS["neutral"].items()}
        shapes = VISEME_WEIGHTS | {label: SOUND_WEIGHTS[sound] for sound, label in EXTRA_SOUNDS.items()}
        poses = {name: _over(neutral, Pose(weights)) for name, weights in shapes.items()}
        return _grid(renderer, poses, 5, MOUTH_CROP, cell)
    if kind == "expressions":
        shown = {f"{e} {level}": _expressive(e, level) for level in (0.5, 1.0) for e in EMOTIONS}
        return _grid(renderer, shown, 7, FACE_CROP, cell)
    if kind == "gestures":
        strips = {
            f"{name} {time_s:.1f}": _gesturing(name, time_s)
            for name, gesture in GESTURES.items()
            for time_s in np.linspace(0.08, 0.92, STRIP) * gesture.end_s
        }
        return _grid(renderer, strips, STRIP, FACE_CROP, cell * 5 // 8)
    plain: dict[str, tuple[dict[str, Pose], int, Crop]] = {
        "blink": (BLINKS, 5, EYES_CROP),
        "gaze": (LOOKS, 3, EYES_CROP),
        "head": (HEADS, 5, FACE_CROP),
    }
    if kind not in plain:
        raise AvatarError(f"no sheet {kind!r}: choose one of {', '.join(KINDS)}")
    poses, columns, crop = plain[kind]
    friendly = EXPRESSIONS["neutral"]
    return _grid(renderer, {name: _over(friendly, pose) for name, pose in poses.items()}, columns, crop, cell)


def _over(under: Mapping[str, float], pose: Pose) -> Pose:
    over = pose.blendshapes
    mixed = {n: min(1.0, under.get(n, 0.0) + over.get(n, 0.0)) for n in dict.fromkeys((*under, *over))}
    return Pose(mixed, pose.head, pose.gaze, pose.breath)


def _expressive(emotion: str, level: float) -> Pose:
    weights, (yaw, pitch, roll) = expression(emotion, level), (float(a) for a in head_tilt(emotion, level))
    named = {name: float(weights[BLENDSHAPE_INDEX[name]]) for name in ARKIT_BLENDSHAPES}
    left, up = gaze_aside(emotion, level)
    return Pose(named, (yaw, pitch, roll), (left - yaw, up + pitch))


def _gesturing(name: str, time_s: float) -> Pose:
    overlay = GESTURES[name].at(time_s)
    weights = {n: float(w) for n, w in zip(ARKIT_BLENDSHAPES, overlay[:SHAPES], strict=True) if w > 0}
    (yaw, pitch, roll), (left, up) = (float(a) for a in overlay[HEAD]), (float(a) for a in overlay[GAZE])
    return _over(EXPRESSIONS["neutral"], Pose(weights, (yaw, pitch, roll), (left - yaw, up + pitch)))


def _part(crop: Crop, renderer: Renderer, wide: int, tall: int) -> tuple[slice, slice]:
    """Rows and columns of a crop in a picture of any framing."""
    left, top, across = SQUARE
    if tall > wide:
        manifest = getattr(getattr(renderer, "rig", None), "manifest", None)
        left, top, across = getattr(manifest, "portrait", PORTRAIT)
    scale = wide / across
    columns = (round(min(max((edge - left) * scale, 0), wide)) for edge in crop[:2])
    rows = (round(min(max((edge - top) * scale, 0), tall)) for edge in crop[2:])
    return slice(*rows), slice(*columns)


def _grid(
    renderer: Renderer,
    poses: Mapping[str, Pose],
    columns: int,
    crop: Crop,
    cell: int,
) -> NDArray[np.uint8]:
    import cv2

    cells = []
    for label, pose in poses.items():
        drawn = renderer.draw(pose)
        part = np.ascontiguousarray(drawn[_part(crop, renderer, drawn.shape[1], drawn.shape[0])])
        tall = round(cell * part.shape[0] / part.shape[1])
        way = cv2.INTER_AREA if part.shape[1] > cell else cv2.INTER_CUBIC
        picture = cv2.resize(part, (cell, tall), interpolation=way)
        strip = np.full((LABEL_PX, cell, 3), 255, np.uint8)
        cv2.putText(strip, label, (8, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 30, 60), 1, cv2.LINE_AA)
        picture = np.vstack([strip, picture])
        cells.append(picture)
    while len(cells) % columns:
        cells.append(np.full((tall + LABEL_PX, cell, 3), 255, np.uint8))
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return np.asarray(np.vstack(rows), np.uint8)
