"""Eyeballs for a face in a photo: where they lie, how large they are, and what they look like all around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX, smoothstep
from avatar.photo.fit import Fit
from avatar.photo.landmarks import EYE_RIM, IRIS
from avatar.photo.template import Template

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

PATCH_PX = 160
"""Side of an eyeball's picture; it shows the front half, seen from ahead."""
SIDES = ("left", "right")
ASIDE = 0.12
"""Irises farther than this (eyeball radii, both eyes together) from the middle look past the camera."""
LARGEST_IRIS = 0.5
"""Iris radius in eyeball radii; beyond, the tracker is wrong."""
RIM_SHARE = 0.07
"""Along the lids, this share of the opening's width is left out: lashes and lids reach in."""
PUSH_M = 0.005
"""Farthest that an eyeball is moved back to keep it under the lids."""
FALLBACK_SCLERA = (205.0, 196.0, 190.0)


@dataclass(frozen=True, slots=True)
class Ball:
    """An eyeball in the photo's space (px, depth px)."""

    centre: F32
    radius: float
    looks: F32
    """float32[2]: where the photo's iris lies, in radii right and down of the middle."""
    iris: float
    """Radius of the iris in eyeball radii."""


def place_balls(template: Template, fit: Fit, points: F32) -> dict[str, Ball]:
    """Find both eyeballs from the lids and the irises."""
    marked = template.landmarks(template.vertices)
    scale = fit.similarity.scale
    guess: dict[str, tuple[F32, float]] = {}
    for i, side in enumerate(SIDES):
        rim = list(EYE_RIM[side])
        own, theirs = marked[rim], fit.carried(marked)[rim]
        wide = np.ptp(own[:, 0]) * scale
        size = float(np.clip(np.hypot(*(theirs[0] - theirs[8])[:2]) / wide, 0.75, 1.3))
        turned = (template.eyes[i, :3] - own.mean(0)) @ fit.similarity.matrix.T * scale * size
        guess[side] = (theirs.mean(0) + turned).astype(np.float32), float(template.eyes[i, 3]) * scale * size
    radius = float(np.mean([r for _, r in guess.values()]))
    offsets = {s: (points[IRIS[s][0], :2] - guess[s][0][:2]) / radius for s in SIDES}
    # both eyes look the same way: what they have in common is gaze, the rest is the error of the guess
    looks = np.mean([offsets[s] for s in SIDES], axis=0)
    if float(np.hypot(*looks)) < ASIDE:
        looks = np.zeros(2)
    balls = {}
    for i, side in enumerate(SIDES):
        centre = guess[side][0].copy()
        centre[:2] = points[IRIS[side][0], :2] - looks * radius
        rim_px = np.linalg.norm(points[list(IRIS[side][1:]), :2] - points[IRIS[side][0], :2], axis=1)
        iris = min(float(rim_px.mean()) / radius, LARGEST_IRIS)
        centre[2] += _push(template, fit, i, centre, radius)
        balls[side] = Ball(centre, radius, np.asarray(looks, np.float32), iris)
    return balls


def _push(template: Template, fit: Fit, eye: int, centre: F32, radius: float) -> float:
    """How far (px) the ball must move back so that it stays under the lids as it does in the template."""
    own_centre, own_radius = template.eyes[eye, :3], float(template.eyes[eye, 3])
    near = np.linalg.norm(template.vertices - own_centre, axis=1) < own_radius * 1.3
    first, count = template.eye_spans[eye]
    near[first : first + count] = False
    near &= template.vertices[:, 1] < own_centre[1]
    place = np.full(len(template.vertices), -1)
    place[template.active] = np.arange(len(template.active))
    blink = BLENDSHAPE_INDEX["eyeBlinkLeft" if eye == 0 else "eyeBlinkRight"]
    index = np.flatnonzero(near & (place >= 0))
    needed = 0.0
    for weight in (0.0, 0.35, 0.7, 1.0):
        posed = fit.neutral[index] + weight * fit.deltas[blink, place[index]]
        theirs = (posed - centre) / radius
        own = template.vertices[index] + weight * template.deltas[blink, place[index]] - own_centre
        own = own / own_radius
        under = _above(theirs[:, 0], theirs[:, 1], theirs[:, 2])
        before = _above(own[:, 0], own[:, 2], own[:, 1])
        needed = max(needed, float(np.percentile(under - np.maximum(before, 0), 98)))
    return min(needed * radius, PUSH_M * fit.similarity.scale)


def _above(x: F32, y: F32, depth: F32) -> F32:
    """How far points lie behind the front of the unit ball; negative outside its outline."""
    inside = x * x + y * y < 0.95
    front = -np.sqrt(np.maximum(1 - x * x - y * y, 0))
    return np.where(inside, depth - front, -1.0).astype(np.float32)


def rest_light(x: F32, z: F32) -> F32:
    """The renderer's light on a resting eyeball at x, z (radii): the lid's shadow, and darker corners."""
    shadow = 1 - 0.55 * smoothstep(0.05, 0.72, z)
    return np.asarray(0.93 * shadow * (1 - 0.22 * smoothstep(0.30, 0.85, np.abs(x))), np.float32)


