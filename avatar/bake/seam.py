"""Pictures that meet on the skin, brought to one light: shine and shadow differ, seams would show."""

from __future__ import annotations

import numpy as np

from avatar.bake.choice import from_side
from avatar.bake.mesh import BODY, F32, I32, Mesh
from avatar.bake.picture import U8, blur
from avatar.seen import Seen

LIGHT_MOST, TINT_MOST = 1.6, 1.3
"""Skin differs by no more than this between the views, in light and from colour to colour."""


def matched(mesh: Mesh, view: U8, yaw_deg: float, rest: U8, size: int) -> U8:
    """A view from the side in the light of the front: shine differs from place to place, seams would show."""
    xy, depth = from_side(mesh, yaw_deg, size)
    body = np.ascontiguousarray(mesh.triangles[mesh.part == BODY])
    front_xy, front_depth = mesh.on_screen(mesh.vertices, size)
    first, end = mesh.ranges[BODY]
    known = np.zeros(len(mesh.vertices), np.float32)
    ratio = np.ones((len(mesh.vertices), 3), np.float32)
    pictures = [blur(picture.astype(np.float32) + 3, size / 200) for picture in (rest, view)]
    colours, shown = [], []
    for picture, places, deep in zip(pictures, (front_xy, xy), (front_depth, depth), strict=True):
        zbuffer = Seen(places, deep, body, size, size).zbuffer
        at = np.clip(places.astype(int), 0, size - 1)
        colours.append(picture[at[:, 1], at[:, 0]])
        shown.append(deep < zbuffer[at[:, 1], at[:, 0]] + 0.002)
    both = shown[0] & shown[1]
    both[end:] = False
    found = colours[0] / colours[1]
    # hair is on one picture only: what is near it says nothing about light
    odd = both & ((found.max(1) > LIGHT_MOST) | (found.min(1) < 1 / LIGHT_MOST))
    odd |= both & (found.max(1) > found.min(1) * TINT_MOST)
    for _ in range(2):
        odd[mesh.triangles[odd[mesh.triangles].any(axis=1)]] = True
    both &= ~odd
    known[both] = 1
    ratio[both] = np.clip(found, 0.5, 2.0)[both]
    values = np.concatenate([ratio * known[:, None], known[:, None]], 1).astype(np.float32)
    painted = Seen(xy, depth, body, size, size).painted(values)
    # where only this view sees, the ratio of the nearest seam goes on and fades
    gain = _spread(painted, size)
    return np.asarray(np.clip(view * gain, 0, 255), np.uint8)


def seam_gain(
    mesh: Mesh, source: I32, label: int, front: tuple[F32, U8], other: tuple[F32, F32], size: int
) -> F32:
    """Factors float32[H, W, 3] that bring another picture to the light of the front along their seam.

    Lids that are folded at rest lie in another light than closed ones; appearance maps bring that back.
    """
    own, rest = (np.zeros(len(mesh.vertices), bool) for _ in range(2))
    own[mesh.triangles[source == label]] = True
    rest[mesh.triangles[(source == 0) & (mesh.part == BODY)]] = True
    seam = np.flatnonzero(own & rest)
    colours = []
    for places, picture in (front, other):
        at = np.clip(places[seam].astype(int), 0, size - 1)
        colours.append(blur(np.asarray(picture, np.float32) + 3, size / 400)[at[:, 1], at[:, 0]])
    ratio = np.clip(colours[0] / colours[1], 0.5, 2.0)
    at = np.clip(other[0][seam].astype(int), 0, size - 1)
    known = np.zeros((size, size, 4), np.float32)
    np.add.at(known, (at[:, 1], at[:, 0]), np.concatenate([ratio, np.ones((len(seam), 1))], 1))
    return _spread(known, size)


def _spread(known: F32, size: int) -> F32:
    """Weighted values float32[H, W, 3 and weight] carried on from where they are known, fading to 1."""
    weight, total = np.full((size, size), 1e-5, np.float32), np.full((size, size, 3), 1e-5, np.float32)
    for sigma, share in ((size / 150, 1.0), (size / 40, 0.05), (size / 12, 0.003)):
        weight += blur(known[..., 3], sigma) * share
        total += blur(known[..., :3], sigma) * share
    return np.asarray(total / weight[..., None], np.float32)
