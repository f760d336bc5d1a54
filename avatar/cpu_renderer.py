"""The renderer without a GPU: numba loops, one thread a picture, finer around mouth and eyes."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar import compact, outline, overlay, raster
from avatar.complexion import at_rest
from avatar.drape import Drape
from avatar.framing import Frame
from avatar.geometry import head_matrix, limited, weights_of
from avatar.layer import stage
from avatar.look import (
    EYES_BOX_M,
    GLINT_SLACK_M,
    GLINTS,
    HEAD_LIFT,
    LASH_RADIUS_PX,
    LASH_RGB,
    LASH_STRENGTH,
    MOUTH_BOX_M,
    RATIO_HIGH,
    RATIO_LOW,
    SIDES,
    ZOOM,
    blink_of,
    box_middle,
    box_size,
    chest_lift,
    eye_turn,
    glint_points,
    glint_share,
    lash_swing,
    map_weights,
    px_per_m,
)
from avatar.pose import Pose
from avatar.rig import Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]

NO_LIMIT = np.float32(np.inf)
OUTLINE_ROOM = 12
"""Pixels of the face's outline that there is room for, in widths + heights of the frame."""


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
        camera = rig.manifest.camera
        left, top = frame.origin
        half = frame.scale / 2
        self._camera = np.array(
            [camera.y, camera.z, camera.focal * frame.scale, left + half, top + half], np.float32
        )
        self._pivot = np.array(rig.manifest.head_pivot, np.float32)
        self._px_per_m = px_per_m(rig, frame)
        self._box_sizes = [box_size(box, rig, frame) for box in (MOUTH_BOX_M, EYES_BOX_M)]
        self._group = np.zeros(len(rig.triangles), np.uint8)
        for bit, part in enumerate(rig.detail):
            self._group[part] |= 1 << bit
        self._places = compact.places(rig)
        self._kinds, self._tiles = compact.kinds(rig)
        texture, self._beyond_rest = at_rest(rig, self._places)
        self._atlas = compact.packed(texture)
        self._deltas, self._delta_steps = compact.short(rig.deltas.reshape(len(rig.deltas), -1))
        self._moves = compact.occupied(self._deltas)
        self._at_rest = np.ascontiguousarray(rig.vertices[rig.active]).reshape(-1)
        self._maps, self._map_steps = compact.short(rig.maps)
        self._colours = compact.occupied(self._maps)
        self._ones = np.ones(rig.maps.shape[1], np.float32)
        self._drape = Drape(rig, frame)
        self._background = compact.packed(stage(rig, frame, background, keep_backdrop))
        self._alone = compact.packed(stage(rig, frame, None, False))
        self._lash_px = np.float32(LASH_RADIUS_PX * frame.scale / 512)
        self._lash_rgb = np.array(LASH_RGB, np.float32)
        self._lash_weight = np.ones(rig.lash_points.shape[0] * rig.lash_points.shape[1], np.float32)
        self._grid = np.ascontiguousarray(rig.hair_grid.reshape(-1, 3))
        self._grid_weight = np.ascontiguousarray(rig.hair_weight.reshape(-1))
        self._grid_rest, _ = self._place(self._grid, self._grid_weight, head_matrix((0, 0, 0)), 0.0)
        eyes = rig.manifest.eyes
        middles = [box_middle(eyes, box) for box in (MOUTH_BOX_M, EYES_BOX_M)]
        # points that turn with the head: the middles of the two boxes, then each eye's glints
        self._marks = np.array(
            [*middles, *(spot for eye in eyes.values() for spot in glint_points(eye))], np.float32
        )
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
        chest = chest_lift(pose)
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
        boxes = np.array([self._box(*box) for box in zip(self._box_sizes, marks, strict=False)])
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
        np.copyto(s.zbuffer[near], self._drape.hidden(reach)[near])
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
        self._drape.lay_cloth(picture, chest * self._px_per_m)
        self._drape.lay_hair(picture, hair_shift, reach)
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
                    for w, h in self._box_sizes
                ],
            )  # fmt: skip
            self._local.scratch = scratch
        return scratch

    def _place(self, points: F32, weight: F32, matrix: F32, lift: float) -> tuple[F32, F32]:
        xy, depth = np.empty((len(points), 2), np.float32), np.empty(len(points), np.float32)
        raster.place(points, weight, matrix, self._pivot, np.float32(lift), self._camera, xy, depth)
        return xy, depth

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
        for side in SIDES:
            eye = self.rig.manifest.eyes[side]
            raster.turn_eye(
                self._balls[side], eye_turn(weights, side), self._centres[side], np.float32(eye.radius),
                np.float32(blink_of(weights, side)), eye.first, s.vertices, s.light,
            )  # fmt: skip

    def _box(self, size: tuple[int, int], middle: F32) -> tuple[int, int, int, int]:
        """Pixels (left, top, right, bottom) of a box about a middle in pixels."""
        wide, tall = size
        left = min(max(int(middle[0] - wide / 2), 0), self.width - wide)
        top = min(max(int(middle[1] - tall / 2), 0), self.height - tall)
        return left, top, left + wide, top + tall

    def _glints(self, patch: U32, zbuffer: F32, spots: F32, depths: F32, weights: F32) -> None:
        blinks = np.array([blink_of(weights, side) for side in self.rig.manifest.eyes], np.float32)
        strengths = self._glint_strengths * glint_share(np.repeat(blinks, len(GLINTS)))
        overlay.glints(
            patch, zbuffer, spots.astype(np.float32), depths - GLINT_SLACK_M, self._glint_radii, strengths
        )

    def _lashes(self, picture: U32, weights: F32, matrix: F32, lift: float, s: _Scratch) -> None:
        rig = self.rig
        if not len(rig.lash_root):
            return
        turn = np.array([(math.cos(angle), math.sin(angle)) for angle in lash_swing(weights)], np.float32)
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


def warm() -> None:
    """Compile every loop (kept on disk for later processes) and draw one small frame."""
    from avatar.renderer import load_renderer
    from avatar.rig import load_rig

    load_renderer(load_rig(), size=128).draw(Pose())
