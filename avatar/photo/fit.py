"""Fitting the template to a face: where it stands, which expression it wears, and how it differs in shape.

The photo's space holds (x px, y px, depth px): x right, y down, depth away from the viewer, all in pixels of
the square crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX
from avatar.photo.landmarks import (
    EYE_RIM,
    INNER_LOWER,
    INNER_UPPER,
    MESH_LANDMARKS,
    OUTER_LOWER,
    OUTER_UPPER,
    OVAL,
)
from avatar.photo.template import ANCHOR_M, Template, weight_vector

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

AXES = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Rig axes (x right, y away, z up) to photo axes (x right, y down, depth away)."""
DEPTH_TRUST = 0.5
"""Share of the landmarks' own depth against the template's: a single picture shows depth poorly."""
SMOOTHING = 2e-3
"""Ridge of the warp, in metres of kernel: the landmarks' noise of a tenth of a millimetre is not followed."""
READABLE = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawOpen",
    "mouthFrownLeft", "mouthFrownRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPucker", "mouthFunnel", "mouthLeft", "mouthRight", "mouthShrugLower",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "mouthDimpleLeft", "mouthDimpleRight",
)  # fmt: skip
"""Shapes that are read from a photo and taken back; brows and lids stay partly: they are the person's own."""
BROW_SHARE = 0.3
"""Share of the brows' and lids' measured weight that is taken back."""
SMILE_SHARE = 0.65
"""Share of a smile that is taken back: the rest suits a host, and spares the cheeks a stretch."""
LEAST_WEIGHT = 0.06
"""Measured weights below are the tracker's noise."""
PRIOR = 0.6
"""How strongly the fitted expression keeps to what the tracker measured."""
LEAST_MOVE_M = 3e-5
"""Smaller deltas move nothing by a tenth of a pixel."""
LIP_SPREAD = 0.09
"""Reach of the closing of the lips beyond their rim, in widths of the face."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """p' = scale · p · matrixᵀ + shift, from rig axes in metres to the photo's space."""

    scale: float
    """Pixels a metre."""
    matrix: F64
    shift: F64

    def __call__(self, points: F32 | F64) -> F64:
        """Points float[n, 3] in metres, in the photo's space."""
        return np.asarray(self.scale * (points @ self.matrix.T) + self.shift)


class Warp:
    """A smooth displacement field float64[3] over space that passes near given points (biharmonic kernel)."""

    def __init__(self, points: F64, moves: F64, smoothing: float = SMOOTHING) -> None:
        self._points = points
        self._middle = points.mean(0)
        count = len(points)
        away = np.linalg.norm(points[:, None] - points[None], axis=-1)
        system = np.zeros((count + 4, count + 4))
        # -r is conditionally positive definite: the ridge goes on its diagonal
        system[:count, :count] = -away + smoothing * np.eye(count)
        system[:count, count] = system[count, :count] = 1
        system[:count, count + 1 :] = points - self._middle
        system[count + 1 :, :count] = system[:count, count + 1 :].T
        right = np.zeros((count + 4, 3))
        right[:count] = moves
        solved = np.linalg.solve(system, right)
        self._weights, self._affine = solved[:count].astype(np.float32), solved[count:]

    def __call__(self, points: F32 | F64) -> F32:
        """Displacements float32[n, 3]."""
        out = np.empty((len(points), 3), np.float32)
        known = self._points.astype(np.float32)
        norms = (known**2).sum(1)
        for first in range(0, len(points), 4096):
            part = np.asarray(points[first : first + 4096], np.float32)
            square = (part**2).sum(1)[:, None] + norms - 2 * part @ known.T
            kernel = -np.sqrt(np.maximum(square, 0))
            affine = self._affine[0] + (part - self._middle) @ self._affine[1:]
            out[first : first + 4096] = kernel @ self._weights + affine
        return out


@dataclass(frozen=True, slots=True)
class Fit:
    """The template in the photo's space."""

    neutral: F32
    """float32[V, 3]: the neutral face; the eyeballs' vertices mean nothing here."""
    shown: F32
    """float32[V, 3]: the face as the photo shows it; textures are read here."""
    deltas: F32
    """float32[52, A, 3] for the vertices in the template's `active`, in the photo's space."""
    expression: F32
    """float32[52]: what the photo shows and the neutral face does not."""
    lips_apart_px: float
    """Widest opening of the photo's mouth."""
    similarity: Similarity
    warp: Warp

    def carried(self, points: F32) -> F32:
        """Template points float32[n, 3] (metres) at rest, carried into the photo's space."""
        return (self.similarity(points) + self.warp(points)).astype(np.float32)


