"""The template: the mesh of a built-in rig with MediaPipe's landmarks marked on it; photos are fitted to it.

Rerun after the built-in rig changes: `python -m avatar.photo.template RIG --landmarker face_landmarker.task`.
Nothing here depends on the rig's order of vertices: parts are told apart by what moves them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.geometry import BLENDSHAPE_INDEX, project
from avatar.photo.landmarks import (
    INNER_LOWER,
    INNER_UPPER,
    MESH_LANDMARKS,
    OUTER_LOWER,
    OUTER_UPPER,
    OVAL,
    Landmarker,
)
from avatar.pose import Pose
from avatar.rig import Eye, Rig, load_rig
from avatar.seen import Seen

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

FILE = Path(__file__).parent / "template.npz"
SKIN, INSIDE, LEFT_EYE, RIGHT_EYE, LINING = range(5)
"""Kinds of triangles: what the photo covers, teeth with tongue and cavity, the eyeballs, what lies behind."""
CRUMB = 9
FINDING_PX = 1024
"""Side of the pictures in which the landmarks are found."""
KEY_PX = 1000
"""Side of the picture that the key pictures are cut out of: 2.4 pixels a millimetre."""
OPEN_POSE = {"jawOpen": 0.35}
"""Parts the lips, so that the rims of both can be told apart."""
MOUTH_POSE = {
    "jawOpen": 0.5, "mouthUpperUpLeft": 0.5, "mouthUpperUpRight": 0.5, "mouthLowerDownLeft": 0.6,
    "mouthLowerDownRight": 0.6, "mouthFunnel": 0.2,
}  # fmt: skip
"""Shows the insides of the lips, which a photo of a closed mouth does not."""
BLINK_POSE = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
"""Shows the upper lids."""
MOVES_M = 0.0003
"""Skin that some shape moves farther than this belongs to the mesh; the rest of the head is a layer."""
RIM_RINGS = 1
"""Rings of triangles kept around what moves."""
MOUTH_DEEP_M = 0.008
"""What lies this much behind the foremost lip, in a column of the picture, is the open mouth."""
FRONT_M = 0.012
"""A landmark on a lip or lid lies on skin this much behind the foremost at most, not in mouth or socket."""
ANCHOR_M = 0.055
"""Points of the head farther than this from every landmark stay where the similarity puts them."""
MAP_SIZE = 96
"""Pixels of an appearance map's side here; those of the rigs are finer than a photo's light warrants."""
LASHES = 2
LASH_SHARE = 0.0
"""Upper lashes kept (both eyes) and their length: a photo shows its own, these give blinking lids an edge."""
BESIDE_MM = 1.0
THROAT_MM = 12.0
"""The mesh goes this far beyond the face's oval at the sides, and on below from this far above the chin."""
STEEP = 0.42
STEEP_MOVES_M = 0.0015
"""Skin beside the face turned away farther than this cosine goes with the layer unless it moves this much."""


@dataclass(frozen=True, slots=True)
class Template:
    """Arrays of template.npz; lengths in metres in the axes of `avatar.geometry`."""

    vertices: F32
    deltas: F32
    """float32[52, A, 3] for the vertices in `active`."""
    active: I32
    head_weight: F32
    light: F32
    triangles: I32
    kind: I32
    """int32[T]: SKIN, INSIDE, LEFT_EYE, RIGHT_EYE or, where `lining` adds it, LINING."""
    inside_uv: F32
    """float32[T, 3, 2]: texels in `inside` where kind is INSIDE."""
    inside: U8
    mouth_xy: F32
    """float32[V, 2]: pixels in `mouth`, the skin of `MOUTH_POSE` without a photo."""
    mouth: U8
    blink_xy: F32
    blink: U8
    map_xy: F32
    maps: F32
    map_names: NDArray[np.str_]
    mouth_triangles: I32
    eye_triangles: I32
    lip_upper: I32
    lip_upper_column: I32
    lip_lower: I32
    lip_lower_column: I32
    lash_root: I32
    lash_points: F32
    lash_side: U8
    eyes: F32
    """float32[2, 4]: centre and radius of the left and the right eyeball."""
    eye_spans: I32
    """int32[2, 2]: first vertex and number of vertices of each."""
    camera: F32
    head_pivot: F32
    landmark_vertices: I32
    """int32[468, 3]: the triangle that each landmark lies on …"""
    landmark_places: F32
    """… and float32[468, 3] where in it."""
    head_points: F32
    """float32[n, 3]: the whole head and shoulders, thinned out."""
    head_points_weight: F32
    """float32[n]: 1 turns with the head."""

    def landmarks(self, vertices: F32) -> F32:
        """The landmarks float32[468, 3] of a posed mesh float32[V, 3]."""
        return np.asarray(np.einsum("nk,nkc->nc", self.landmark_places, vertices[self.landmark_vertices]))

    def posed(self, weights: F32) -> F32:
        """Vertices float32[V, 3] with ARKit weights float32[52]; the eyeballs rest."""
        out = self.vertices.copy()
        out[self.active] += np.tensordot(weights, self.deltas, 1)
        return out


