"""Contact sheets: mouth shapes, expressions, blink, gaze, head turns and gestures of a rig in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.expression import EMOTIONS, EXPRESSIONS, expression, gaze_aside, head_tilt
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.gesture import GAZE, GESTURES, HEAD, SHAPES, Gesture
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
STRIP_CROP: Crop = (0.24, 0.76, 0.08, 0.74)
"""Left, right, top, bottom of the part shown, in sides of the square picture."""
EYES_AT = 0.40
"""Where a resting face's eyes are, about, from the top of the square picture."""
SQUARE = (0.0, 0.0, 1.0)
PORTRAIT = (0.21875, 0.0, 0.5625)
"""Left, top and width of the window that a 9:16 picture shows of it, unless the rig says otherwise."""
STRIP = 6
"""Pictures that show a gesture: as many as a strip can have and still be looked at."""
TITLE_PX = 30
"""Height of the line over a strip that names its gesture."""
TELLING_DEG, TELLING_TIME = 6.0, 0.5
"""Degrees of the head or the eyes that tell as much as a whole shape, and what a strip's length tells."""
APART = 0.08
"""Share of a gesture's time that lies between two moments of its strip at least."""
INK, PAPER, GRID = (20, 30, 60), 255, (150, 170, 190)

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
            "blink", "gaze", "head", or "gestures" (each a strip of its six most different moments in order,
            with lines where the resting face has its eyes and its middle).
        cell: width of a picture in pixels.

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
        return np.vstack([_strip(renderer, name, cell) for name in GESTURES])
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


def _strip(renderer: Renderer, name: str, cell: int) -> NDArray[np.uint8]:
    """One gesture: its name and meaning over moments of it."""
    import cv2

    gesture = GESTURES[name]
    poses = {f"{time_s:.2f} s": _gesturing(name, time_s) for time_s in _telling(gesture)}
    pictures = _grid(renderer, poses, STRIP, STRIP_CROP, cell, guides=True)
    width = STRIP * cell
    title = np.full((TITLE_PX, width, 3), PAPER, np.uint8)
    title[0] = GRID
    cv2.putText(title, name, (8, 21), cv2.FONT_HERSHEY_SIMPLEX, 0.65, INK, 2, cv2.LINE_AA)
    (across, _), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, 0.65, 2)
    about = f"{gesture.end_s:.1f} s   {gesture.meaning}"
    cv2.putText(title, about, (24 + across, 21), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return np.vstack([title, pictures])


def _telling(gesture: Gesture) -> list[float]:
    """The `STRIP` moments (s) of a gesture that differ most from each other, in order; it begins at rest."""
    times = np.unique([0.0, *(key.at_s for key in gesture.keys), *np.linspace(0, gesture.end_s, 40)[:-1]])
    seen = np.array([gesture.at(float(time_s)) for time_s in times])
    seen[:, SHAPES:] /= TELLING_DEG
    seen = np.column_stack([seen, TELLING_TIME * times / gesture.end_s])
    chosen = [0]
    while len(chosen) < STRIP:
        away = np.linalg.norm(seen[:, None] - seen[chosen], axis=2).min(axis=1)
        soon = np.abs(times[:, None] - times[chosen]).min(axis=1) < APART * gesture.end_s
        chosen.append(int(np.where(soon, -1, away).argmax()))
    return sorted(float(times[i]) for i in chosen)


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
    *,
    guides: bool = False,
) -> NDArray[np.uint8]:
    import cv2

    cells = []
    for label, pose in poses.items():
        drawn = renderer.draw(pose)
        part = np.ascontiguousarray(drawn[_part(crop, renderer, drawn.shape[1], drawn.shape[0])])
        tall = round(cell * part.shape[0] / part.shape[1])
        way = cv2.INTER_AREA if part.shape[1] > cell else cv2.INTER_CUBIC
        picture = cv2.resize(part, (cell, tall), interpolation=way)
        if guides:
            left, right, top, bottom = crop
            for line in (
                picture[round((EYES_AT - top) / (bottom - top) * tall)],
                picture[:, round((0.5 - left) / (right - left) * cell)],
            ):
                line[:] = line // 2 + np.array(GRID, np.uint8) // 2
        strip = np.full((LABEL_PX, cell, 3), PAPER, np.uint8)
        cv2.putText(strip, label, (8, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
        picture = np.vstack([strip, picture])
        cells.append(picture)
    while len(cells) % columns:
        cells.append(np.full((tall + LABEL_PX, cell, 3), PAPER, np.uint8))
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return np.asarray(np.vstack(rows), np.uint8)
