"""Neural lips: a lip model speaks with the face of a rig, frame by frame, in bounded batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.framing import Frame, Framing, frame_of
from avatar.neural.blend import cut_face, lay_over, model_input
from avatar.neural.face import Face, FaceFinder
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
    """Lays the lips of a Wav2Lip-interface model over the frames of a rig, or of a video.

    The model is shown the frame itself, both as the face to complete and as its reference. It speaks best
    over a mouth at rest: draw the frames of `quiet(pose)`. Calls from several threads at once are allowed.
    """

    engine: str
    """What computes the lips, on what, and the model: "onnxruntime/cpu wav2lip"."""

    def __init__(
        self, model: Path | str, rig: Rig | None = None, *, batch: int = BATCH, threads: int = 2
    ) -> None:
        """Load the model.

        Args:
            model: ONNX file of the interface that `avatar.neural.model` describes.
            rig: the rig that the frames show; None for videos, whose faces are given to `speak`.
            batch: frames in one run; smaller needs less memory and answers sooner.
            threads: CPU threads that a run may use.

        Raises:
            InputError: the file is missing, not ONNX or of another interface.
            AvatarError: the batch is not positive.
        """
        if batch < 1:
            raise AvatarError(f"a batch of {batch} frames cannot be: choose 1 or more")
        self.rig = rig
        self.model = LipModel(model, threads=threads)
        self.engine = self.model.engine
        self._batch = batch
        self._finder = FaceFinder(rig) if rig else None

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
        if self.rig is None or self._finder is None:
            raise AvatarError("these lips know no rig: load them with one, or give faces to speak()")
        return self.speak(_found(self.rig, self._finder, moments, framing), pcm, sample_rate, fps)

    def speak(
        self, moments: Iterable[tuple[U8, Face]], pcm: F32, sample_rate: int, fps: float
    ) -> Iterator[U8]:
        """As `apply_stream`, for frames whose faces are known in pixels: a video's by `Face.of_landmarks`."""
        if not fps > 0:
            raise AvatarError(f"{fps} frames a second cannot be: pass the true rate, for example 25")
        return self._speak(moments, MelTrack(pcm, sample_rate), fps)

    def _speak(self, moments: Iterable[tuple[U8, Face]], track: MelTrack, fps: float) -> Iterator[U8]:
        boxes: deque[F32] = deque(maxlen=2 * SMOOTH + self._batch)
        waiting: list[tuple[U8, Face]] = []
        done = 0
        for picture, face in moments:
            if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
                raise AvatarError(f"a frame {picture.dtype}{list(picture.shape)}: pass RGB uint8[H, W, 3]")
            boxes.append(face.box)
            waiting.append((picture, face))
            if len(waiting) == self._batch + SMOOTH:
                smooth = _smoothed(boxes, len(waiting))
                yield from self._run(waiting[: self._batch], smooth, done, track, fps)
                done, waiting = done + self._batch, waiting[self._batch :]
        while waiting:
            part, smooth = waiting[: self._batch], _smoothed(boxes, len(waiting))
            yield from self._run(part, smooth, done, track, fps)
            done, waiting = done + len(part), waiting[self._batch :]

    def _run(
        self, moments: list[tuple[U8, Face]], boxes: list[F32], first: int, track: MelTrack, fps: float
    ) -> Iterator[U8]:
        """One batch: frames `first` and on."""
        known = list(zip(moments, boxes, strict=False))
        faces = [cut_face(picture, box, self.model.size) for (picture, _), box in known]
        mel = track.windows(range(first, first + len(moments)), fps)
        spoken = self.model(mel, np.stack([model_input(face) for face in faces]))
        for ((picture, face), box), shown, lips in zip(known, faces, spoken, strict=True):
            yield lay_over(picture, shown, lips, box, face.lower)


def quiet(pose: Pose) -> Pose:
    """The pose with its mouth at rest but for smile and frown: what a lip model speaks best over."""
    kept = {
        name: weight
        for name, weight in pose.blendshapes.items()
        if name.startswith(_FELT) or not name.startswith(("mouth", "jaw", "tongue"))
    }
    return replace(pose, blendshapes=kept)


def _smoothed(boxes: Sequence[F32], last: int) -> list[F32]:
    """The last boxes, each averaged with its `SMOOTH` neighbours on either side as far as they are known."""
    known = np.stack(boxes)
    begin = len(known) - last
    return [known[max(i - SMOOTH, 0) : i + SMOOTH + 1].mean(axis=0) for i in range(begin, len(known))]


def _found(
    rig: Rig, finder: FaceFinder, moments: Iterable[tuple[U8, Pose]], framing: Framing | Frame
) -> Iterator[tuple[U8, Face]]:
    view = framing if isinstance(framing, Frame) else None
    for picture, pose in moments:
        view = view or frame_of(rig.manifest, picture.shape[1], cast("Framing", framing))
        if picture.dtype != np.uint8 or picture.shape != (view.height, view.width, 3):
            raise AvatarError(
                f"a frame {picture.dtype}{list(picture.shape)} where the framing wants "
                f"uint8[{view.height}, {view.width}, 3]: pass the framing that the frames were drawn with"
            )
        yield picture, finder.find(pose).scaled(view.scale, view.origin)
