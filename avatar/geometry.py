"""The camera and the rotations that the bake tool, the renderers and the lip check share.

Axes (metres): x to the face's left (right in the picture), y away from the viewer, z up.
The camera looks along +y.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from avatar.pose import ARKIT_BLENDSHAPES, Pose

F32 = NDArray[np.float32]
Angles = tuple[float, float, float]

BLENDSHAPE_INDEX = {name: index for index, name in enumerate(ARKIT_BLENDSHAPES)}
"""ARKit name → its place in a weight vector."""

LOOK_UP_DEG = 22.0
"""Degrees that the eyeball turns at eyeLookUp or eyeLookDown = 1; the lids are modelled for this."""
LOOK_OUT_DEG = 28.0
"""Degrees that the eyeball turns at eyeLookOut or eyeLookIn = 1."""


def smoothstep(low: float, high: float, x: F32) -> F32:
    """Cubic ramp from 0 at `low` to 1 at `high`, elementwise."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def project(points: F32, camera: tuple[float, float, float], size: int) -> tuple[F32, F32]:
    """Perspective projection.

    Args:
        points: float[n, 3] in metres.
        camera: (y of the camera, z of its axis, focal length in picture heights).
        size: side of the square picture in pixels.

    Returns:
        Pixels float32[n, 2] (x right, y down, centres at .5) and depth float32[n] in metres.
    """
    camera_y, camera_z, focal = camera
    depth = points[:, 1] - camera_y
    scale = focal / depth
    xy = np.stack([0.5 + scale * points[:, 0], 0.5 - scale * (points[:, 2] - camera_z)], axis=1) * size
    return xy.astype(np.float32), depth.astype(np.float32)


EASED_FROM = 0.7
"""Share of a limit from which on a head turns less than it is asked to."""


def finite(number: float) -> float:
    """The number, or 0 where it is none: a broken pose must not break a renderer."""
    return number if math.isfinite(number) else 0.0


def limited(head: Angles, limit_deg: Angles) -> Angles:
    """Yaw, pitch and roll (degrees) that never exceed a rig's limits, without a kink."""
    eased = []
    for angle, limit in zip(head, limit_deg, strict=True):
        angle = finite(angle)
        free, room = limit * EASED_FROM, limit * (1 - EASED_FROM)
        over = abs(angle) - free
        eased.append(angle if over <= 0 else math.copysign(free + room * math.tanh(over / room), angle))
    return eased[0], eased[1], eased[2]


def head_matrix(head: Angles) -> F32:
    """Rotation float32[3, 3] of (yaw, pitch, roll) in degrees, with the signs of `Pose.head`."""
    yaw, pitch, roll = (math.radians(angle) for angle in head)
    cz, sz = math.cos(yaw), math.sin(yaw)
    cx, sx = math.cos(pitch), math.sin(pitch)
    cy, sy = math.cos(roll), math.sin(roll)
    # turn about z, nod about x and lean about y, multiplied out
    return np.array(
        [
            [cz * cy - sz * sx * sy, -sz * cx, cz * sy + sz * sx * cy],
            [sz * cy + cz * sx * sy, cz * cx, sz * sy - cz * sx * cy],
            [-cx * sy, sx, cx * cy],
        ],
        np.float32,
    )


def eye_matrix(left_deg: float, up_deg: float) -> F32:
    """Rotation float32[3, 3] of an eyeball that looks to the face's left and up."""
    a, b = -math.radians(up_deg), math.radians(left_deg)
    ca, sa, cb, sb = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
    return np.array([[cb, -sb * ca, sb * sa], [sb, cb * ca, -cb * sa], [0, sa, ca]], np.float32)


def weights_of(pose: Pose) -> F32:
    """Weight vector float32[52] of a pose; its gaze joins the eyeLook shapes, so that lids follow eyes.

    Unknown names are ignored, and so are numbers that are none; weights are clipped to [0, 1], eyeLook ones
    to [0, 1.3].
    """
    weights = np.zeros(len(ARKIT_BLENDSHAPES), np.float32)
    for name, value in pose.blendshapes.items():
        index = BLENDSHAPE_INDEX.get(name)
        if index is not None:
            weights[index] = min(max(finite(float(value)), 0.0), 1.0)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        for toward, away, degrees, span in (
            ("eyeLookUp", "eyeLookDown", pose.gaze[1], LOOK_UP_DEG),
            ("eyeLookOut", "eyeLookIn", pose.gaze[0] * sign, LOOK_OUT_DEG),
        ):
            up, down = BLENDSHAPE_INDEX[toward + side], BLENDSHAPE_INDEX[away + side]
            look = float(weights[up] - weights[down]) + finite(degrees) / span
            weights[up], weights[down] = min(max(look, 0.0), 1.3), min(max(-look, 0.0), 1.3)
    return weights
