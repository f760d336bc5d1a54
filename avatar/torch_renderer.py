"""The renderer on torch: whole batches of poses at once, on a GPU or, for checks, on the CPU.

The picture is the CPU renderer's to within rounding. What a rig needs on the device is kept in a `_Face`,
which renderers of the same rig and frame share, so that one batch may serve many sessions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
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
from avatar.layer import fit, stage
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
from avatar.rig import Rig

U8 = NDArray[np.uint8]
Tensor = Any

BATCH = 32
"""Frames drawn at once: enough to fill a large GPU, and under 4 GB of its memory at 512 px."""
DEVICES = ("cuda", "torch-cpu")


def check_device(device: str) -> str:
    """The torch name of a device: "cuda", "cuda:1", "cpu" for "torch-cpu".

    Raises:
        AvatarError: torch is not installed, the device is unknown, or torch cannot use it.
    """
    name, _, index = device.partition(":")
    if name not in DEVICES or (index and (name != "cuda" or not index.isdigit())):
        raise AvatarError(f"no renderer for device {device!r}: use 'cpu', 'cuda', 'cuda:1' or 'torch-cpu'")
    if find_spec("torch") is None:
        raise AvatarError(f"device {device!r} needs torch: pip install \"visavis[gpu]\", or use device='cpu'")
    if name == "torch-cpu":
        return "cpu"
    import torch

    if not torch.cuda.is_available() or (index and int(index) >= torch.cuda.device_count()):
        raise AvatarError(f"torch finds no {device!r} here: see nvidia-smi, or use device='cpu'")
    return device


class TorchRenderer:
    """Draws a rig in one frame; see `avatar.renderer.Renderer`."""

    def __init__(
        self, rig: Rig, frame: Frame, background: U8, keep_backdrop: bool = True, device: str = "cuda"
    ) -> None:
        name = check_device(device)
        self.rig = rig
        self.engine = f"torch-{name}/{rig.name}"
        self.size = self.width = frame.width
        self.height = frame.height
        self.face = _face(_Key(rig), frame, name)
        self._background = self.face.tensor(stage(rig, frame, background, keep_backdrop))
        self._alone = self.face.tensor(stage(rig, frame, None, False))

    def draw(self, pose: Pose) -> U8:
        """One frame, RGB uint8[height, width, 3]."""
        return np.asarray(self.draw_many([pose])[0], np.uint8)

    def draw_many(self, poses: Iterable[Pose]) -> U8:
        """Frames of several poses, RGB uint8[n, height, width, 3]."""
        return draw_together([(self, pose) for pose in poses], (self.height, self.width))

    def draw_rgba(self, pose: Pose) -> U8:
        """One frame without its background, straight RGBA uint8[height, width, 4]."""
        picture = self.face.draw([pose], self._alone[None])[0]
        alpha = picture[..., 3:]
        colour = (picture[..., :3] * 255 / alpha.clamp(min=1e-3)).clamp(0, 255)
        picture = picture.new_zeros(picture.shape).copy_(picture)
        picture[..., :3] = colour * (alpha > 0)
        return np.asarray(picture.round().byte().cpu().numpy(), np.uint8)

    def draw_on_device(self, poses: Sequence[Pose]) -> Tensor:
        """Frames uint8[n, height, width, 3] that stay on the device, for encoders and models there."""
        return self._bytes(self.face.draw(poses, self._background[None]))

    @staticmethod
    def _bytes(picture: Tensor) -> Tensor:
        return (picture[..., :3] + 0.5).clamp(0, 255).byte()


def draw_together(jobs: Sequence[tuple[TorchRenderer, Pose]], shape: tuple[int, int] | None = None) -> U8:
    """Draw poses of several renderers, RGB uint8[n, height, width, 3] in the order of the jobs.

    Sessions that share a rig share batches, whatever stands behind each of them.

    Args:
        jobs: renderer and pose; all of one frame size.
        shape: height and width of the result where there may be no job.

    Raises:
        AvatarError: the renderers draw pictures of different sizes.
    """
    sizes = {(renderer.height, renderer.width) for renderer, _ in jobs} or {shape or (0, 0)}
    if len(sizes) > 1:
        raise AvatarError(f"one batch holds pictures of one size, not of {sorted(sizes)}: draw them apart")
    out = np.empty((len(jobs), *next(iter(sizes)), 3), np.uint8)
    groups: dict[int, list[int]] = {}
    for index, (renderer, _) in enumerate(jobs):
        groups.setdefault(id(renderer.face), []).append(index)
    drawn: list[tuple[list[int], Tensor]] = []
    for members in groups.values():
        for begin in range(0, len(members), BATCH):
            part = members[begin : begin + BATCH]
            renderers = [jobs[index][0] for index in part]
            drawn.append((part, _draw_part(renderers, [jobs[index][1] for index in part])))
    for part, frames in drawn:  # copied last: the device works on while this waits for the first
        out[part] = frames.cpu().numpy()
    return out


def _draw_part(renderers: list[TorchRenderer], poses: list[Pose]) -> Tensor:
    face, first = renderers[0].face, renderers[0]
    if all(renderer is first for renderer in renderers):
        return first.draw_on_device(poses)
    backgrounds = face.stack([renderer._background for renderer in renderers])
    return TorchRenderer._bytes(face.draw(poses, backgrounds))


def frames_per_second(
    renderer: TorchRenderer, poses: Sequence[Pose], batch: int = BATCH, seconds: float = 3.0
) -> float:
    """Frames a second of batches that stay on the device, after one warm-up batch."""
    import torch

    def settle() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    renderer.draw_on_device(poses[:batch])
    settle()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        first = count % max(len(poses) - batch, 1)
        renderer.draw_on_device(poses[first : first + batch])
        settle()
        count += batch
    return count / (time.perf_counter() - began)


class _Key:
    """A rig by identity: arrays have no hash."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    def __hash__(self) -> int:
        return id(self.rig)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.rig is self.rig