def paint_ball(picture: U8, ball: Ball, rim: F32, magnified: float = 1.0) -> U8:
    """The eyeball's picture RGB uint8[160, 160, 3], completed where lids hide it.

    Args:
        picture: the photo's crop.
        ball: where the eyeball lies in it.
        rim: float32[16, 2] pixels of the lids' edge.
        magnified: pixels of the crop for each pixel of the photo.
    """
    import cv2

    grid = (np.arange(PATCH_PX, dtype=np.float32) + 0.5) / PATCH_PX * 2 - 1
    x = np.ascontiguousarray(np.broadcast_to(grid, (PATCH_PX, PATCH_PX)))
    down = np.ascontiguousarray(x.T)
    # where each texel was in the photo: the ball was turned toward `looks`
    at_x, at_y = _turned(x.astype(np.float32), down.astype(np.float32), ball.looks)
    px = (ball.centre[0] + at_x * ball.radius - 0.5).astype(np.float32)
    py = (ball.centre[1] + at_y * ball.radius - 0.5).astype(np.float32)
    colour = cv2.remap(picture, px, py, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    light = rest_light(at_x.astype(np.float32), -at_y.astype(np.float32))
    colour = np.clip(colour / np.maximum(light, 0.45)[..., None], 0, 255)
    opening = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round(rim * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    inward = np.asarray(cv2.distanceTransform((opening > 127).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    margin = max(RIM_SHARE * float(np.ptp(rim[:, 0])), 1.2 * magnified)
    trusted = smoothstep(margin, margin + max(0.04 * float(np.ptp(rim[:, 0])), 1.0), inward)
    known = cv2.remap(trusted, px, py, cv2.INTER_LINEAR).astype(np.float32)
    far = np.hypot(x, down)
    within = 1 - smoothstep(ball.iris * 0.96, ball.iris * 1.08, far.astype(np.float32))
    iris = _complete_iris(colour, known, far.astype(np.float32), ball.iris)
    sclera = _complete_sclera(colour, known * (far > ball.iris * 1.12))
    out = sclera * (1 - within[..., None]) + iris * within[..., None]
    return np.asarray(np.clip(out, 0, 255).round(), np.uint8)


def _turned(x: F32, down: F32, looks: F32) -> tuple[F32, F32]:
    """Directions on the ball after turning its middle to `looks` (radii right and down)."""
    toward = np.sqrt(np.maximum(1 - x * x - down * down, 0))
    b = np.arcsin(np.clip(float(looks[0]), -0.8, 0.8))
    a = np.arcsin(np.clip(float(looks[1]) / np.cos(b), -0.8, 0.8))
    down2, toward2 = down * np.cos(a) + toward * np.sin(a), toward * np.cos(a) - down * np.sin(a)
    x2 = x * np.cos(b) + toward2 * np.sin(b)
    return np.asarray(x2, np.float32), np.asarray(down2, np.float32)


def _complete_iris(colour: F32, known: F32, far: F32, radius: float) -> F32:
    """The iris with lids and reflections taken away: hidden parts take the colour of their ring."""
    rings = 24
    ring = np.minimum((far / (radius * 1.1) * rings).astype(int), rings - 1)
    light = colour.mean(2)
    profile = np.zeros((rings, 3), np.float32)
    bright = np.zeros(rings, np.float32)
    last = np.array([60.0, 45.0, 38.0], np.float32)
    for r in range(rings):
        own = (ring == r) & (known > 0.6) & (far < radius * 1.1)
        if own.sum() >= 6:
            # a window's reflection is brighter than the iris: the darker half is the iris itself
            dark = own & (light <= np.percentile(light[own], 60))
            last = colour[dark].mean(0)
            bright[r] = np.percentile(light[own], 60)
        profile[r], bright[r] = last, max(bright[r], float(last.mean()))
    place = np.clip(far / (radius * 1.1) * rings - 0.5, 0, rings - 1)
    smooth = np.stack(
        [np.interp(place.ravel(), np.arange(rings), profile[:, c]).reshape(far.shape) for c in range(3)], -1
    )
    limit = np.interp(place.ravel(), np.arange(rings), bright).reshape(far.shape)
    shine = smoothstep(10.0, 40.0, (light - limit).astype(np.float32))
    trust = (smoothstep(0.4, 1.0, known) * (1 - shine))[..., None]
    return np.asarray(colour * trust + smooth * (1 - trust), np.float32)


def _complete_sclera(colour: F32, known: F32) -> F32:
    """The white of the eye, spread under the lids from where it shows."""
    import cv2

    have = (known > 0.7).astype(np.float32)
    if have.sum() < 30:
        return np.broadcast_to(np.array(FALLBACK_SCLERA, np.float32), colour.shape).copy()
    light = colour.mean(2)
    # lashes and tear ducts are darker than the white
    have *= (light > np.percentile(light[have > 0], 20)).astype(np.float32)
    base = np.median(colour[have > 0], axis=0)
    out, total = np.zeros_like(colour), np.zeros_like(have)
    for sigma in (2.0, 6.0, 18.0):
        weight = cv2.GaussianBlur(have, (0, 0), sigma)
        near = cv2.GaussianBlur(colour * have[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
        share = np.clip(weight * 4, 0, 1) * (1 - total)
        out += near * share[..., None]
        total += share
    return np.asarray(out + base * (1 - total)[..., None], np.float32)
