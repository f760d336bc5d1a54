"""A pose track: a run of poses at a steady rate, kept as JSON, that any rig can play.

The file, version 1, holds one curve a shape, so that other tools can read and draw it:

    {"format": "visavis-pose-track", "version": 1, "fps": 25.0, "frames": 3,
     "source": "greeting.mp4", "made": {"tool": "mediapipe 1.2.2"},
     "shapes": {"jawOpen": [0, 0.12, 0.3]},
     "head": [[0, 1.2, 0], [0, 1.4, 0], [0, 1.5, 0]], "gaze": [[0, 0], [0, 0], [0, 0]], "breath": [0, 0, 0]}

`shapes` holds ARKit weights in [0, 1]; a shape that is left out is 0 throughout. `head` and `gaze` are
degrees with the signs of `Pose`, `breath` is 0..1; each may be left out when it is 0 throughout. Frame i
shows the time (i + ½) / fps.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar.errors import InputError
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.pose import ARKIT_BLENDSHAPES, Pose

F32 = NDArray[np.float32]

FORMAT, VERSION = "visavis-pose-track", 1
WEIGHT_DIGITS, DEGREE_DIGITS = 3, 2
"""Decimals in the file: a weight of 0.001 moves no lip by a tenth of a pixel, nor 0.01° a head."""
SMALLEST_WEIGHT = 0.5 * 10**-WEIGHT_DIGITS
MAX_FPS = 240.0
"""Fastest rate that is taken for a rate and not for a mistake."""
LONGEST_S = 600.0
"""Longest track: a speech, not a shift; bounds memory and time."""
MOST_FRAMES = int(LONGEST_S * MAX_FPS)
MAX_DEGREES = 90.0
"""Heads and eyes that turn farther are a mistake of the tracker."""

_Weight = Annotated[float, Field(ge=0, le=1)]
_Degrees = Annotated[float, Field(ge=-MAX_DEGREES, le=MAX_DEGREES)]


class _File(BaseModel):
    """The file's content."""

    model_config = ConfigDict(extra="forbid")
    format: Literal["visavis-pose-track"]
    version: Literal[1]
    fps: float = Field(gt=0, le=MAX_FPS)
    frames: int = Field(ge=1, le=MOST_FRAMES)
    source: str = ""
    made: dict[str, str] = {}
    shapes: dict[str, list[_Weight]] = {}
    head: list[tuple[_Degrees, _Degrees, _Degrees]] = []
    gaze: list[tuple[_Degrees, _Degrees]] = []
    breath: list[_Weight] = []


