"""Neural lips: a lip model speaks with the face of a rig, frame by frame, in bounded batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.framing import Frame, Framing, frame_of
from avatar.neural.blend import cut_face, lay_over, model_input
from avatar.neural.face import FaceFinder
from avatar.neural.mel import MelTrack
from avatar.neural.model import LipModel
from avatar.pose import Pose
from avatar.rig import Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

BATCH = 16
"""Frames in one run of the model: 0.6 s at 25 fps."""
SMOOTH = 2
"""Frames on either side over which the box of a frame is averaged."""
_FELT = ("mouthSmile", "mouthFrown", "mouthDimple")
"""Mouth shapes that show a feeling more than a sound."""


class NeuralLips:
    """Lays the lips of a Wav2Lip-interface model over frames that a renderer drew of one rig.

    The model is shown the frame itself, both as the face to complete and as its reference. It speaks best
    over a mouth at rest: draw the frames of `quiet(pose)`. Calls from several threads at once are allowed.
    """

    engine: str
    """What computes the lips, on what, and the model: "onnxruntime/cpu wav2lip"."""

    def __init__(self, model: Path | str, rig: Rig, *, batch: int = BATCH, threads: int = 2) -> None:
        """Load the model.

        Args:
            model: ONNX file of the interface that `avatar.neural.model` describes.
            rig: the rig that the frames show.
            batch: frames in one run; smaller needs less memory and answers sooner.
            threads: CPU threads that a run may use.

        Raises:
            AvatarError: the file is missing, not ONNX or of another interface, or the batch is not positive.
        """
        if batch < 1:
            raise AvatarError(f"a batch of {batch} frames cannot be: choose 1 or more")
        self.rig = rig
        self.model = LipModel(model, threads=threads)
        self.engine = self.model.engine
        self._batch = batch
        self._finder = FaceFinder(rig)

    def apply(
        self,
        frames: U8,
        poses: Sequence[Pose],
        pcm: F32,
        sample_rate: int,
        fps: float,
        *,
        framing: Framing | Frame = "square",
    ) -> U8:
        """Frames that speak.

        Args:
            frames: RGB uint8[n, H, W, 3], frame i drawn from pose i and shown at (i + ½) / fps.
            poses: n poses.
            pcm: mono float32[m] in [-1, 1], from the start of frame 0 on; after its end it is silent.
            sample_rate: of `pcm` in Hz.
            fps: frames a second.
            framing: what the frames show of the rig's picture.

        Returns:
            RGB uint8[n, H, W, 3]; equal to `frames` outside the lower face.

        Raises:
            AvatarError: frames, poses and framing do not fit each other, the sound is not understood, or the
                model failed.
        """
        if len(frames) != len(poses):
            raise AvatarError(f"{len(frames)} frames and {len(poses)} poses: pass one pose a frame")
        out = np.empty_like(frames)
        stream = self.apply_stream(zip(frames, poses, strict=True), pcm, sample_rate, fps, framing=framing)
        for i, frame in enumerate(stream):
            out[i] = frame
        return out

    def apply_stream(
        self,
        moments: Iterable[tuple[U8, Pose]],
        pcm: F32,
        sample_rate: int,
        fps: float,
        *,
        framing: Framing | Frame = "square",
    ) -> Iterator[U8]:
        """As `apply`, for frames that come one by one; holds a batch and `SMOOTH` frames at a time."""
        if not fps > 0:
            raise AvatarError(f"{fps} frames a second cannot be: pass the true rate, for example 25")
        track = MelTrack(pcm, sample_rate)
        return self._speak(moments, track, fps, framing)

    def _speak(
        self, moments: Iterable[tuple[U8, Pose]], track: MelTrack, fps: float, framing: Framing | Frame
    ) -> Iterator[U8]:
        boxes: deque[F32] = deque(maxlen=2 * SMOOTH + self._batch + 1)
        waiting: list[tuple[U8, F32]] = []
        done, view = 0, None
        for picture, pose in moments:
            view = view or _view(self.rig, picture, framing)
            _check(picture, view)
            face = self._finder.find(pose)
            origin = np.array(view.origin, np.float32)
            boxes.append(face.box * view.scale + np.tile(origin, 2))
            waiting.append((picture, face.lower * view.scale + origin))
            if len(waiting) == self._batch + SMOOTH:
                yield from self._batch_of(waiting[: self._batch], boxes, len(waiting), done, track, fps)
                done, waiting = done + self._batch, waiting[self._batch :]
        while waiting:
            part = waiting[: self._batch]
            yield from self._batch_of(part, boxes, len(waiting), done, track, fps)
            done, waiting = done + len(part), waiting[self._batch :]

    def _batch_of(
        self,
        moments: list[tuple[U8, F32]],
        boxes: deque[F32],
        waiting: int,
        first: int,
        track: MelTrack,
        fps: float,
    ) -> Iterator[U8]:
        """Frames `first` and on; the last `waiting` of `boxes` are theirs and of the frames behind them."""
        known = np.stack(boxes)
        begin = len(known) - waiting
        smooth = [
            known[max(begin + i - SMOOTH, 0) : begin + i + SMOOTH + 1].mean(axis=0)
            for i in range(len(moments))
        ]
        size = self.model.size
        faces = [cut_face(picture, box, size) for (picture, _), box in zip(moments, smooth, strict=True)]
        mel = track.windows(range(first, first + len(moments)), fps)
        spoken = self.model(mel, np.stack([model_input(face) for face in faces]))
        for (picture, lower), box, face, lips in zip(moments, smooth, faces, spoken, strict=True):
            yield lay_over(picture, face, lips, box, lower)


def quiet(pose: Pose) -> Pose:
    """The pose with its mouth at rest but for smile and frown: what a lip model speaks best over."""
    kept = {
        name: weight
        for name, weight in pose.blendshapes.items()
        if name.startswith(_FELT) or not name.startswith(("mouth", "jaw", "tongue"))
    }
    return replace(pose, blendshapes=kept)


def _view(rig: Rig, picture: U8, framing: Framing | Frame) -> Frame:
    return framing if isinstance(framing, Frame) else frame_of(rig.manifest, picture.shape[1], framing)


def _check(picture: U8, view: Frame) -> None:
    if picture.dtype != np.uint8 or picture.shape != (view.height, view.width, 3):
        raise AvatarError(
            f"a frame {picture.dtype}{list(picture.shape)} where the framing wants "
            f"uint8[{view.height}, {view.width}, 3]: pass the framing that the frames were drawn with"
        )
