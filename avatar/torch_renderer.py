"""The renderer on torch: whole batches of poses at once, on a GPU or, for checks, on the CPU.

The picture is the CPU renderer's to within rounding. What a rig needs on the device is kept in a
`TorchFace`, which renderers of the same rig and frame share, so that one batch may serve many sessions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.framing import Frame
from avatar.layer import stage
from avatar.pose import Pose
from avatar.rig import Rig
from avatar.torch_face import TorchFace

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
def _face(key: _Key, frame: Frame, device: str) -> TorchFace:
    return TorchFace(key.rig, frame, device)
