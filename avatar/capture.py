"""Performance capture: a video of a person's face becomes a pose track that any rig can play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.filter import smooth
from avatar.geometry import BLENDSHAPE_INDEX, LOOK_OUT_DEG, LOOK_UP_DEG
from avatar.photo.landmarks import FoundFace, Landmarker
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.track import PoseTrack

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

DEFAULT_FPS, MAX_FPS = 25.0, 60.0
"""Rate of the track where the video states none, and the fastest that is kept."""
LONGEST_SIDE_PX = 1280
"""Larger frames are reduced: the tracker looks at 256 pixels of face."""
LONGEST_BRIDGE_S = 0.5
"""Gaps without a face up to this long are bridged straight; in longer ones the face relaxes to neutral."""
RELAX_S = 0.35
"""How long the face takes to relax, and to come back."""
HEAD_CUTOFF_HZ, HEAD_BETA = 1.2, 0.12
"""One-Euro filter of head and gaze (degrees): still heads do not shake, nods keep their speed."""
FACE_CUTOFF_HZ, FACE_BETA = 2.0, 4.0
"""One-Euro filter of weights (0..1): lips close within a frame or two of the video."""
RESTING_PERCENTILE = 10
"""A shape's weight at rest is what it exceeds nine tenths of the time …"""
RESTING_CAPS = {"brow": 0.9, "eye": 0.5, "mouth": 0.2, "jaw": 0.1, "cheek": 0.3, "nose": 0.3, "tongue": 0.0}
"""… up to this: brows and lids differ from person to person, a smile that never ends is meant."""
_LOOKS = [i for n, i in BLENDSHAPE_INDEX.items() if n.startswith("eyeLook")]


@dataclass(frozen=True, slots=True)
class Capture:
    """What `capture` found."""

    track: PoseTrack
    found: int
    """Frames in which a face was found."""
    frames: int
    """Frames in the video."""
    gaps: tuple[tuple[float, float], ...]
    """Start and end (s) of stretches without a face longer than half a second."""
    notes: tuple[str, ...]


def capture(
    video: Path,
    landmarker: Path,
    *,
    calibrate: bool = True,
    progress: Callable[[float, float], None] | None = None,
) -> Capture:
    """Follow the largest face of a video.

    Args:
        video: any file that FFmpeg reads.
        landmarker: MediaPipe's `face_landmarker.task`.
        calibrate: take the person's resting face, head and gaze for neutral, so that the rig looks at the
            viewer; otherwise the tracker's own zero counts.
        progress: called with seconds done and seconds in all.

    Raises:
        AvatarError: the video cannot be read, has no pictures, or shows no face; mediapipe is missing.
    """
    times: list[float] = []
    samples: list[F32] = []
    frames, last_ms = 0, -1
    with Landmarker(landmarker, video=True) as finder:
        tool = finder.version
        stream = _frames(video)
        fps, length_s, end_s = DEFAULT_FPS, 0.0, 0.0
        for time_s, picture, rate, length in stream:
            fps, length_s = rate, length
            frames += 1
            end_s = max(end_s, time_s)
            last_ms = max(last_ms + 1, round(time_s * 1000))
            faces = finder.find(picture, last_ms)
            if faces:
                times.append(time_s)
                samples.append(_sample(faces[0]))
            if progress is not None:
                progress(time_s, max(length_s, time_s))
    if not frames:
        raise AvatarError(f"{video} holds no pictures: give a video of a face")
    if not times:
        raise AvatarError(
            f"no face is found in {video}: film one face from the front, evenly lit, near enough to fill "
            "a third of the picture"
        )
    values = np.array(samples, np.float32)
    if calibrate:
        values = _calibrated(values)
    count = max(round((end_s + 1 / fps) * fps), 1)
    at = np.arange(count) / fps
    even, gaps = _evened(np.array(times), values, at)
    poses = _poses(_smoothed(even, at.astype(np.float32)))
    notes = []
    if gaps:
        notes.append(
            f"no face is seen in {len(gaps)} stretches, the longest {max(b - a for a, b in gaps):.1f} s: "
            "the face relaxes there"
        )
    if len(times) < 0.9 * frames:
        notes.append(f"a face is found in {len(times)} of {frames} frames: light or distance may be at fault")
    track = PoseTrack(fps, tuple(poses), video.name, {"tool": f"visavis capture, {tool}"})
    return Capture(track, len(times), frames, tuple(gaps), tuple(notes))