@lru_cache(maxsize=1)
def load_template(path: Path = FILE) -> Template:
    """Read the template.

    Raises:
        AvatarError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            return Template(
                **{
                    f.name: data[f.name].astype(np.float32)
                    if data[f.name].dtype == np.float16
                    else data[f.name]
                    for f in fields(Template)
                }
            )
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise AvatarError(f"{path} cannot be read ({error}): install the package again") from error


def weight_vector(weights: dict[str, float]) -> F32:
    """ARKit names and weights as float32[52]."""
    out = np.zeros(len(BLENDSHAPE_INDEX), np.float32)
    for name, weight in weights.items():
        out[BLENDSHAPE_INDEX[name]] = weight
    return out


def make_template(rig: Rig, landmarker: Path, out: Path = FILE) -> None:
    """Measure a built-in rig and write the template."""
    triangles, vertices = rig.triangles, rig.vertices
    full = np.zeros((len(rig.deltas), len(vertices), 3), np.float32)
    full[:, rig.active] = rig.deltas
    eyes = [rig.manifest.eyes[side] for side in ("left", "right")]
    kind = _kinds(vertices, triangles, eyes)
    places = _mark(rig, full, kind, landmarker)
    keep = _kept(vertices, triangles, full, kind, places)
    used = np.zeros(len(vertices), bool)
    used[triangles[keep]] = True
    for eye in eyes:
        used[eye.first : eye.first + eye.count] = True
    used[rig.lips[0]] = used[rig.lips[2]] = True
    used[places[0]] = True
    new = np.cumsum(used, dtype=np.int32) - 1
    new_triangle = np.cumsum(keep, dtype=np.int32) - 1
    inside_uv, inside = _inside(rig, kind)
    camera = (rig.manifest.camera.y, rig.manifest.camera.z, rig.manifest.camera.focal)
    mouth_xy, mouth = _key(rig, full, kind, MOUTH_POSE, ("mouth",))
    blink_xy, blink = _key(rig, full, kind, BLINK_POSE, ("eyes",))
    active = np.flatnonzero(used & (np.abs(full).max((0, 2)) > 1e-6))
    lash = np.flatnonzero(used[rig.lash_root])
    lash = lash[np.linspace(0, len(lash) - 1, min(LASHES, len(lash))).round().astype(int)]
    scale = (MAP_SIZE - 1) / (rig.map_size - 1)
    maps = rig.maps.reshape(-1, rig.map_size, rig.map_size, 3)
    skin = np.unique(triangles[kind == SKIN])
    sample = skin[:: max(len(skin) // 1500, 1)]
    np.savez_compressed(
        out,
        vertices=vertices[used], deltas=full[:, active].astype(np.float16), active=new[active],
        head_weight=rig.head_weight[used], light=rig.light[used], triangles=new[triangles[keep]],
        kind=kind[keep], inside_uv=inside_uv[keep], inside=inside, mouth_xy=mouth_xy[used], mouth=mouth,
        blink_xy=blink_xy[used], blink=blink, map_xy=(rig.map_xy * scale)[used],
        maps=np.stack([_resized(m) for m in maps]).astype(np.float16),
        map_names=np.array(rig.manifest.map_names),
        mouth_triangles=new_triangle[rig.detail[0][keep[rig.detail[0]]]],
        eye_triangles=new_triangle[rig.detail[1][keep[rig.detail[1]]]],
        lip_upper=new[rig.lips[0]], lip_upper_column=rig.lips[1], lip_lower=new[rig.lips[2]],
        lip_lower_column=rig.lips[3], lash_root=new[rig.lash_root[lash]],
        lash_points=(rig.lash_points[lash] * LASH_SHARE).astype(np.float16), lash_side=rig.lash_side[lash],
        eyes=np.array([(*eye.centre, eye.radius) for eye in eyes], np.float32),
        eye_spans=np.array([(new[eye.first], eye.count) for eye in eyes], np.int32),
        camera=np.array(camera, np.float32), head_pivot=np.array(rig.manifest.head_pivot, np.float32),
        landmark_vertices=new[places[0]], landmark_places=places[1],
        head_points=vertices[sample], head_points_weight=rig.head_weight[sample],
    )  # fmt: skip


def _kinds(vertices: F32, triangles: I32, eyes: list[Eye]) -> I32:
    """Kind of each triangle: the largest connected part that is no eyeball is the skin."""
    part = np.arange(len(vertices))
    while True:
        lowest = part.copy()
        np.minimum.at(lowest, triangles.ravel(), np.repeat(part[triangles].min(1), 3))
        lowest = lowest[lowest]
        if (lowest == part).all():
            break
        part = lowest
    kind = np.full(len(triangles), INSIDE, np.int32)
    first = part[triangles[:, 0]]
    spans = [(eye.first, eye.first + eye.count) for eye in eyes]
    is_eye = [(triangles[:, 0] >= a) & (triangles[:, 0] < b) for a, b in spans]
    ids, counts = np.unique(first[~(is_eye[0] | is_eye[1])], return_counts=True)
    kind[first == ids[counts.argmax()]] = SKIN
    kind[is_eye[0]], kind[is_eye[1]] = LEFT_EYE, RIGHT_EYE
    # crumbs of the eye sockets are never seen in front of an eyeball
    eye_z = np.mean([eye.centre[2] for eye in eyes])
    high = vertices[triangles][..., 2].mean(1) > eye_z - 0.025
    kind[(kind == INSIDE) & high] = CRUMB
    return kind


def _mark(rig: Rig, full: F32, kind: I32, landmarker: Path) -> tuple[I32, F32]:
    """Triangle int32[468, 3] (its vertices) and place float32[468, 3] of every landmark on the skin."""
    from avatar.renderer import load_renderer

    renderer = load_renderer(rig, size=FINDING_PX)
    skin = rig.triangles[kind == SKIN]
    rims = {*INNER_UPPER, *INNER_LOWER, *OUTER_UPPER, *OUTER_LOWER}
    corners = np.zeros((MESH_LANDMARKS, 3), np.int32)
    places = np.zeros((MESH_LANDMARKS, 3), np.float32)
    with Landmarker(landmarker) as finder:
        for pose in ({}, OPEN_POSE):
            faces = finder.find(renderer.draw(Pose(pose)))
            if not faces:
                raise AvatarError(f"no face is found in the rig {rig.name}: take another rig")
            posed = rig.vertices + np.tensordot(weight_vector(pose), full, 1)
            manifest = rig.manifest.camera
            xy, depth = project(posed, (manifest.y, manifest.z, manifest.focal), FINDING_PX)
            wanted = [i for i in range(MESH_LANDMARKS) if (i in rims) == bool(pose)]
            points = faces[0].points[:, :2].copy()
            if pose:
                _snap(points, xy, depth, skin)
            corners[wanted], places[wanted] = _cast(points[wanted], xy, depth, skin)
    return corners, places


def _snap(points: F32, xy: F32, depth: F32, skin: I32) -> None:
    """Move the landmarks of the lips' inner rims onto the rims themselves, in place."""
    seen = Seen(xy, depth, skin, FINDING_PX, FINDING_PX)
    reach = int(0.013 * FINDING_PX)
    for rim, sign in ((INNER_UPPER, -1), (INNER_LOWER, 1)):
        for i in rim[1:-1]:
            column, row = (int(v) for v in points[i])
            span = np.arange(row - reach, row + reach)
            front = seen.zbuffer[span, column]
            deep = span[front > front.min() + MOUTH_DEEP_M]
            if len(deep):
                points[i, 1] = (deep.min() if sign < 0 else deep.max()) + sign + 0.5