def fit_template(template: Template, points: F32, measured: F32) -> Fit:
    """Fit the template to landmarks.

    Args:
        template: what `load_template` returned.
        points: float32[478, 3] landmarks in pixels of the crop.
        measured: float32[52] blendshapes that the tracker measured.
    """
    target = points[:MESH_LANDMARKS].astype(np.float64)
    weights = _readable(measured)
    marked = template.landmarks(template.vertices).astype(np.float64)
    place = np.full(len(template.vertices), -1)
    place[template.active] = np.arange(len(template.active))
    full = np.zeros((len(template.deltas), len(template.vertices), 3), np.float32)
    full[:, template.active] = template.deltas
    moved = np.einsum("nk,snkc->snc", template.landmark_places, full[:, template.landmark_vertices]).astype(
        np.float64
    )
    similarity = find_similarity(marked + np.tensordot(weights, moved, 1), target)
    for _ in range(3):
        weights = _expression(similarity, marked, moved, target, _readable(measured))
        similarity = find_similarity(marked + np.tensordot(weights, moved, 1), target)
    worn = _taken_back(weights)
    placed = similarity(marked)
    wearing = similarity(marked + np.tensordot(worn, moved, 1)) - placed
    neutral = target - wearing
    apart = float(np.max(target[list(INNER_LOWER), 1] - target[list(INNER_UPPER), 1]))
    neutral = _closed(neutral, float(np.ptp(target[list(OVAL), 0])), template, similarity, marked)
    moves = neutral - placed
    moves[:, 2] *= DEPTH_TRUST
    far = _far(template.head_points, marked)
    warp = Warp(*_merged(marked, moves, np.concatenate([template.head_points[far]])))
    rest = similarity(template.vertices) + warp(template.vertices)
    deltas = np.zeros_like(template.deltas)
    at = template.vertices[template.active]
    rest_active = rest[template.active]
    for shape, delta in enumerate(template.deltas):
        own = np.flatnonzero(np.abs(delta).max(1) > LEAST_MOVE_M)
        if len(own):
            posed = at[own] + delta[own]
            deltas[shape, own] = similarity(posed) + warp(posed) - rest_active[own]
    posed = template.posed(worn)
    shown = similarity(posed) + warp(posed)
    # what expression and smooth shape leave over: measured with parted lips, or one lip would pull the other
    jaw = max(0.0, 1 - float(worn[BLENDSHAPE_INDEX["jawOpen"]]))
    parted_rest = template.posed(worn + weight_vector({"jawOpen": 0.35 * jaw}))
    parted = template.landmarks(parted_rest).astype(np.float64)
    at_landmarks = template.landmarks(shown.astype(np.float32))
    left = target - at_landmarks
    left[:, 2] = 0
    rest_warp = Warp(
        np.concatenate([parted, template.head_points[far]]),
        np.concatenate([left, np.zeros((int(far.sum()), 3))]),
        smoothing=2e-4,
    )
    shown = shown + rest_warp(parted_rest)
    return Fit(
        neutral=rest.astype(np.float32), shown=shown.astype(np.float32), deltas=deltas, expression=worn,
        lips_apart_px=apart, similarity=similarity, warp=warp,
    )  # fmt: skip


def _readable(measured: F32) -> F32:
    out = np.zeros_like(measured)
    for name in READABLE:
        value = float(measured[BLENDSHAPE_INDEX[name]])
        out[BLENDSHAPE_INDEX[name]] = value if value > LEAST_WEIGHT else 0.0
    return out


def _taken_back(weights: F32) -> F32:
    """What the neutral face shall not wear; brows and lids are part of its character and stay mostly."""
    out = weights.copy()
    for name, index in BLENDSHAPE_INDEX.items():
        if name.startswith(("brow", "eye")):
            out[index] *= BROW_SHARE
        elif name.startswith(("mouthSmile", "mouthDimple")):
            out[index] *= SMILE_SHARE
    return out


