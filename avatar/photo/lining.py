"""Dark linings behind mouth and eyes: where a person's lips and lids gape beside teeth and eyeballs, no hole.

The template's parts fit each other; those of a person seen from an angle leave gaps at the corners of the
mouth and of the eyes, through which the background would show.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar.photo.landmarks import INNER_LOWER, INNER_UPPER
from avatar.photo.template import INSIDE, LINING, SKIN, Template

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

SPOKES = 16
"""Triangles of each lining, a fan around its middle."""
MOUTH_BEHIND_M = 0.038
"""The mouth's lies this much behind the corners of the lips: behind the teeth that show."""
MOUTH_WIDE = 1.25
"""Its half width by that of the mouth."""
MOUTH_TALL_M = (0.010, 0.030)
"""How far it goes above and below the corners: the lower lip opens downward."""
EYE_WIDE = 1.3
"""Radius of an eye's by the eyeball's …"""
EYE_BEHIND = 0.25
"""… and how far behind the eyeball's middle it lies, in its radii."""
MOUTH_COLOUR = (45.0, 22.0, 20.0)
EYE_COLOUR = (110.0, 70.0, 62.0)
"""RGB; the nearest colour of the mouth's inside is taken, so that they share its picture and its light."""


def lined(template: Template) -> Template:
    """The template with a fan of triangles behind the mouth and one behind each eye."""
    colours = _colours(template)
    lips = template.landmarks(template.vertices)[[*INNER_UPPER, *INNER_LOWER]]
    corners = lips[[0, len(INNER_UPPER) - 1]]
    middle = corners.mean(0) + [0, MOUTH_BEHIND_M, 0]
    half = MOUTH_WIDE * float(np.ptp(corners[:, 0])) / 2
    turn = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
    across, up = np.cos(turn), np.sin(turn)
    mouth = middle + np.stack(
        [half * across, 0 * up, np.where(up > 0, MOUTH_TALL_M[0], MOUTH_TALL_M[1]) * up], 1
    )
    fans = [(mouth, INSIDE, MOUTH_COLOUR)]
    for x, y, z, radius in template.eyes.astype(np.float64):
        rim = EYE_WIDE * radius * np.stack([across, 0 * up, up], 1)
        fans.append((rim + [x, y + EYE_BEHIND * radius, z], LINING, EYE_COLOUR))
    for rim, kind, colour in fans:
        texel = colours[int(np.linalg.norm(colours[:, 2:] - colour, axis=1).argmin()), :2]
        template = _with_fan(template, rim.astype(np.float32), kind, texel)
    return template


def _colours(template: Template) -> F32:
    """Texel and RGB float32[n, 5] of the middles of the triangles inside the mouth."""
    texel = template.inside_uv[template.kind == INSIDE].mean(1)
    tall, wide = template.inside.shape[:2]
    row, column = (np.clip(texel[:, i].astype(int), 0, n - 1) for i, n in ((1, tall), (0, wide)))
    return np.concatenate([texel, template.inside[row, column]], 1).astype(np.float32)


def _with_fan(template: Template, rim: F32, kind: int, texel: F32) -> Template:
    first, count = len(template.vertices), len(rim)
    turn = np.arange(count, dtype=np.int32)
    fan = np.stack([np.full(count, first), first + 1 + turn, first + 1 + (turn + 1) % count], 1)
    points = np.concatenate([rim.mean(0)[None], rim])
    # drawn from ahead only: as the triangles of the skin, with y away from the viewer
    own = template.vertices[template.triangles[template.kind == SKIN]]
    front = np.sign(np.median(np.cross(own[:, 1] - own[:, 0], own[:, 2] - own[:, 0])[:, 1]))
    a, b, c = points[fan[0] - first]
    if np.sign(np.cross(b - a, c - a)[1]) != front:
        fan = fan[:, [0, 2, 1]]
    more = count + 1
    index = np.arange(len(template.triangles), len(template.triangles) + count, dtype=np.int32)
    detail = "mouth_triangles" if kind == INSIDE else "eye_triangles"
    return replace(
        template,
        vertices=np.concatenate([template.vertices, points]),
        head_weight=np.concatenate([template.head_weight, np.ones(more, np.float32)]),
        light=np.concatenate(
            [template.light, np.ones((more, *template.light.shape[1:]), template.light.dtype)]
        ),
        mouth_xy=np.concatenate([template.mouth_xy, np.zeros((more, 2), np.float32)]),
        blink_xy=np.concatenate([template.blink_xy, np.zeros((more, 2), np.float32)]),
        map_xy=np.concatenate([template.map_xy, np.zeros((more, 2), template.map_xy.dtype)]),
        triangles=np.concatenate([template.triangles, fan.astype(np.int32)]),
        kind=np.concatenate([template.kind, np.full(count, kind, template.kind.dtype)]),
        inside_uv=np.concatenate([template.inside_uv, np.broadcast_to(texel, (count, 3, 2))]).astype(
            np.float32
        ),
        **{detail: np.concatenate([getattr(template, detail), index])},
    )