def _frames(video: Path) -> Iterator[tuple[float, U8, float, float]]:
    """(time in seconds, RGB picture, frames a second, length in seconds) of every frame."""
    import av
    import cv2

    if not video.is_file():
        raise AvatarError(f"there is no video {video}: check the path")
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise AvatarError(f"{video} holds no pictures, only sound: give a video of a face")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            rate = float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)
            length = float(container.duration or 0) / 1e6
            fps = min(rate, MAX_FPS) if rate > 1 else DEFAULT_FPS
            first: float | None = None
            for index, frame in enumerate(container.decode(stream)):
                time_s = frame.time if frame.time is not None else index / rate
                first = time_s if first is None else first
                picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                if max(picture.shape[:2]) > LONGEST_SIDE_PX:
                    k = LONGEST_SIDE_PX / max(picture.shape[:2])
                    small = cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
                    picture = np.asarray(small, np.uint8)
                turn = round(-getattr(frame, "rotation", 0) / 90) % 4
                if turn:
                    picture = np.rot90(picture, -turn)
                yield max(time_s - first, 0.0), np.ascontiguousarray(picture), fps, length
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AvatarError(f"{video} cannot be read ({error}): give an mp4, mov or webm file") from error


def _sample(face: FoundFace) -> F32:
    """float32[57]: 52 weights without the looks, head (3), gaze (2)."""
    w = face.blendshapes

    def look(name: str) -> float:
        return float(w[BLENDSHAPE_INDEX[name]])

    left = (
        look("eyeLookOutLeft") - look("eyeLookInLeft") + look("eyeLookInRight") - look("eyeLookOutRight")
    ) / 2
    up = (
        look("eyeLookUpLeft") + look("eyeLookUpRight") - look("eyeLookDownLeft") - look("eyeLookDownRight")
    ) / 2
    weights = w.copy()
    weights[_LOOKS] = 0
    gaze = (left * LOOK_OUT_DEG, up * LOOK_UP_DEG)
    return np.concatenate([weights, np.array([*face.head_deg, *gaze], np.float32)]).astype(np.float32)


def _calibrated(values: F32) -> F32:
    """Values float32[n, 57] relative to the resting face; weights keep their top."""
    out = values.copy()
    caps = np.array(
        [next((c for p, c in RESTING_CAPS.items() if n.startswith(p)), 0.0) for n in ARKIT_BLENDSHAPES],
        np.float32,
    )
    rest = np.minimum(np.percentile(values[:, :52], RESTING_PERCENTILE, axis=0), caps)
    out[:, :52] = np.clip((values[:, :52] - rest) / (1 - rest), 0, 1)
    out[:, 52:] -= np.median(values[:, 52:], axis=0)
    return out


def _evened(
    times: NDArray[np.float64], values: F32, at: NDArray[np.float64]
) -> tuple[F32, list[tuple[float, float]]]:
    """Values at even times float32[m, 57]; long gaps relax to zero and are named."""
    knots, rows = [times], [values]
    gaps = []
    edges = list(zip(times[:-1], times[1:], strict=True))
    if times[0] > LONGEST_BRIDGE_S:
        edges.insert(0, (-RELAX_S, times[0]))
    if at[-1] - times[-1] > LONGEST_BRIDGE_S:
        edges.append((times[-1], at[-1] + RELAX_S))
    for start, end in edges:
        if end - start > LONGEST_BRIDGE_S:
            gaps.append((max(float(start), 0.0), min(float(end), float(at[-1]))))
            relax = min(RELAX_S, (end - start) / 2)
            still = np.array([start + relax, end - relax])
            knots.append(still)
            rows.append(np.zeros((2, values.shape[1]), np.float32))
    all_times, all_values = np.concatenate(knots), np.concatenate(rows)
    order = np.argsort(all_times, kind="stable")
    all_times, all_values = all_times[order], all_values[order]
    even = np.stack([np.interp(at, all_times, column) for column in all_values.T], 1)
    return even.astype(np.float32), gaps


def _smoothed(values: F32, times: F32) -> F32:
    return np.concatenate(
        [
            smooth(values[:, :52], times, FACE_CUTOFF_HZ, FACE_BETA),
            smooth(values[:, 52:], times, HEAD_CUTOFF_HZ, HEAD_BETA),
        ],
        axis=1,
    )


def _poses(values: F32) -> list[Pose]:
    out = []
    for row in values:
        weights = {
            name: min(float(weight), 1.0)
            for name, weight in zip(ARKIT_BLENDSHAPES, row[:52], strict=True)
            if weight > 0.002
        }
        yaw, pitch, roll, left, up = (float(v) for v in row[52:])
        out.append(Pose(weights, (yaw, pitch, roll), (left, up)))
    return out


__all__ = ["Capture", "capture"]
