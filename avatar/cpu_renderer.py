"""The renderer without a GPU: numba loops, one thread a picture, finer around mouth and eyes."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avatar import overlay, raster
from avatar.framing import Frame
from avatar.geometry import (
    BLENDSHAPE_INDEX,
    LOOK_OUT_DEG,
    LOOK_UP_DEG,
    eye_matrix,
    head_matrix,
    smoothstep,
    weights_of,
)
from avatar.layer import fit, spans, stage
from avatar.pose import Pose
from avatar.rig import Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FAR = np.float32(1e9)
"""Depth (m) of a pixel that shows the background."""
NO_HOLE = np.zeros(4, np.int64)
ZOOM = 2
"""Pixels a side that are averaged into one around mouth and eyes."""
CHEST_LIFT_M = 0.0016
"""How far a full breath lifts the shoulders; the head rises by `HEAD_LIFT` of it."""
HEAD_LIFT = 0.45
LASH_RGB = (22, 15, 13)
LASH_STRENGTH = 0.55
LASH_RADIUS_PX = 0.42
"""Half thickness of a lash in a picture of 512 px."""
GLINTS = ((0.20, 0.26, 0.12, 0.85), (-0.24, -0.20, 0.07, 0.25))
"""Window reflections in the eye: x, z and radius in eyeball radii, strength."""
GLINT_SLACK_M = 0.0012
"""A glint is hidden only by what lies this much nearer: the cornea itself must not hide it."""
MOUTH_BOX_M = (-0.037, 0.037, -0.105, -0.045)
EYES_BOX_M = (-0.058, 0.058, -0.022, 0.022)
"""Left, right, bottom, top of the finely drawn boxes at rest, in metres from the middle between the eyes."""


@dataclass(slots=True)
class _Scratch:
    """Buffers of one thread."""

    vertices: F32
    xy: F32
    depth: F32
    light: F32
    ratio: F32
    zbuffer: F32
    lash_mask: F32


class CpuRenderer:
    """Draws a rig in one frame; see `avatar.renderer.Renderer`."""

    def __init__(self, rig: Rig, frame: Frame, background: U8, keep_backdrop: bool = True) -> None:
        self.rig = rig
        self.engine = f"numba/{rig.name}"
        self.size = self.width = frame.width
        self.height = frame.height
        self._local = threading.local()
        camera, side = rig.manifest.camera, rig.manifest.texture_size
        left, top = frame.origin
        half = frame.scale / 2
        self._camera = np.array(
            [camera.y, camera.z, camera.focal * frame.scale, left + half, top + half], np.float32
        )
        self._pivot = np.array(rig.manifest.head_pivot, np.float32)
        self._px_per_m = camera.focal * frame.scale / -camera.y
        mouth, eyes_area = rig.detail
        self._coarse = np.setdiff1d(np.arange(len(rig.triangles), dtype=np.int32), np.concatenate(rig.detail))
        # a triangle near both boxes is drawn by the first: the second finds it in the picture already
        self._around = (mouth, np.setdiff1d(eyes_area, mouth).astype(np.int32))
        self._hair = fit(rig.hair, frame, side)
        below = math.ceil(CHEST_LIFT_M * self._px_per_m) + 1
        cloth = fit(rig.cloth, frame, side, rig.cloth_top, below)
        rows = np.flatnonzero(cloth[:, :, 3].any(axis=1))
        self._cloth_top = int(rows[0]) if len(rows) else len(cloth)
        self._cloth = np.ascontiguousarray(cloth[self._cloth_top :])
        self._background = stage(rig, frame, background, keep_backdrop)
        self._alone = stage(rig, frame, None, False)
        nodes = rig.hair_weight.shape[0] - 1
        self._cell = np.array([left, top, frame.scale / nodes], np.float32)
        self._lash_px = LASH_RADIUS_PX * frame.scale / 512
        self._grid = np.ascontiguousarray(rig.hair_grid.reshape(-1, 3))
        self._grid_weight = np.ascontiguousarray(rig.hair_weight.reshape(-1))
        self._grid_rest, _ = self._place(self._grid, self._grid_weight, head_matrix((0, 0, 0)), 0.0)
        self._hair_spans = spans(self._hair[:, :, 3])
        eyes = rig.manifest.eyes
        self._eye_middle = (np.array(eyes["left"].centre) + np.array(eyes["right"].centre)) / 2
        self._balls = {
            side: rig.vertices[eye.first : eye.first + eye.count] - np.array(eye.centre, np.float32)
            for side, eye in eyes.items()
        }

    def draw(self, pose: Pose) -> U8:
        """One frame, RGB uint8[height, width, 3]."""
        return np.ascontiguousarray(self._draw(pose, self._background)[:, :, :3])

    def draw_rgba(self, pose: Pose) -> U8:
        """One frame without its background, straight RGBA uint8[height, width, 4]."""
        picture = self._draw(pose, self._alone)
        overlay.straighten(picture)
        return picture

    def _draw(self, pose: Pose, background: U8) -> U8:
        rig, scratch = self.rig, self._scratch()
        weights = weights_of(pose)
        matrix = head_matrix(pose.head)
        chest = CHEST_LIFT_M * min(max(pose.breath, 0.0), 1.0)
        np.copyto(scratch.vertices, rig.vertices)
        raster.deform(rig.deltas, weights, rig.active, scratch.vertices)
        self._turn_eyes(weights, scratch)
        lift = chest * HEAD_LIFT
        raster.place(
            scratch.vertices,
            rig.head_weight,
            matrix,
            self._pivot,
            np.float32(lift),
            self._camera,
            scratch.xy,
            scratch.depth,
        )
        raster.blend_maps(rig.maps, map_weights(rig.manifest.map_names, weights), scratch.ratio)
        ratio = scratch.ratio.reshape(rig.map_size, rig.map_size, 3)
        picture = background.copy()
        scratch.zbuffer.fill(FAR)
        self._shade(scratch, ratio, self._coarse, NO_HOLE, 0, 0, 1, picture, scratch.zbuffer)
        boxes = [self._box(box, matrix, lift) for box in (MOUTH_BOX_M, EYES_BOX_M)]
        for triangles, (left, top, wide, tall) in zip(self._around, boxes, strict=True):
            hole = np.array([left, top, left + wide, top + tall], np.int64)
            self._shade(scratch, ratio, triangles, hole, 0, 0, 1, picture, scratch.zbuffer)
        for triangles, (left, top, wide, tall) in zip(rig.detail, boxes, strict=True):
            patch = np.empty((tall * ZOOM, wide * ZOOM, 4), np.uint8)
            zbuffer = np.full((tall * ZOOM, wide * ZOOM), FAR, np.float32)
            raster.enlarge(picture, left, top, ZOOM, patch)
            self._shade(scratch, ratio, triangles, NO_HOLE, left, top, ZOOM, patch, zbuffer)
            if triangles is rig.detail[1]:
                self._glints(patch, zbuffer, left, top, weights, matrix, lift)
            raster.shrink(patch, ZOOM, left, top, picture)
        self._lashes(picture, weights, matrix, lift, scratch)
        overlay.cover(picture, self._cloth, self._cloth_top, np.float32(chest * self._px_per_m))
        self._drape_hair(picture, matrix, lift)
        return picture

    def draw_many(self, poses: Iterable[Pose]) -> U8:
        """Frames of several poses, RGB uint8[n, height, width, 3]."""
        frames = [self.draw(pose) for pose in poses]
        return np.stack(frames) if frames else np.zeros((0, self.height, self.width, 3), np.uint8)

    def _scratch(self) -> _Scratch:
        scratch: _Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None:
            count = len(self.rig.vertices)
            scratch = _Scratch(
                vertices=np.empty((count, 3), np.float32), xy=np.empty((count, 2), np.float32),
                depth=np.empty(count, np.float32), light=self.rig.light.copy(),
                ratio=np.empty(self.rig.maps.shape[1], np.float32),
                zbuffer=np.empty((self.height, self.width), np.float32),
                lash_mask=np.zeros((self.height, self.width), np.float32),
            )  # fmt: skip
            self._local.scratch = scratch
        return scratch

    def _place(self, points: F32, weight: F32, matrix: F32, lift: float) -> tuple[F32, F32]:
        xy, depth = np.empty((len(points), 2), np.float32), np.empty(len(points), np.float32)
        raster.place(points, weight, matrix, self._pivot, np.float32(lift), self._camera, xy, depth)
        return xy, depth

    def _shade(
        self,
        s: _Scratch,
        ratio: F32,
        order: NDArray[np.int32],
        hole: NDArray[np.int64],
        left: int,
        top: int,
        zoom: int,
        out: U8,
        zbuffer: F32,
    ) -> None:
        rig = self.rig
        raster.shade(
            s.xy, s.depth, rig.map_xy, s.light, rig.triangles, rig.uv, rig.mapped, rig.atlas, ratio,
            order, hole,
            np.float32(left), np.float32(top), np.float32(zoom), out, zbuffer,
        )  # fmt: skip

    def _turn_eyes(self, weights: F32, scratch: _Scratch) -> None:
        sides: tuple[tuple[Literal["left", "right"], float], ...] = (("left", 1.0), ("right", -1.0))
        for side, sign in sides:
            name = side.capitalize()
            up = _weight(weights, "eyeLookUp" + name) - _weight(weights, "eyeLookDown" + name)
            out = _weight(weights, "eyeLookOut" + name) - _weight(weights, "eyeLookIn" + name)
            eye, ball = self.rig.manifest.eyes[side], self._balls[side]
            turned = ball @ eye_matrix(LOOK_OUT_DEG * out * sign, LOOK_UP_DEG * up).T
            span = slice(eye.first, eye.first + eye.count)
            scratch.vertices[span] = turned + np.array(eye.centre, np.float32)
            # the upper lid throws a shadow that comes down with it; the corners of the eye are darker
            height, across = turned[:, 2] / eye.radius, np.abs(turned[:, 0]) / eye.radius
            blink = 0.6 * _weight(weights, "eyeBlink" + name)
            shadow = 1 - 0.55 * smoothstep(0.05 - blink, 0.72 - blink, height)
            scratch.light[span] = 0.93 * shadow * (1 - 0.22 * smoothstep(0.30, 0.85, across))

    def _box(
        self, box: tuple[float, float, float, float], matrix: F32, lift: float
    ) -> tuple[int, int, int, int]:
        """Pixels (left, top, width, height) of a box that is carried by the head."""
        left, right, bottom, top = box
        x, y, z = self._eye_middle
        middle = np.array([[x + (left + right) / 2, y - 0.01, z + (bottom + top) / 2]], np.float32)
        (centre,), _ = self._place(middle, np.ones(1, np.float32), matrix, lift)
        wide = min(math.ceil((right - left) * self._px_per_m), self.width)
        tall = min(math.ceil((top - bottom) * self._px_per_m), self.height)
        corner_x = min(max(int(centre[0] - wide / 2), 0), self.width - wide)
        corner_y = min(max(int(centre[1] - tall / 2), 0), self.height - tall)
        return corner_x, corner_y, wide, tall

    def _glints(
        self, patch: U8, zbuffer: F32, left: int, top: int, weights: F32, matrix: F32, lift: float
    ) -> None:
        for side, eye in self.rig.manifest.eyes.items():
            blink = _weight(weights, "eyeBlink" + side.capitalize())
            open_share = 1 - float(smoothstep(0.35, 0.75, np.array(blink, np.float32)))
            if open_share <= 0:
                continue
            for x, z, radius, strength in GLINTS:
                toward = -1.02 * math.sqrt(1 - x * x - z * z)
                spot = np.array([eye.centre], np.float32) + np.array([x, toward, z], np.float32) * eye.radius
                (at,), (depth,) = self._place(spot.astype(np.float32), np.ones(1, np.float32), matrix, lift)
                overlay.glint(
                    patch, zbuffer, (at[0] - left) * ZOOM, (at[1] - top) * ZOOM,
                    depth - np.float32(GLINT_SLACK_M),
                    np.float32(eye.radius * radius * self._px_per_m * ZOOM),
                    np.float32(strength * open_share),
                )  # fmt: skip

    def _lashes(self, picture: U8, weights: F32, matrix: F32, lift: float, scratch: _Scratch) -> None:
        rig = self.rig
        if not len(rig.lash_root):
            return
        roots = scratch.vertices[rig.lash_root][:, None]
        relative = np.empty_like(rig.lash_points)
        for side, name in enumerate(("Left", "Right")):
            # lashes swing down with the lid that carries them
            angle = math.radians(62) * min(1.0, _weight(weights, "eyeBlink" + name))
            ours = rig.lash_side == side
            x, y, z = (rig.lash_points[ours][..., axis] for axis in range(3))
            c, s = math.cos(angle), math.sin(angle)
            relative[ours] = np.stack([x, y * c - z * s, z * c + y * s], -1)
        points = np.ascontiguousarray((roots + relative).reshape(-1, 3))
        xy, _ = self._place(points, np.ones(len(points), np.float32), matrix, lift)
        lines = np.ascontiguousarray(xy.reshape(len(rig.lash_root), -1, 2))
        thickness = np.float32(self._lash_px)
        overlay.stroke(
            picture,
            lines,
            thickness,
            np.float32(LASH_STRENGTH),
            np.array(LASH_RGB, np.float32),
            scratch.lash_mask,
        )

    def _drape_hair(self, picture: U8, matrix: F32, lift: float) -> None:
        moved, _ = self._place(self._grid, self._grid_weight, matrix, lift)
        side = self.rig.hair_weight.shape[0]
        shift = np.ascontiguousarray((moved - self._grid_rest).reshape(side, side, 2))
        reach = int(np.abs(shift).max()) + 2
        overlay.drape(picture, self._hair, shift, self._hair_spans, reach, self._cell)


def map_weights(names: tuple[str, ...], weights: F32) -> F32:
    """How strongly each appearance map applies, float32[m] in [0, 1], from the 52 blendshape weights."""

    def w(name: str) -> float:
        return _weight(weights, name)

    open_mouth = w("jawOpen") * (1 - 0.8 * w("mouthClose"))
    strengths = {
        "jaw": open_mouth / 0.7,
        "funnel": max(w("mouthFunnel"), w("mouthPucker")) / 0.8,
        "ee": (
            w("mouthUpperUpLeft")
            + w("mouthUpperUpRight")
            + w("mouthLowerDownLeft")
            + w("mouthLowerDownRight")
        )
        / 2.8,
        "press": (w("mouthPressLeft") + w("mouthPressRight")) / 2 + 0.5 * w("mouthRollLower"),
    }
    for side in ("Left", "Right"):
        strengths["blink" + side] = w("eyeBlink" + side)
        strengths["smile" + side] = w("mouthSmile" + side)
        strengths["browup" + side] = (w("browInnerUp") + w("browOuterUp" + side)) / 2
        strengths["browdn" + side] = w("browDown" + side)
        strengths["frown" + side] = w("mouthFrown" + side)
    return np.array([min(max(strengths.get(name, 0.0), 0.0), 1.0) for name in names], np.float32)


def _weight(weights: F32, name: str) -> float:
    return float(weights[BLENDSHAPE_INDEX[name]])


def warm() -> None:
    """Compile every loop (kept on disk for later processes) and draw one small frame."""
    from avatar.renderer import load_renderer
    from avatar.rig import load_rig

    load_renderer(load_rig(), size=128).draw(Pose())
