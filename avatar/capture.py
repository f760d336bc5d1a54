"""Performance capture: a video of a person's face becomes a pose track that any rig can play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avatar.errors import InputError
from avatar.filter import smooth
from avatar.gaze import gaze_of, held_over_blinks
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.photo.landmarks import FoundFace, Landmarker, mouth_aspect
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.track import LONGEST_S, PoseTrack

if TYPE_CHECKING:
    from av import VideoFrame

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

DEFAULT_FPS, MAX_FPS = 25.0, 60.0
"""Rate of the track where the video states none, and the fastest that is kept."""
MOST_FPS = 240
"""More pictures a second than this are none that a camera took."""
SEALED = {"protocol_whitelist": "none"}
"""Options for FFmpeg: what the file names is not opened."""
MOST_PIXELS = 40_000_000
"""Of one frame: 8K film has 33 million."""
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
CLOSED_ASPECT = 0.095
"""Largest height by width that the landmarks give a closed mouth."""
GAP_MM = 49.0
"""Gap of lips as far apart as the mouth is wide: 43 on still pictures; smoothing takes the rest."""
JAW_MM, UPPER_MM, LOWER_MM, FUNNEL_MM = 33.0, 5.0, 4.2, 11.0
"""How far the shapes part the lips of the built-in rigs at weight 1 (`avatar.lipcheck.lip_gap_mm`)."""
JAW_SHARE = 0.7
"""Of an opening that the tracker's weights do not tell, the rest is the lips'."""
MOST_LIPS = 0.7
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
    """Frames in the video, from its sound's beginning."""
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
    """Follow one face of a video.

    MediaPipe takes the face that it is surest of when the video begins, stays with it, and looks anew when it
    is lost: film one person alone. The track begins where the video's sound begins, so that both play
    together: pictures before it are left out, and poses are held from the first picture if it comes later.

    Args:
        video: any file that FFmpeg reads.
        landmarker: MediaPipe's `face_landmarker.task`.
        calibrate: take the person's resting face, head and gaze for neutral, so that the rig looks at the
            viewer; otherwise the tracker's own zero counts.
        progress: called with seconds done and seconds in all.

    Raises:
        AvatarError: the video cannot be read, has no pictures, is longer than `LONGEST_S` or shows no face;
            mediapipe is missing.
    """
    times: list[float] = []
    samples: list[F32] = []
    aspects: list[float] = []
    frames, last_ms, early, first_s = 0, -1, 0, 0.0
    with Landmarker(landmarker, video=True) as finder:
        tool = finder.version
        stream = _frames(video)
        fps, length_s, end_s = DEFAULT_FPS, 0.0, 0.0
        for time_s, picture, rate, length in stream:
            fps, length_s = rate, length
            frames += 1
            if time_s < 0:
                early += 1
                continue
            first_s = time_s if frames == early + 1 else first_s
            end_s = max(end_s, time_s)
            last_ms = max(last_ms + 1, round(time_s * 1000))
            faces = finder.find(picture, last_ms)
            if faces:
                times.append(time_s)
                samples.append(_sample(faces[0]))
                aspects.append(mouth_aspect(faces[0].points))
            if progress is not None:
                progress(time_s, max(length_s, time_s))
    if not frames:
        raise InputError(f"{video} holds no pictures: give a video of a face")
    if frames == early:
        raise InputError(f"the pictures of {video} end before its sound begins: export it again")
    frames -= early
    if not times:
        raise InputError(
            f"no face is found in {video}: film one face from the front, evenly lit, near enough to fill "
            "a third of the picture"
        )
    values = np.array(samples, np.float32)
    values[:, 55:] = held_over_blinks(values[:, 55:], values[:, :52], np.array(times))
    if calibrate:
        values = _calibrated(values)
    values = _opened(values, np.array(aspects, np.float32))
    count = max(round((end_s + 1 / fps) * fps), 1)
    at = np.arange(count) / fps
    even, gaps = _evened(np.array(times), values, at, first_s)
    poses = _poses(_smoothed(even, at.astype(np.float32)))
    notes = []
    if early:
        notes.append(f"the sound begins after {early} pictures: the track begins with the sound")
    if gaps:
        notes.append(
            f"no face is seen in {len(gaps)} stretches, the longest {max(b - a for a, b in gaps):.1f} s: "
            "the face relaxes there"
        )
    if len(samples) < 0.9 * frames:
        notes.append(
            f"a face is found in {len(samples)} of {frames} frames: light or distance may be at fault"
        )
    track = PoseTrack(fps, tuple(poses), video.name, {"tool": f"visavis capture, {tool}"})
    return Capture(track, len(samples), frames, tuple(gaps), tuple(notes))