def _cast(points: F32, xy: F32, depth: F32, skin: I32) -> tuple[I32, F32]:
    """The skin under each pixel; beside the skin, the nearest piece of it that faces the viewer in front."""
    seen = Seen(xy, depth, skin, FINDING_PX, FINDING_PX)
    middle = xy[skin].mean(1)
    front = depth[skin].mean(1)
    cell = np.clip(middle.astype(int), 0, FINDING_PX - 1)
    shown = front < seen.zbuffer[cell[:, 1], cell[:, 0]] + 0.002
    corners, places = np.zeros((len(points), 3), np.int32), np.zeros((len(points), 3), np.float32)
    for i, (x, y) in enumerate(points):
        column, row = (int(np.clip(v, 0, FINDING_PX - 1)) for v in (x, y))
        hit = int(seen.ids[row, column])
        near = np.flatnonzero(shown & (np.hypot(*(middle - (x, y)).T) < 24))
        if len(near) == 0:
            near = np.flatnonzero(shown)
        foremost = float(np.percentile(front[near], 10))
        if hit >= 0 and front[hit] < foremost + FRONT_M:
            corners[i], places[i] = skin[hit], seen.places[row, column]
        else:
            near = near[front[near] < foremost + FRONT_M]
            best = near[np.hypot(*(middle[near] - (x, y)).T).argmin()]
            corners[i], places[i] = skin[best], np.full(3, 1 / 3, np.float32)
    return corners, places


