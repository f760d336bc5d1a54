"""A face on a torch device: whole batches of poses become pictures there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.framing import Frame
from avatar.geometry import head_matrix, limited, weights_of
from avatar.layer import fit
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
    Box,
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
    rise_px,
)
from avatar.pose import Pose
from avatar.rig import Rig

Tensor = Any


class TorchFace:
    """A rig's arrays on a device, and how they become pictures.

    Args:
        rig: whose face.
        frame: the window.
        device: torch's name for it.
    """

    def __init__(self, rig: Rig, frame: Frame, device: str) -> None:
        from avatar import torch_raster

        self._ops: Any = torch_raster
        self._torch: Any = torch_raster.torch
        self.rig, self.frame, self.device = rig, frame, device
        side = rig.manifest.texture_size
        left, top = frame.origin
        camera = rig.manifest.camera
        self._focal = camera.focal * frame.scale
        self._middle = (left + frame.scale / 2, top + frame.scale / 2)
        self._px_per_m = px_per_m(rig, frame)
        self._box_sizes = [box_size(box, rig, frame) for box in (MOUTH_BOX_M, EYES_BOX_M)]
        put = self.tensor
        self.rest, self.deltas = put(rig.vertices), put(rig.deltas.reshape(len(rig.deltas), -1))
        self.active, self.weight = put(rig.active, long=True), put(rig.head_weight)
        self.light, self.pivot = put(rig.light), put(np.array(rig.manifest.head_pivot))
        self.maps = put(rig.maps)
        self.triangles = put(rig.triangles, long=True)
        self.uv, self.map_xy = put(rig.uv - np.float32(0.5)), put(rig.map_xy)
        self.mapped = put(rig.mapped) > 0
        self.atlas = self._torch.from_numpy(rig.atlas.reshape(-1, 3)).to(device)
        self.parts = [put(part, long=True) for part in rig.detail]
        hair = fit(rig.hair, frame, side)
        self.hair = put(hair) if hair.any() else None
        cloth = fit(rig.cloth, frame, side, rig.cloth_top, rise_px(rig, frame))
        rows = np.flatnonzero(cloth[:, :, 3].any(axis=1))
        self.cloth_top = max(int(rows[0]), 3) if len(rows) else frame.height
        self.cloth = put(cloth[self.cloth_top :])
        self.nodes = rig.hair_weight.shape[0]
        self.cell = (left, top, frame.scale / (self.nodes - 1))
        self.grid, self.grid_weight = put(rig.hair_grid.reshape(-1, 3)), put(rig.hair_weight.reshape(-1))
        still = put(head_matrix((0, 0, 0)))[None]
        self.grid_rest = self._place(self.grid[None], self.grid_weight, still, put(np.zeros(1)))[0]
        self.lash_root = put(rig.lash_root, long=True)
        self.lash_points, self.lash_side = put(rig.lash_points), put(rig.lash_side, long=True)

    def tensor(self, array: NDArray[Any], long: bool = False) -> Tensor:
        """An array on the device, float32; `long`: int64, for indices."""
        kind = self._torch.int64 if long else self._torch.float32
        return self._torch.as_tensor(np.ascontiguousarray(array)).to(self.device, kind)

    def stack(self, tensors: list[Tensor]) -> Tensor:
        """Tensors of one shape as one batch."""
        return self._torch.stack(tensors)

    def draw(self, poses: Sequence[Pose], behind: Tensor) -> Tensor:
        """Premultiplied RGBA float32[B, H, W, 4]; `behind` [1 or B, H, W, 4] stands behind the face."""
        with self._torch.inference_mode():
            return self._draw(poses, behind)

    def _draw(self, poses: Sequence[Pose], behind: Tensor) -> Tensor:
        torch, ops = self._torch, self._ops
        count, high, wide = len(poses), self.frame.height, self.frame.width
        weights = np.stack([weights_of(pose) for pose in poses])
        strengths = np.stack([map_weights(self.rig.manifest.map_names, row) for row in weights])
        chest = np.array([chest_lift(pose) for pose in poses], np.float32)
        limit = self.rig.manifest.head_limit_deg
        matrix = self.tensor(np.stack([head_matrix(limited(pose.head, limit)) for pose in poses]))
        lift = self.tensor(chest * HEAD_LIFT)
        points, light = self._deform(weights)
        xy, depth = self._place(points, self.weight, matrix, lift)
        ratio = (1 + self.tensor(strengths) @ self.maps).clamp(float(RATIO_LOW), float(RATIO_HIGH))
        ratio = ratio.view(-1, 3)
        boxes = list(zip((MOUTH_BOX_M, EYES_BOX_M), self._box_sizes, strict=True))
        corners = [self._corner(box, size, matrix, lift) for box, size in boxes]

        zero = torch.zeros(count, 2, device=self.device)
        everything = torch.arange(len(self.triangles), device=self.device)
        behind = behind.expand(count, -1, -1, -1)
        picture, covered, _ = self._shade(
            xy, depth, light, ratio, everything, zero, 1, behind.reshape(count, -1, 4), high, wide
        )
        picture, covered = picture.view(count, high, wide, 4), covered.view(count, high, wide)
        patches = []
        for (box, (across, down)), corner, part in zip(boxes, corners, self.parts, strict=True):
            where = self._window(corner, down, across)
            below = picture.reshape(count, -1, 4).gather(1, where[..., None].expand(-1, -1, 4))
            below = below.view(count, down, across, 4)
            below = below.repeat_interleave(ZOOM, 1).repeat_interleave(ZOOM, 2)
            patch, _, nearest = self._shade(
                xy, depth, light, ratio, part, corner.float(), ZOOM, below.reshape(count, -1, 4),
                down * ZOOM, across * ZOOM,
            )  # fmt: skip
            patch = patch.view(count, down * ZOOM, across * ZOOM, 4)
            if box is EYES_BOX_M:
                patch = self._glints(patch, nearest.view(patch.shape[:3]), corner, weights, matrix, lift)
            small = patch.view(count, down, ZOOM, across, ZOOM, 4).mean((2, 4))
            patches.append((where, small.reshape(count, -1, 4)))
        flat, flat_covered = picture.reshape(count, -1, 4), covered.reshape(count, -1)
        for where, small in patches:
            flat = flat.scatter(1, where[..., None].expand(-1, -1, 4), small)
            flat_covered = flat_covered.scatter(1, where, True)
        picture = ops.soften(flat.view(count, high, wide, 4), behind, flat_covered.view(count, high, wide))
        picture = self._lashes(picture, weights, points, matrix, lift)
        if self.cloth_top < high:
            raised = self.tensor(chest * self._px_per_m)
            layer = ops.lift(self.cloth, raised, high - self.cloth_top)
            first = self.cloth_top - 3
            picture[:, first:] = ops.over(picture[:, first:], layer)
        if self.hair is not None:
            moved, _ = self._place(self.grid[None].expand(count, -1, -1), self.grid_weight, matrix, lift)
            shift = (moved - self.grid_rest).view(count, self.nodes, self.nodes, 2)
            picture = ops.over(picture, ops.drape(self.hair, shift, self.cell))
        return picture

    def _deform(self, weights: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        """Vertices float32[B, V, 3] and light float32[B, V]."""
        torch, count = self._torch, len(weights)
        points = self.rest[None].repeat(count, 1, 1)
        points[:, self.active] += (self.tensor(weights) @ self.deltas).view(count, -1, 3)
        light = self.light[None].repeat(count, 1)
        for side in SIDES:
            eye = self.rig.manifest.eyes[side]
            turns = np.stack([eye_turn(w, side) for w in weights])
            span, centre = slice(eye.first, eye.first + eye.count), self.tensor(np.array(eye.centre))
            turned = (self.rest[span] - centre) @ self.tensor(turns).transpose(1, 2)
            points[:, span] = turned + centre
            blink = self.tensor(np.array([0.6 * blink_of(w, side) for w in weights]))[:, None]
            s = ((turned[..., 2] / eye.radius - (0.05 - blink)) / 0.67).clamp(0, 1)
            e = ((turned[..., 0].abs() / eye.radius - 0.30) / 0.55).clamp(0, 1)
            shadow = 1 - 0.55 * s * s * (3 - 2 * s)
            light[:, span] = 0.93 * shadow * (1 - 0.22 * e * e * (3 - 2 * e))
        return points, torch.clamp(light, min=0)

    def _place(self, points: Tensor, weight: Tensor, matrix: Tensor, lift: Tensor) -> tuple[Tensor, Tensor]:
        camera = self.rig.manifest.camera
        centred = points - self.pivot
        turned = centred @ matrix.transpose(1, 2)
        placed = centred + (turned - centred) * weight[:, None] + self.pivot
        depth = placed[..., 1] - camera.y
        scale = self._focal / depth
        x = self._middle[0] + scale * placed[..., 0]
        y = self._middle[1] - scale * (placed[..., 2] + lift[:, None] - camera.z)
        return self._torch.stack([x, y], -1), depth

    def _spot(self, point: NDArray[Any], matrix: Tensor, lift: Tensor) -> tuple[Tensor, Tensor]:
        points = self.tensor(point)[None, None].expand(len(matrix), 1, 3)
        xy, depth = self._place(points, self._torch.ones(1, device=self.device), matrix, lift)
        return xy[:, 0], depth[:, 0]

    def _corner(self, box: Box, size: tuple[int, int], matrix: Tensor, lift: Tensor) -> Tensor:
        """Pixel int64[B, 2] at which a finely drawn box begins."""
        across, down = size
        at, _ = self._spot(box_middle(self.rig.manifest.eyes, box), matrix, lift)
        corner = (at - self.tensor(np.array([across / 2, down / 2]))).clamp(min=0).long()
        limit = self._torch.tensor([self.frame.width - across, self.frame.height - down], device=self.device)
        return self._torch.minimum(corner, limit)

    def _window(self, corner: Tensor, down: int, across: int) -> Tensor:
        """Flat pixels int64[B, down · across] of boxes in the picture."""
        torch = self._torch
        y = corner[:, 1, None, None] + torch.arange(down, device=self.device)[None, :, None]
        x = corner[:, 0, None, None] + torch.arange(across, device=self.device)[None, None]
        return (y * self.frame.width + x).reshape(len(corner), -1)

    def _shade(
        self, xy: Tensor, depth: Tensor, light: Tensor, ratio: Tensor, part: Tensor, corner: Tensor,
        zoom: int, below: Tensor, high: int, wide: int,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Triangles drawn over `below`: colours [B, H·W, 4], where they cover, and their depth."""
        torch, ops, size = self._torch, self._ops, self.rig.map_size
        buffer = ops.visible(xy, depth, self.triangles[part], corner, zoom, high, wide)
        covered = buffer != ops.EMPTY
        nearest = torch.where(covered, (buffer >> 32).int(), 0x7F000000).view(torch.float32)
        b, pixel = torch.nonzero(covered, as_tuple=True)
        t = part[buffer[b, pixel] & 0xFFFFFFFF]
        vertices = self.triangles[t]
        frame = b[:, None]
        at = (xy[frame, vertices] - corner[b][:, None]) * zoom
        x, y = at[..., 0], at[..., 1]
        area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
        w1, w2 = ops.barycentric(at, area, pixel % wide, torch.div(pixel, wide, rounding_mode="floor"))
        weights = torch.stack([1 - w1 - w2, w1, w2], 1)
        u, v = (self.uv[t] * weights[..., None]).sum(1).unbind(1)
        rows, columns = self.rig.atlas.shape[:2]
        colour = ops.bilinear(self.atlas, columns, u.clamp(0, columns - 1.001), v.clamp(0, rows - 1.001))
        colour = colour * (light[frame, vertices] * weights).sum(1, keepdim=True)
        if size:
            p, q = (self.map_xy[vertices] * weights[..., None]).sum(1).unbind(1)
            inside = self.mapped[t] & (p >= 0) & (q >= 0) & (p < size - 1.001) & (q < size - 1.001)
            p, q = torch.where(inside, p, 0), torch.where(inside, q, 0)
            factor = ops.bilinear(ratio, size, p, q, b * (size * size))
            colour = torch.where(inside[:, None], colour * factor, colour)
        drawn = torch.nn.functional.pad(colour, (0, 1), value=255.0).clamp(max=255)
        picture = below.clone()
        picture[b, pixel] = drawn
        return picture, covered, nearest

    def _glints(
        self, patch: Tensor, nearest: Tensor, corner: Tensor, weights: NDArray[np.float32], matrix: Tensor,
        lift: Tensor,
    ) -> Tensor:  # fmt: skip
        torch = self._torch
        white = self.tensor(np.array([250.0, 250.0, 250.0, 255.0]))
        ys = torch.arange(patch.shape[1], device=self.device)[None, :, None] + 0.5
        xs = torch.arange(patch.shape[2], device=self.device)[None, None] + 0.5
        for side, eye in self.rig.manifest.eyes.items():
            blinks = np.array([blink_of(w, side) for w in weights], np.float32)
            open_share = self.tensor(glint_share(blinks))[:, None, None]
            for spot, (_, _, radius, strength) in zip(glint_points(eye), GLINTS, strict=True):
                at, depth = self._spot(spot, matrix, lift)
                at = (at - corner) * ZOOM
                away = torch.hypot(xs - at[:, 0, None, None], ys - at[:, 1, None, None])
                pixels = eye.radius * radius * self._px_per_m * ZOOM
                alpha = strength * open_share * (1.25 - away / pixels).clamp(0, 1)
                alpha = alpha * (nearest >= (depth - GLINT_SLACK_M)[:, None, None])
                patch = torch.lerp(patch, white.expand_as(patch), alpha[..., None])
        return patch

    def _lashes(
        self, picture: Tensor, weights: NDArray[np.float32], points: Tensor, matrix: Tensor, lift: Tensor
    ) -> Tensor:
        torch, count = self._torch, len(weights)
        if not len(self.lash_root):
            return picture
        swing = self.tensor(np.array([lash_swing(w) for w in weights]))[:, self.lash_side]
        c, s = swing.cos()[..., None], swing.sin()[..., None]
        x, y, z = self.lash_points.unbind(-1)
        relative = torch.stack([x.expand(count, -1, -1), y * c - z * s, z * c + y * s], -1)
        placed = (points[:, self.lash_root][:, :, None] + relative).reshape(count, -1, 3)
        one = torch.ones(placed.shape[1], device=self.device)
        lines, _ = self._place(placed, one, matrix, lift)
        thickness = LASH_RADIUS_PX * self.frame.scale / 512
        lines = lines.view(count, len(self.lash_root), -1, 2)
        alpha = self._ops.strokes(lines, thickness, self.frame.height, self.frame.width) * LASH_STRENGTH
        colour = self.tensor(np.array([*LASH_RGB, 255.0]))
        return torch.lerp(picture, colour.expand_as(picture), alpha[..., None])