def _frames(video: Path) -> Iterator[tuple[float, U8, float, float]]:
    """(time in seconds, RGB picture, frames a second, length in seconds) of every frame.

    Time counts from the first sample of the sound, else from the first picture; it is below 0 before that.
    """
    import av
    import cv2

    if not video.is_file():
        raise InputError(f"there is no video {video}: check the path")
    try:
        origin = _sound_start(video)
        # a playlist in the file must not make the demuxer open other files or addresses
        with video.open("rb") as file, av.open(file, mode="r", options=SEALED) as container:
            if not container.streams.video:
                raise InputError(f"{video} holds no pictures, only sound: give a video of a face")
            stream = container.streams.video[0]
            if stream.width * stream.height > MOST_PIXELS:
                raise InputError(f"{video} has pictures of {stream.width}×{stream.height}: export it smaller")
            stream.thread_type = "AUTO"
            rate = float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)
            length = float(container.duration or 0) / 1e6
            fps = min(rate, MAX_FPS) if rate > 1 else DEFAULT_FPS
            for index, frame in enumerate(container.decode(stream)):
                at_s = frame.time if frame.time is not None else (origin or 0.0) + index / rate
                origin = at_s if origin is None else origin
                time_s = at_s - origin
                if time_s > LONGEST_S or index > LONGEST_S * MOST_FPS:
                    raise InputError(f"{video} is longer than {LONGEST_S:.0f} s: cut the video into pieces")
                yield time_s, _upright(frame), fps, length
    except PermissionError as error:
        raise InputError(f"{video} cannot be read: its permissions forbid it; change them") from error
    except (av.FFmpegError, cv2.error, OSError, ValueError) as error:
        raise InputError(
            f"{video} cannot be read as a video: it is damaged, or another kind of file; give an mp4, mov or "
            "webm file"
        ) from error


def _sound_start(video: Path) -> float | None:
    """Time (s) of the first sample of sound that decodes; None without sound."""
    import av

    with video.open("rb") as file, av.open(file, mode="r", options=SEALED) as container:
        if not container.streams.audio:
            return None
        try:
            return next((frame.time for frame in container.decode(audio=0)), None)
        except av.FFmpegError:
            return None  # sound that cannot be heard needs no company


def _upright(frame: VideoFrame) -> U8:
    """RGB uint8[H, W, 3], reduced, and turned as the camera was held."""
    import cv2

    picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    if max(picture.shape[:2]) > LONGEST_SIDE_PX:
        k = LONGEST_SIDE_PX / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, np.uint8)
    turn = round(-getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, -turn) if turn else picture)


def _sample(face: FoundFace) -> F32:
    """float32[57]: 52 weights without the looks, head (3), gaze (2)."""
    weights = face.blendshapes.copy()
    weights[_LOOKS] = 0
    return np.concatenate([weights, np.array([*face.head_deg, *gaze_of(face)])]).astype(np.float32)


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


def _opened(values: F32, aspects: F32) -> F32:
    """Values float32[n, 57] whose mouths open as far as the landmarks saw them open.

    The tracker's weights leave out most of the small openings of speech; its landmarks do not.
    """
    jaw, funnel = BLENDSHAPE_INDEX["jawOpen"], BLENDSHAPE_INDEX["mouthFunnel"]
    upper = [BLENDSHAPE_INDEX["mouthUpperUp" + side] for side in ("Left", "Right")]
    lower = [BLENDSHAPE_INDEX["mouthLowerDown" + side] for side in ("Left", "Right")]
    closed = min(float(np.percentile(aspects, RESTING_PERCENTILE)), CLOSED_ASPECT)
    wanted = np.maximum(aspects - closed, 0) * GAP_MM
    out = values.copy()
    told = (
        out[:, jaw] * JAW_MM
        + out[:, upper].mean(axis=1) * UPPER_MM
        + out[:, lower].mean(axis=1) * LOWER_MM
        + out[:, funnel] * FUNNEL_MM
    )
    more = np.maximum(wanted - told, 0)
    less = np.minimum(np.maximum(told - wanted, 0) / JAW_MM, out[:, jaw])
    out[:, jaw] = np.clip(out[:, jaw] + JAW_SHARE * more / JAW_MM - less, 0, 1)
    lips = (1 - JAW_SHARE) / 2 * more
    out[:, upper] = np.clip(out[:, upper] + (lips / UPPER_MM)[:, None], 0, MOST_LIPS)
    out[:, lower] = np.clip(out[:, lower] + (lips / LOWER_MM)[:, None], 0, MOST_LIPS)
    return np.asarray(out, np.float32)


def _evened(
    times: NDArray[np.float64], values: F32, at: NDArray[np.float64], first_s: float = 0.0
) -> tuple[F32, list[tuple[float, float]]]:
    """Values at even times float32[m, 57]; long gaps relax to zero and are named.

    Before `first_s`, the first picture's time, the first value is held.
    """
    knots, rows = [times], [values]
    gaps = []
    edges = list(zip(times[:-1], times[1:], strict=True))
    if times[0] - first_s > LONGEST_BRIDGE_S:
        edges.insert(0, (first_s - RELAX_S, times[0]))
    if at[-1] - times[-1] > LONGEST_BRIDGE_S:
        edges.append((times[-1], at[-1] + RELAX_S))
    for start, end in edges:
        if end - start > LONGEST_BRIDGE_S:
            gaps.append((max(float(start), first_s), min(float(end), float(at[-1]))))
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
