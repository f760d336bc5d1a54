"""The renderer without a GPU: numba loops, one thread a picture, finer around mouth and eyes."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from avatar import outline, overlay, raster
from avatar.complexion import at_rest
from avatar.framing import Frame
from avatar.geometry import (
    LOOK_OUT_DEG,
    LOOK_UP_DEG,
    eye_matrix,
    finite,
    head_matrix,
    limited,
    smoothstep,
    weights_of,
)
from avatar.layer import fit, lanes, spans, stage
from avatar.look import (
    CHEST_LIFT_M,
    EYES_BOX_M,
    GLINT_SLACK_M,
    GLINTS,
    HEAD_LIFT,
    LASH_RADIUS_PX,
    LASH_RGB,
    LASH_STRENGTH,
    LASH_SWING_RAD,
    MOUTH_BOX_M,
    RATIO_HIGH,
    RATIO_LOW,
    ZOOM,
    map_weights,
    weight_of,
)
from avatar.pose import Pose
from avatar.rig import Eye, Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]

NO_LIMIT = np.float32(np.inf)
OUTLINE_ROOM = 12
"""Pixels of the face's outline that there is room for, in widths + heights of the frame."""
COVER_REACH_PX = 8
"""Step in which the reach of hair is rounded up when asking what it hides for certain."""