@dataclass(frozen=True, slots=True)
class PoseTrack:
    """Poses at a steady rate."""

    fps: float
    """Frames a second; frame i shows the time (i + ½) / fps."""
    poses: tuple[Pose, ...]
    source: str = ""
    """Where the motion comes from: a file's name, a tool."""
    made: Mapping[str, str] = field(default_factory=dict)
    """Free notes on how it was made: tool versions, date, consent."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.poses) / self.fps

    def at(self, time_s: float) -> Pose:
        """The pose at a time, between two frames the mixture of both; before and after, the end poses.

        Raises:
            AvatarError: the track is empty.
        """
        if not self.poses:
            raise InputError("the track holds no poses: capture it again")
        place = min(max(time_s * self.fps - 0.5, 0.0), len(self.poses) - 1.0)
        before = int(place)
        share = place - before
        if share < 1e-6:
            return self.poses[before]
        return mixed(self.poses[before], self.poses[before + 1], share)

    def resampled(self, fps: float) -> PoseTrack:
        """The same motion at another rate; the length stays within half a frame.

        Raises:
            AvatarError: the rate is not positive, or the track is too long.
        """
        if not 0 < fps <= MAX_FPS:
            raise InputError(f"a track cannot have {fps} frames a second: give a rate up to {MAX_FPS:.0f}")
        if not self.duration_s <= LONGEST_S:
            raise InputError(_too_long("the track", self.duration_s))
        if math.isclose(fps, self.fps, rel_tol=1e-9):
            return self
        count = max(int(self.duration_s * fps + 0.5), 1 if self.poses else 0)
        poses = tuple(self.at((i + 0.5) / fps) for i in range(count))
        return PoseTrack(fps, poses, self.source, self.made)

    def save(self, path: str | Path) -> None:
        """Write the track as JSON; the file appears when it is whole.

        Raises:
            AvatarError: the file cannot be written.
        """
        path = Path(path)
        curves = np.zeros((len(ARKIT_BLENDSHAPES), len(self.poses)))
        for i, pose in enumerate(self.poses):
            for name, weight in pose.blendshapes.items():
                if name in BLENDSHAPE_INDEX:
                    curves[BLENDSHAPE_INDEX[name], i] = min(max(weight, 0.0), 1.0)
        content = {
            "format": FORMAT,
            "version": VERSION,
            "fps": self.fps,
            "frames": len(self.poses),
            "source": self.source,
            "made": dict(self.made),
            "shapes": {
                name: _short(curve, WEIGHT_DIGITS)
                for name, curve in zip(ARKIT_BLENDSHAPES, curves, strict=True)
                if curve.max(initial=0.0) >= SMALLEST_WEIGHT
            },
            "head": [_short(np.array(pose.head), DEGREE_DIGITS) for pose in self.poses],
            "gaze": [_short(np.array(pose.gaze), DEGREE_DIGITS) for pose in self.poses],
            "breath": _short(np.array([pose.breath for pose in self.poses]), WEIGHT_DIGITS),
        }
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error}): choose another place") from error
        finally:
            part.unlink(missing_ok=True)


def load_track(path: str | Path) -> PoseTrack:
    """Read a track that `PoseTrack.save` wrote.

    Raises:
        AvatarError: the file is missing, damaged, of another version, or its curves differ in length.
    """
    path = Path(path)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error}): give a track that `avatar capture` wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a pose track ({error}): capture it again") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise InputError(f"{path} is not a pose track: give a file that `avatar capture` wrote")
    if raw.get("version") != VERSION:
        raise InputError(
            f"{path} is a pose track of version {raw.get('version')}, this program reads {VERSION}: "
            "capture it again"
        )
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: {where}: {first['msg']}; correct it or capture it again") from error
    if file.frames / file.fps > LONGEST_S:
        raise InputError(_too_long(str(path), file.frames / file.fps))
    return PoseTrack(file.fps, _poses(path, file), file.source, file.made)


def mixed(first: Pose, second: Pose, share: float) -> Pose:
    """The pose `share` (0..1) of the way from one pose to another."""
    a, b = first.blendshapes, second.blendshapes
    weights = {n: _between(a.get(n, 0.0), b.get(n, 0.0), share) for n in dict.fromkeys((*a, *b))}
    yaw, pitch, roll = (_between(p, q, share) for p, q in zip(first.head, second.head, strict=True))
    left, up = (_between(p, q, share) for p, q in zip(first.gaze, second.gaze, strict=True))
    return Pose(weights, (yaw, pitch, roll), (left, up), _between(first.breath, second.breath, share))


def _too_long(what: str, duration_s: float) -> str:
    return f"{what} lasts {duration_s:.0f} s, at most {LONGEST_S:.0f} are played: cut it into pieces"


def _between(a: float, b: float, share: float) -> float:
    return a + (b - a) * share


def _poses(path: Path, file: _File) -> tuple[Pose, ...]:
    unknown = sorted(set(file.shapes) - set(ARKIT_BLENDSHAPES))
    if unknown:
        raise InputError(
            f"{path}: {unknown[0]} is no ARKit shape; correct its name or capture the track again"
        )
    lengths = {name: len(curve) for name, curve in file.shapes.items()}
    lengths |= {
        k: len(v) for k, v in (("head", file.head), ("gaze", file.gaze), ("breath", file.breath)) if v
    }
    for name, length in lengths.items():
        if length != file.frames:
            raise InputError(f"{path}: {name} has {length} values for {file.frames} frames: capture it again")
    return tuple(
        Pose(
            {name: curve[i] for name, curve in file.shapes.items() if curve[i] >= SMALLEST_WEIGHT},
            file.head[i] if file.head else (0.0, 0.0, 0.0),
            file.gaze[i] if file.gaze else (0.0, 0.0),
            file.breath[i] if file.breath else 0.0,
        )
        for i in range(file.frames)
    )


def _short(values: NDArray[np.float64] | F32, digits: int) -> list[float | int]:
    """Numbers rounded, whole ones without a point: "0" instead of "0.0"."""
    rounded = (round(float(value), digits) for value in values)
    return [int(value) if value == int(value) else value for value in rounded]