@lru_cache(maxsize=16)
def _face(key: _Key, frame: Frame, device: str) -> _Face:
    return _Face(key.rig, frame, device)


class _Face:
    """A rig's arrays on a device, and how they become pictures."""

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
        self._px_per_m = self._focal / -camera.y
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
        below = math.ceil(CHEST_LIFT_M * self._px_per_m) + 1
        cloth = fit(rig.cloth, frame, side, rig.cloth_top, below)
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
        eyes = rig.manifest.eyes
        self.eye_middle = (np.array(eyes["left"].centre) + np.array(eyes["right"].centre)) / 2

    def tensor(self, array: NDArray[Any], long: bool = False) -> Tensor:
        kind = self._torch.int64 if long else self._torch.float32
        return self._torch.as_tensor(np.ascontiguousarray(array)).to(self.device, kind)

    def stack(self, tensors: list[Tensor]) -> Tensor:
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
        chest = CHEST_LIFT_M * np.array(
            [min(max(finite(pose.breath), 0.0), 1.0) for pose in poses], np.float32
        )
        limit = self.rig.manifest.head_limit_deg
        matrix = self.tensor(np.stack([head_matrix(limited(pose.head, limit)) for pose in poses]))
        lift = self.tensor(chest * HEAD_LIFT)
        points, light = self._deform(weights)
        xy, depth = self._place(points, self.weight, matrix, lift)
        ratio = (1 + self.tensor(strengths) @ self.maps).clamp(float(RATIO_LOW), float(RATIO_HIGH))
        ratio = ratio.view(-1, 3)
        corners = [self._corner(box, matrix, lift) for box in (MOUTH_BOX_M, EYES_BOX_M)]

        zero = torch.zeros(count, 2, device=self.device)
        everything = torch.arange(len(self.triangles), device=self.device)
        behind = behind.expand(count, -1, -1, -1)
        picture, covered, _ = self._shade(
            xy, depth, light, ratio, everything, zero, 1, behind.reshape(count, -1, 4), high, wide
        )
        picture, covered = picture.view(count, high, wide, 4), covered.view(count, high, wide)
        patches = []
        for box, corner, part in zip((MOUTH_BOX_M, EYES_BOX_M), corners, self.parts, strict=True):
            across, down = self._box_size(box)
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
        for side, sign in (("left", 1.0), ("right", -1.0)):
            eye, name = self.rig.manifest.eyes[side], side.capitalize()  # type: ignore[index]
            turns = np.stack([
                eye_matrix(
                    LOOK_OUT_DEG
                    * sign
                    * (weight_of(w, "eyeLookOut" + name) - weight_of(w, "eyeLookIn" + name)),
                    LOOK_UP_DEG * (weight_of(w, "eyeLookUp" + name) - weight_of(w, "eyeLookDown" + name)),
                )
                for w in weights
            ])  # fmt: skip
            span, centre = slice(eye.first, eye.first + eye.count), self.tensor(np.array(eye.centre))
            turned = (self.rest[span] - centre) @ self.tensor(turns).transpose(1, 2)
            points[:, span] = turned + centre
            blink = self.tensor(np.array([0.6 * weight_of(w, "eyeBlink" + name) for w in weights]))[:, None]
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

    def _box_size(self, box: tuple[float, float, float, float]) -> tuple[int, int]:
        left, right, bottom, top = box
        return (
            min(math.ceil((right - left) * self._px_per_m), self.frame.width),
            min(math.ceil((top - bottom) * self._px_per_m), self.frame.height),
        )

    def _corner(self, box: tuple[float, float, float, float], matrix: Tensor, lift: Tensor) -> Tensor:
        """Pixel int64[B, 2] at which a finely drawn box begins."""
        left, right, bottom, top = box
        x, y, z = self.eye_middle
        across, down = self._box_size(box)
        at, _ = self._spot(np.array([x + (left + right) / 2, y - 0.01, z + (bottom + top) / 2]), matrix, lift)
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
            blink = np.array([weight_of(w, "eyeBlink" + side.capitalize()) for w in weights], np.float32)
            open_share = self.tensor(1 - smoothstep(0.35, 0.75, blink))[:, None, None]
            for x, z, radius, strength in GLINTS:
                toward = -1.02 * math.sqrt(1 - x * x - z * z)
                spot = np.array(eye.centre) + np.array([x, toward, z]) * eye.radius
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
        swing = self.tensor(np.array([
            [LASH_SWING_RAD * min(1.0, weight_of(w, "eyeBlink" + name)) for name in ("Left", "Right")]
            for w in weights
        ]))[:, self.lash_side]  # fmt: skip
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