@dataclass(slots=True)
class _Scratch:
    """Buffers of one thread."""

    moved: F32
    vertices: F32
    xy: F32
    depth: F32
    light: F32
    strengths: F32
    """For which `factors` and `active` hold."""
    ratio: F32
    factors: NDArray[np.uint64]
    active: U8
    listed: NDArray[np.int32]
    counts: NDArray[np.int64]
    bounds: NDArray[np.int64]
    picture: U32
    zbuffer: F32
    outline: NDArray[np.int32]
    lash_mask: F32
    lash_points: F32
    patches: list[tuple[U32, F32]]


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
        self._group = np.zeros(len(rig.triangles), np.uint8)
        for bit, part in enumerate(rig.detail):
            self._group[part] |= 1 << bit
        corners, places = rig.map_xy[rig.triangles], np.empty((len(rig.triangles), 12), np.float32)
        border = np.array(rig.atlas.shape[1::-1], np.float32) - 1 - raster.INSIDE
        texels = np.clip(rig.uv - np.float32(0.5), raster.INSIDE, border)
        corners = np.clip(corners, raster.INSIDE, max(rig.map_size - 1 - raster.INSIDE, raster.INSIDE))
        for first, at in ((0, texels), (6, corners)):
            places[:, first : first + 2] = at[:, 0]
            places[:, first + 2 : first + 6] = (at[:, 1:] - at[:, :1]).reshape(-1, 4)
        self._places = places
        self._kinds, self._tiles = _kinds(rig)
        texture, self._beyond_rest = at_rest(rig, places)
        self._atlas = _packed(texture)
        self._deltas, self._delta_steps = _short(rig.deltas.reshape(len(rig.deltas), -1))
        self._moves = _occupied(self._deltas)
        self._at_rest = np.ascontiguousarray(rig.vertices[rig.active]).reshape(-1)
        self._maps, self._map_steps = _short(rig.maps)
        self._colours = _occupied(self._maps)
        self._ones = np.ones(rig.maps.shape[1], np.float32)
        hair = fit(rig.hair, frame, side)
        self._hair = lanes(hair) if hair.any() else None
        self._hair_spans = spans(hair[:, :, 3])
        below = math.ceil(CHEST_LIFT_M * self._px_per_m) + 1
        cloth = fit(rig.cloth, frame, side, rig.cloth_top, below)
        rows = np.flatnonzero(cloth[:, :, 3].any(axis=1))
        self._cloth_top = int(rows[0]) if len(rows) else len(cloth)
        cloth = np.ascontiguousarray(cloth[self._cloth_top :])
        self._cloth = _packed(cloth)
        bounds = np.pad(cloth[:, :, 3], ((1, 1), (0, 0)), mode="edge" if len(cloth) else "constant")
        self._cloth_spans = spans(np.maximum(bounds[:-1], bounds[1:]))
        self._opaque = (hair[:, :, 3] == 255).astype(np.uint8)
        self._opaque_cloth = np.zeros_like(self._opaque)
        rows_shown = max(frame.height - self._cloth_top - below, 0)
        self._opaque_cloth[self._cloth_top : self._cloth_top + rows_shown] = cloth[:rows_shown, :, 3] == 255
        self._covers: dict[int, F32] = {}
        self._background = _packed(stage(rig, frame, background, keep_backdrop))
        self._alone = _packed(stage(rig, frame, None, False))
        nodes = rig.hair_weight.shape[0] - 1
        self._cell = np.array([left, top, frame.scale / nodes], np.float32)
        self._lash_px = np.float32(LASH_RADIUS_PX * frame.scale / 512)
        self._lash_rgb = np.array(LASH_RGB, np.float32)
        self._lash_weight = np.ones(rig.lash_points.shape[0] * rig.lash_points.shape[1], np.float32)
        self._grid = np.ascontiguousarray(rig.hair_grid.reshape(-1, 3))
        self._grid_weight = np.ascontiguousarray(rig.hair_weight.reshape(-1))
        self._grid_rest, _ = self._place(self._grid, self._grid_weight, head_matrix((0, 0, 0)), 0.0)
        eyes = rig.manifest.eyes
        self._marks = _marks(eyes)
        looks = np.array(
            [(eye.radius * radius, strength) for eye in eyes.values() for *_, radius, strength in GLINTS]
        )
        self._glint_radii = (looks[:, 0] * self._px_per_m * ZOOM).astype(np.float32)
        self._glint_strengths = looks[:, 1].astype(np.float32)
        self._marks_weight = np.ones(len(self._marks), np.float32)
        self._balls = {
            side: np.ascontiguousarray(
                rig.vertices[eye.first : eye.first + eye.count] - np.array(eye.centre, np.float32)
            )
            for side, eye in eyes.items()
        }
        self._centres = {side: np.array(eye.centre, np.float32) for side, eye in eyes.items()}

    def draw(self, pose: Pose) -> U8:
        """One frame, RGB uint8[height, width, 3]."""
        import cv2

        return np.asarray(cv2.cvtColor(self._draw(pose, self._background), cv2.COLOR_RGBA2RGB), np.uint8)

    def draw_rgba(self, pose: Pose) -> U8:
        """One frame without its background, straight RGBA uint8[height, width, 4]."""
        picture = self._draw(pose, self._alone).copy()
        overlay.straighten(picture)
        return picture

    def draw_many(self, poses: Iterable[Pose]) -> U8:
        """Frames of several poses, RGB uint8[n, height, width, 3]."""
        frames = [self.draw(pose) for pose in poses]
        return np.stack(frames) if frames else np.zeros((0, self.height, self.width, 3), np.uint8)

    def _draw(self, pose: Pose, background: U32) -> U8:
        """The frame, premultiplied RGBA, in this thread's buffer: good until the thread draws again."""
        rig, s = self.rig, self._scratch()
        weights = weights_of(pose)
        matrix = head_matrix(limited(pose.head, rig.manifest.head_limit_deg))
        chest = CHEST_LIFT_M * min(max(finite(pose.breath), 0.0), 1.0)
        lift = chest * HEAD_LIFT
        amounts = weights * self._delta_steps
        raster.mix(self._deltas, amounts, self._moves, self._at_rest, -NO_LIMIT, NO_LIMIT, s.moved)
        raster.scatter(s.moved, rig.active, s.vertices)
        self._turn_eyes(weights, s)
        raster.place(
            s.vertices, rig.head_weight, matrix, self._pivot, np.float32(lift), self._camera, s.xy, s.depth
        )
        strengths = map_weights(rig.manifest.map_names, weights)
        if not np.array_equal(strengths, s.strengths):
            amounts = strengths * self._map_steps
            raster.mix(self._maps, amounts, self._colours, self._ones, RATIO_LOW, RATIO_HIGH, s.ratio)
            raster.pack(s.ratio, self._beyond_rest, s.factors, s.active)
            s.strengths = strengths
        hair_shift, reach = self._hair_shift(matrix, lift)

        marks, depths = self._place(self._marks, self._marks_weight, matrix, lift)
        boxes = np.array([self._box(*box) for box in zip((MOUTH_BOX_M, EYES_BOX_M), marks, strict=False)])
        raster.cull(
            s.xy,
            rig.triangles,
            self._group,
            boxes,
            ZOOM,
            self.width,
            self.height,
            s.listed,
            s.counts,
            s.bounds,
        )
        picture = s.picture
        np.copyto(picture, background)
        left, top, right, bottom = s.bounds
        near = slice(max(top - 2, 0), bottom + 3), slice(max(left - 2, 0), right + 3)
        np.copyto(s.zbuffer[near], self._cover(reach)[near])
        self._shade(s, 0, 0, 0, 1, picture, s.zbuffer)
        for part, ((left, top, _, _), (patch, zbuffer)) in enumerate(zip(boxes, s.patches, strict=True)):
            zbuffer.fill(raster.FAR)
            self._shade(s, part + 1, left, top, ZOOM, patch, zbuffer)
            if part == 1:
                self._glints(patch, zbuffer, (marks[2:] - boxes[1, :2]) * ZOOM, depths[2:], weights)
        for (left, top, _, _), (patch, zbuffer) in zip(boxes, s.patches, strict=True):
            outline.shrink(patch, zbuffer, left, top, picture, s.zbuffer)
        self._soften(picture, background, s)
        self._lashes(picture, weights, matrix, lift, s)
        if self._cloth_top < self.height:
            raised = np.float32(chest * self._px_per_m)
            overlay.cover(picture, self._cloth, self._cloth_spans, self._cloth_top, raised)
        if self._hair is not None:
            overlay.drape(picture, self._hair, hair_shift, self._hair_spans, reach, self._cell)
        return picture.view(np.uint8).reshape(self.height, self.width, 4)

    def _scratch(self) -> _Scratch:
        scratch: _Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None:
            rig, shape = self.rig, (self.height, self.width)
            count = len(rig.vertices)
            scratch = _Scratch(
                moved=np.empty(len(rig.active) * 3, np.float32), vertices=rig.vertices.copy(),
                xy=np.empty((count, 2), np.float32), depth=np.empty(count, np.float32),
                light=rig.light.copy(), ratio=np.empty(rig.maps.shape[1], np.float32),
                strengths=np.full(len(rig.maps), np.nan, np.float32),
                factors=np.empty((rig.map_size, rig.map_size), np.uint64),
                active=np.empty((-(-rig.map_size // raster.TILE),) * 2, np.uint8),
                listed=np.empty((3, len(rig.triangles)), np.int32), counts=np.zeros(3, np.int64),
                bounds=np.zeros(4, np.int64),
                picture=np.empty(shape, np.uint32), zbuffer=np.empty(shape, np.float32),
                outline=np.empty((OUTLINE_ROOM * sum(shape), 2), np.int32),
                lash_mask=np.zeros(shape, np.float32), lash_points=np.empty_like(rig.lash_points),
                patches=[
                    (np.empty((h * ZOOM, w * ZOOM), np.uint32), np.empty((h * ZOOM, w * ZOOM), np.float32))
                    for w, h in map(self._box_size, (MOUTH_BOX_M, EYES_BOX_M))
                ],
            )  # fmt: skip
            self._local.scratch = scratch
        return scratch

    def _place(self, points: F32, weight: F32, matrix: F32, lift: float) -> tuple[F32, F32]:
        xy, depth = np.empty((len(points), 2), np.float32), np.empty(len(points), np.float32)
        raster.place(points, weight, matrix, self._pivot, np.float32(lift), self._camera, xy, depth)
        return xy, depth

    def _cover(self, reach: int) -> F32:
        """The z-buffer to begin with: 0 where hair or cloth hide everything for certain, else `FAR`."""
        import cv2

        step = -(-reach // COVER_REACH_PX) * COVER_REACH_PX
        cover = self._covers.get(step)
        if cover is None:
            still = np.ones((2 * step + 3, 2 * step + 3), np.uint8)
            rise = np.ones((2 * math.ceil(CHEST_LIFT_M * self._px_per_m) + 3, 1), np.uint8)
            edge = cv2.BORDER_CONSTANT
            hair = np.asarray(cv2.erode(self._opaque, still, borderType=edge, borderValue=0))
            cloth = np.asarray(cv2.erode(self._opaque_cloth, rise, borderType=edge, borderValue=0))
            cover = np.where((hair > 0) | (cloth > 0), np.float32(0), raster.FAR)
            self._covers[step] = cover
        return cover

    def _shade(self, s: _Scratch, part: int, left: int, top: int, zoom: int, out: U32, zbuffer: F32) -> None:
        raster.shade(
            s.xy, s.depth, s.light, self.rig.triangles, self._places, self._kinds, self._tiles, self._atlas,
            s.factors, s.active, s.listed[part], s.counts[part],
            np.float32(left), np.float32(top), np.float32(zoom), out, zbuffer,
        )  # fmt: skip

    def _soften(self, picture: U32, background: U32, s: _Scratch) -> None:
        count = outline.edges(s.zbuffer, s.bounds, s.outline)
        outline.soften(picture, background, s.zbuffer, s.outline, count)

    def _turn_eyes(self, weights: F32, s: _Scratch) -> None:
        sides: tuple[tuple[Literal["left", "right"], float], ...] = (("left", 1.0), ("right", -1.0))
        for side, sign in sides:
            name = side.capitalize()
            up = weight_of(weights, "eyeLookUp" + name) - weight_of(weights, "eyeLookDown" + name)
            out = weight_of(weights, "eyeLookOut" + name) - weight_of(weights, "eyeLookIn" + name)
            eye = self.rig.manifest.eyes[side]
            turn = eye_matrix(LOOK_OUT_DEG * out * sign, LOOK_UP_DEG * up)
            raster.turn_eye(
                self._balls[side], turn, self._centres[side], np.float32(eye.radius),
                np.float32(weight_of(weights, "eyeBlink" + name)), eye.first, s.vertices, s.light,
            )  # fmt: skip

    def _box_size(self, box: tuple[float, float, float, float]) -> tuple[int, int]:
        left, right, bottom, top = box
        return (
            min(math.ceil((right - left) * self._px_per_m), self.width),
            min(math.ceil((top - bottom) * self._px_per_m), self.height),
        )

    def _box(self, box: tuple[float, float, float, float], middle: F32) -> tuple[int, int, int, int]:
        """Pixels (left, top, right, bottom) of a box about a middle in pixels."""
        wide, tall = self._box_size(box)
        left = min(max(int(middle[0] - wide / 2), 0), self.width - wide)
        top = min(max(int(middle[1] - tall / 2), 0), self.height - tall)
        return left, top, left + wide, top + tall

    def _glints(self, patch: U32, zbuffer: F32, spots: F32, depths: F32, weights: F32) -> None:
        blinks = [weight_of(weights, "eyeBlink" + side.capitalize()) for side in self.rig.manifest.eyes]
        open_share = 1 - smoothstep(0.35, 0.75, np.repeat(np.array(blinks, np.float32), len(GLINTS)))
        strengths = self._glint_strengths * open_share
        overlay.glints(
            patch, zbuffer, spots.astype(np.float32), depths - GLINT_SLACK_M, self._glint_radii, strengths
        )

    def _lashes(self, picture: U32, weights: F32, matrix: F32, lift: float, s: _Scratch) -> None:
        rig = self.rig
        if not len(rig.lash_root):
            return
        # lashes swing down with the lid that carries them
        angles = [
            LASH_SWING_RAD * min(1.0, weight_of(weights, "eyeBlink" + name)) for name in ("Left", "Right")
        ]
        turn = np.array([(math.cos(angle), math.sin(angle)) for angle in angles], np.float32)
        overlay.swing(s.vertices, rig.lash_root, rig.lash_points, rig.lash_side, turn, s.lash_points)
        xy, _ = self._place(s.lash_points.reshape(-1, 3), self._lash_weight, matrix, lift)
        lines = xy.reshape(len(rig.lash_root), -1, 2)
        overlay.stroke(picture, lines, self._lash_px, np.float32(LASH_STRENGTH), self._lash_rgb, s.lash_mask)

    def _hair_shift(self, matrix: F32, lift: float) -> tuple[F32, int]:
        """How far the hair moves at each node of its grid, float32[G, G, 2] px, and the farthest."""
        moved, _ = self._place(self._grid, self._grid_weight, matrix, lift)
        side = self.rig.hair_weight.shape[0]
        shift = np.ascontiguousarray((moved - self._grid_rest).reshape(side, side, 2))
        return shift, int(np.abs(shift).max()) + 2


def _marks(eyes: Mapping[Any, Eye]) -> F32:
    """Points that turn with the head, float32[n, 3]: middles of the two boxes, then each eye's glints."""
    x, y, z = np.mean([eye.centre for eye in eyes.values()], axis=0)
    points = [
        np.array([x + (left + right) / 2, y - 0.01, z + (bottom + top) / 2])
        for left, right, bottom, top in (MOUTH_BOX_M, EYES_BOX_M)
    ]
    for eye in eyes.values():
        for across, up, _, _ in GLINTS:
            toward = -1.02 * math.sqrt(1 - across * across - up * up)
            points.append(np.array(eye.centre) + np.array([across, toward, up]) * eye.radius)
    return np.array(points, np.float32)


def _kinds(rig: Rig) -> tuple[U8, U8]:
    """Of each triangle how it is shaded, and which tiles of the appearance maps it touches: see `raster`."""
    kinds = np.zeros(len(rig.triangles), np.uint8)
    lit = np.abs(rig.light - 1) > raster.UNSEEN
    for eye in rig.manifest.eyes.values():
        lit[eye.first : eye.first + eye.count] = True
    kinds[lit[rig.triangles].any(axis=1)] |= raster.LIT
    if not rig.map_size:
        return kinds, np.zeros((len(kinds), 4), np.uint8)
    corners = rig.map_xy[rig.triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    inside = (low >= raster.INSIDE).all(axis=1) & (high < rig.map_size - 1 - raster.INSIDE).all(axis=1)
    kinds[(rig.mapped > 0) & inside] |= raster.MAPPED
    # interpolation reads the next pixel too
    tiles = np.stack([low, high + 1 + raster.INSIDE], axis=2).clip(0, rig.map_size - 1) // raster.TILE
    return kinds, np.ascontiguousarray(tiles.reshape(-1, 4), np.uint8)


def _short(rows: F32) -> tuple[NDArray[np.int16], F32]:
    """Rows in half the memory, which is what mixing waits for, and the size of each row's steps."""
    steps = np.abs(rows).max(axis=1, initial=1e-9) / np.float32(32767)
    return np.rint(rows / steps[:, None]).astype(np.int16), steps.astype(np.float32)


def _occupied(rows: NDArray[np.int16]) -> U8:
    """uint8[K, chunks]: 0 where a run of `raster.CHUNK` numbers of a row is all zero."""
    size = raster.CHUNK
    starts = np.arange(0, max(rows.shape[1], 1), size)
    if not rows.size:
        return np.zeros((len(rows), -(-rows.shape[1] // size)), np.uint8)
    return np.ascontiguousarray(np.maximum.reduceat(rows != 0, starts, axis=1), np.uint8)


def _packed(picture: U8) -> U32:
    """RGBA bytes as one number a pixel."""
    return picture.view(np.uint32)[:, :, 0]


__all__ = ["CHEST_LIFT_M", "HEAD_LIFT", "CpuRenderer", "warm"]


def warm() -> None:
    """Compile every loop (kept on disk for later processes) and draw one small frame."""
    from avatar.renderer import load_renderer
    from avatar.rig import load_rig

    load_renderer(load_rig(), size=128).draw(Pose())