def _kept(vertices: F32, triangles: I32, full: F32, kind: I32, places: tuple[I32, F32]) -> NDArray[np.bool_]:
    """Triangles of the mesh: what moves, what lies within the face's oval, and a few rings around."""
    import cv2

    marked = np.einsum("nk,nkc->nc", places[1], vertices[places[0]])
    far = np.sqrt((full**2).sum(-1)).max(0)
    moves = far > MOVES_M
    moves &= (_facing(vertices, triangles) > STEEP) | (far > STEEP_MOVES_M)
    oval = (marked[list(OVAL)][:, [0, 2]] * 1000).astype(np.float32)
    chin = float(oval[:, 1].min())
    middle = np.median(vertices[moves, 1])
    for v in np.flatnonzero((vertices[:, 1] < middle) | moves):
        x, z = (float(c) * 1000 for c in vertices[v, [0, 2]])
        inside = cv2.pointPolygonTest(oval, (x, z), True)
        if vertices[v, 1] < middle:
            moves[v] |= inside > 0
        # beside the cheeks ears and hair begin: the layer shows them; under the chin the mesh goes on
        moves[v] &= inside > -BESIDE_MM or z < chin + THROAT_MM
    for _ in range(RIM_RINGS):
        ring = moves[triangles].any(1) & (kind == SKIN)
        moves[triangles[ring]] = True
    return np.asarray((moves[triangles].all(1) | (kind != SKIN)) & (kind != CRUMB))


def _facing(vertices: F32, triangles: I32) -> F32:
    """Cosine float32[V] between each vertex' normal and the direction to the viewer."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(total, triangles[:, i], normal)
    return np.asarray(-total[:, 1] / np.maximum(np.linalg.norm(total, axis=1), 1e-12), np.float32)


def _inside(rig: Rig, kind: I32) -> tuple[F32, U8]:
    """The piece of the atlas that shows teeth, tongue and cavity, and the texels in it."""
    uv = rig.uv.copy()
    own = kind == INSIDE
    low = np.floor(uv[own].reshape(-1, 2).min(0)).astype(int) - 2
    high = np.ceil(uv[own].reshape(-1, 2).max(0)).astype(int) + 3
    low = np.maximum(low, 0)
    uv -= low.astype(np.float32)
    return uv, rig.atlas[low[1] : high[1], low[0] : high[0]].copy()


def _key(rig: Rig, full: F32, kind: I32, pose: dict[str, float], part: tuple[str, ...]) -> tuple[F32, U8]:
    """Pixels of every vertex in a picture of the bare skin around mouth or eyes, and that picture."""
    import cv2

    camera = rig.manifest.camera
    posed = rig.vertices + np.tensordot(weight_vector(pose), full, 1)
    xy, depth = project(posed, (camera.y, camera.z, camera.focal), KEY_PX)
    own = kind == SKIN
    seen = Seen(xy, depth, rig.triangles[own], KEY_PX, KEY_PX)
    texel = seen.painted_corners(rig.uv[own]) - 0.5
    picture = cv2.remap(rig.atlas, texel[..., 0], texel[..., 1], cv2.INTER_LINEAR)
    detail = rig.detail[0 if "mouth" in part else 1]
    rim = xy[np.unique(rig.triangles[detail[kind[detail] == SKIN]])]
    low = np.floor(np.percentile(rim, 0.5, axis=0)).astype(int) - 4
    high = np.ceil(np.percentile(rim, 99.5, axis=0)).astype(int) + 5
    hole = (~seen.covered).astype(np.uint8)[low[1] : high[1], low[0] : high[0]]
    cut = picture[low[1] : high[1], low[0] : high[0]]
    return (xy - low).astype(np.float32), np.asarray(cv2.inpaint(cut, hole, 3, cv2.INPAINT_TELEA), np.uint8)


def _resized(appearance: F32) -> F32:
    import cv2

    return np.asarray(cv2.resize(appearance, (MAP_SIZE, MAP_SIZE), interpolation=cv2.INTER_AREA), np.float32)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure a built-in rig as the template for photos.")
    parser.add_argument("rig", help="name of a built-in rig, or a rig folder")
    parser.add_argument("--landmarker", type=Path, required=True, help="face_landmarker.task")
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    make_template(load_rig(arguments.rig), arguments.landmarker, arguments.out)


if __name__ == "__main__":
    main()