def find_similarity(source: F64, target: F64) -> Similarity:
    """Least squares (Umeyama 1991); depth counts less than what the picture shows."""
    trust = np.array([1.0, 1.0, DEPTH_TRUST])
    a, b = source @ AXES.T, target
    middle_a, middle_b = a.mean(0), b.mean(0)
    covariance = (b - middle_b).T @ (a - middle_a)
    u, s, vt = np.linalg.svd(covariance)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    turned = (a - middle_a) @ rotation.T
    scale = float(((b - middle_b) * turned * trust).sum() / ((turned**2) * trust).sum())
    return Similarity(scale, rotation @ AXES, middle_b - scale * (rotation @ middle_a))


def _expression(similarity: Similarity, marked: F64, moved: F64, target: F64, prior: F32) -> F32:
    """Weights float32[52] that explain the landmarks, kept near the tracker's own: ridge, then clipped."""
    used = np.flatnonzero(prior > 0)
    if not len(used):
        return np.zeros_like(prior)
    mouth = [*OUTER_UPPER, *OUTER_LOWER, *INNER_UPPER, *INNER_LOWER]
    eyes = [*EYE_RIM["left"], *EYE_RIM["right"]]
    rows = np.array(sorted({*mouth, *eyes}))
    basis = similarity.scale * (moved[used][:, rows] @ similarity.matrix.T)[..., :2]
    left = (target[rows] - similarity(marked[rows]))[:, :2]
    # the shape of this person's lips and lids is not an expression: only what differs within each counts
    for group in (mouth, eyes):
        own = np.isin(rows, group)
        left[own] -= left[own].mean(0)
        basis[:, own] -= basis[:, own].mean(1, keepdims=True)
    a = basis.reshape(len(used), -1)
    ridge = PRIOR * np.trace(a @ a.T) / len(used)
    weights = prior[used].astype(np.float64)
    gradient = a @ left.ravel() - a @ (weights @ a)
    weights += np.linalg.solve(a @ a.T + ridge * np.eye(len(used)), gradient)
    out = np.zeros_like(prior)
    out[used] = np.clip(weights, 0, 1.1)
    return out


def _closed(points: F64, width: float, template: Template, similarity: Similarity, marked: F64) -> F64:
    """Landmarks with the lips brought together: each pair of the inner rims meets at its middle."""
    upper, lower = np.array(INNER_UPPER), np.array(INNER_LOWER)
    out = points.copy()
    half = (points[lower, :2] - points[upper, :2]) / 2
    x = (points[upper, 0] + points[lower, 0]) / 2
    middle_y = (points[upper, 1] + points[lower, 1]) / 2
    reach = LIP_SPREAD * width
    order = np.argsort(x)
    for i in range(MESH_LANDMARKS):
        px, py = points[i, :2]
        line = np.interp(px, x[order], middle_y[order])
        gap = np.array([np.interp(px, x[order], half[order, c], left=0, right=0) for c in (0, 1)])
        away = max(abs(py - line) - abs(gap[1]), 0.0)
        pull = np.exp(-((away / reach) ** 2))
        is_lower = i in INNER_LOWER or i in OUTER_LOWER or (i not in INNER_UPPER and py > line)
        out[i, :2] += (-1 if is_lower else 1) * gap * pull
    for u, low in zip(upper, lower, strict=True):
        out[[u, low]] = (out[u] + out[low]) / 2
    return out


def _merged(marked: F64, moves: F64, anchors: F32) -> tuple[F64, F64]:
    """Knots of the warp: landmarks with facing rims of the lips joined, and still points far away."""
    single = [i for i in range(MESH_LANDMARKS) if i not in INNER_LOWER]
    at, by = marked.copy(), moves.copy()
    for u, low in zip(INNER_UPPER, INNER_LOWER, strict=True):
        at[u], by[u] = (marked[u] + marked[low]) / 2, (moves[u] + moves[low]) / 2
    points = np.concatenate([at[single], anchors])
    return points, np.concatenate([by[single], np.zeros((len(anchors), 3))])


def _far(points: F32, marked: F64) -> NDArray[np.bool_]:
    away = np.linalg.norm(points[:, None] - marked[None].astype(np.float32), axis=-1).min(1)
    far = away > ANCHOR_M
    index = np.flatnonzero(far)
    keep = np.zeros(len(points), bool)
    keep[index[:: max(len(index) // 60, 1)]] = True
    return keep
