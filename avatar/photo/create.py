"""A rig from one photo."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.errors import InputError
from avatar.photo.check import SLUG, PhotoCheck, check_consent, check_photo
from avatar.photo.clothes import chest_weights, find_clothes, free_of
from avatar.photo.crop import cropped
from avatar.photo.eyes import PATCH_PX, SIDES, Ball, paint_ball, place_balls
from avatar.photo.fit import Fit, fit_template
from avatar.photo.landmarks import EYE_RIM, Landmarker
from avatar.photo.lining import lined
from avatar.photo.matte import beyond_person
from avatar.photo.picture import read_photo
from avatar.photo.surround import Outline, Surround, build_surround, find_outline
from avatar.photo.teeth import with_teeth
from avatar.photo.template import Template, load_template
from avatar.photo.texture import Texture, paint_texture

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FACES = 4
"""Faces looked for, to notice company."""
MAP_STRENGTH = 0.55
"""Share of the template's change of light with expression: a photo's own light is already in the skin."""
HEAD_LIMIT_DEG = (6.0, 6.0, 7.0)
"""How far the head of a photo may turn, nod and lean; beyond, what no picture shows is missed."""
FILES = {
    "rig.json", "mesh.npz", "atlas.png", "hair.png", "cloth.png", "behind.png", "backdrop.png", "matte.png",
}  # fmt: skip
"""What a rig's folder holds; with anything else in it, it is not replaced."""


@dataclass(frozen=True, slots=True)
class RigReport:
    """What `create_rig` made."""

    path: Path
    """The rig's folder."""
    name: str
    check: PhotoCheck
    texture_size: int
    notes: tuple[str, ...]
    """What the person should know, in sentences."""


def create_rig(
    photo: Path,
    name: str,
    consent: str,
    out: Path,
    *,
    landmarker: Path,
    overwrite: bool = False,
    title: str = "",
) -> RigReport:
    """Make a rig from one photo.

    Args:
        photo: JPEG, PNG or WebP file with one face that looks at the camera.
        name: short name: small letters, digits, - and _.
        consent: statement of the person shown; it is kept in the rig.
        out: the rig's folder, made with its parents.
        landmarker: MediaPipe's `face_landmarker.task`.
        overwrite: replace a rig of this name that was made from a photo.
        title: name for people; by default made from `name`.

    Raises:
        AvatarError: the photo, the name or the consent do not do; the message says why and what to do.
    """
    statement = check_consent(consent)
    if not SLUG.fullmatch(name):
        raise InputError(f"{name!r} is no rig name: use small letters, digits, - and _, at most 40")
    if out.exists() and not overwrite:
        raise InputError(f"{out} exists: choose another name, or allow it to be overwritten")
    _check_place(out)
    read = read_photo(photo)
    template = lined(load_template())
    with Landmarker(landmarker, faces=FACES) as finder:
        faces = finder.search(read.picture)
        check = check_photo(read.picture, faces)
        tool = finder.version
    given = read.picture if read.opacity is None else np.dstack([read.picture, read.opacity])
    crop, points, magnified, notes = cropped(template, given, faces[0])
    picture = np.ascontiguousarray(crop[..., :3])
    opacity = None if read.opacity is None else crop[..., 3].astype(np.float32) / np.float32(255)
    fit = with_teeth(template, fit_template(template, points, faces[0].blendshapes))
    balls = place_balls(template, fit, points)
    world = _World(template, fit, picture.shape[0])
    mesh = world.mesh(balls)
    outline = world.outline(picture, mesh, find_clothes(template, fit, picture), opacity)
    free = free_of(template, fit, outline.clothes)
    weight = chest_weights(template, fit, free)
    surround = world.surround(picture, mesh, outline, weight, free)
    skin = picture if surround.person is None else beyond_person(picture, surround.person)
    texture = paint_texture(
        template, fit, skin,
        {s: paint_ball(picture, balls[s], points[list(EYE_RIM[s]), :2], magnified) for s in SIDES},
        {side: world.ball_uv(i) for i, side in enumerate(SIDES)},
        magnified,
    )  # fmt: skip
    manifest = world.manifest(name, title or name.replace("_", " ").replace("-", " ").title(), balls)
    manifest["consent"] = statement
    today = datetime.now(UTC).date().isoformat()
    manifest["made"] = {"tool": f"visavis photo, {tool}", "consent_date": today, "photo_sha256": read.sha256}
    manifest["head_limit_deg"] = HEAD_LIMIT_DEG
    _write(out, template, mesh, weight, texture, surround, manifest)
    return RigReport(out, name, check, picture.shape[0], (*check.notes, *notes))


def _check_place(out: Path) -> None:
    """Refuse to replace what is no rig from a photo."""
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out} is a file: give a folder for the rig")
    names = {entry.name for entry in out.iterdir()}
    other = sorted(names - FILES)
    if other:
        raise InputError(f"{out} also holds {other[0]}, which is no part of a rig: choose another place")
    if not names:
        return
    try:
        kind = json.loads((out / "rig.json").read_text(encoding="utf-8")).get("kind")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{out} holds no rig that can be read ({error}): choose another place") from error
    if kind != "photo":
        raise InputError(f"{out} holds a rig that was not made from a photo: choose another place")


class _Mesh:
    """Arrays in metres, as the rig keeps them."""

    def __init__(self, vertices: F32, deltas: F32, depth: F32) -> None:
        self.vertices, self.deltas, self.depth = vertices, deltas, depth


class _World:
    """Between the photo's space (pixels) and the rig's (metres), through the rig's camera."""

    def __init__(self, template: Template, fit: Fit, size: int) -> None:
        self._template, self._fit, self._size = template, fit, size
        self._camera = tuple(float(v) for v in template.camera)
        marked = template.landmarks(fit.neutral)
        own = template.landmarks(template.vertices)
        # the face's mean depth stays where the template's is, so that pixels a metre agree
        self._shift = float(own[:, 1].mean()) - float(marked[:, 2].mean()) / fit.similarity.scale

    def out(self, points: F32) -> F32:
        """Photo space float32[..., 3] to metres."""
        camera_y, camera_z, focal = self._camera
        y = points[..., 2] / self._fit.similarity.scale + self._shift
        unit = (y - camera_y) / focal
        x = (points[..., 0] / self._size - 0.5) * unit
        z = camera_z - (points[..., 1] / self._size - 0.5) * unit
        return np.stack([x, y, z], -1).astype(np.float32)

    def mesh(self, balls: dict[str, Ball]) -> _Mesh:
        """The neutral face with its eyeballs."""
        template, fit = self._template, self._fit
        vertices = self.out(fit.neutral)
        rest = fit.neutral[template.active]
        base = self.out(rest)
        deltas = np.stack([self.out(rest + delta) - base for delta in fit.deltas])
        for i, side in enumerate(SIDES):
            first, count = template.eye_spans[i]
            own = template.vertices[first : first + count] - template.eyes[i, :3]
            own = own / template.eyes[i, 3]
            centre, radius = self.ball(balls[side])
            vertices[first : first + count] = own * radius + centre
        return _Mesh(vertices, deltas.astype(np.float32), vertices[:, 1] - self._camera[0])

    def ball(self, ball: Ball) -> tuple[F32, float]:
        """Centre and radius in metres."""
        centre = self.out(ball.centre)
        return centre, ball.radius / self._size * (float(centre[1]) - self._camera[0]) / self._camera[2]

    def ball_uv(self, eye: int) -> F32:
        """Texels of an eyeball's vertices in its picture."""
        template = self._template
        first, count = template.eye_spans[eye]
        own = (template.vertices[first : first + count] - template.eyes[eye, :3]) / template.eyes[eye, 3]
        return np.stack([(own[:, 0] * 0.5 + 0.5) * PATCH_PX, (0.5 - own[:, 2] * 0.5) * PATCH_PX], 1).astype(
            np.float32
        )

    def on_screen(self, vertices: F32) -> F32:
        """Pixels float32[n, 2] of points in metres."""
        camera_y, camera_z, focal = self._camera
        k = focal / (vertices[:, 1] - camera_y)
        return (
            np.stack([0.5 + k * vertices[:, 0], 0.5 - k * (vertices[:, 2] - camera_z)], 1) * self._size
        ).astype(np.float32)

    def outline(self, picture: U8, mesh: _Mesh, clothes: NDArray[np.bool_], opacity: F32 | None) -> Outline:
        """Where the person is."""
        head_xy = self.on_screen(self.out(self._fit.carried(self._template.head_points)))
        xy = self.on_screen(mesh.vertices)
        return find_outline(picture, xy, mesh.depth, self._template.triangles, head_xy, clothes, opacity)

    def surround(self, picture: U8, mesh: _Mesh, outline: Outline, weight: F32, free: F32) -> Surround:
        """The layers around the face."""
        head = self.out(self._fit.carried(self._template.head_points))
        return build_surround(
            picture, outline, mesh.depth, weight, self.on_screen(head), head[:, 1] - self._camera[0],
            self._template.head_points_weight, (self._camera[0], self._camera[1], self._camera[2]), free,
        )  # fmt: skip

    def manifest(self, name: str, title: str, balls: dict[str, Ball]) -> dict[str, object]:
        """rig.json without consent and provenance."""
        template = self._template
        camera_y, camera_z, focal = self._camera
        pivot = self.out(self._fit.carried(template.head_pivot[None]))[0]
        eyes = {}
        for i, side in enumerate(SIDES):
            centre, radius = self.ball(balls[side])
            eyes[side] = {
                "centre": [round(float(v), 7) for v in centre], "radius": round(radius, 7),
                "first": int(template.eye_spans[i, 0]), "count": int(template.eye_spans[i, 1]),
            }  # fmt: skip
        return {
            "format": 2, "kind": "photo", "name": name, "title": title,
            "licence": "All rights with the person shown",
            "consent": "",
            "credits": ["Face shapes from the MakeHuman base mesh (CC0), fitted to a photo"],
            "camera": {"y": camera_y, "z": camera_z, "focal": focal},
            "head_pivot": [round(float(v), 7) for v in pivot],
            "eyes": eyes, "texture_size": self._size,
            "map_names": [str(n) for n in template.map_names],
        }  # fmt: skip


def _write(
    folder: Path,
    template: Template,
    mesh: _Mesh,
    weight: F32,
    texture: Texture,
    surround: Surround,
    manifest: dict[str, object],
) -> None:
    """Write the rig beside its place, then move it there: no half rig is ever seen."""
    import cv2

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
            part = Path(temporary) / "rig"
            part.mkdir()
            np.savez_compressed(
                part / "mesh.npz",
                vertices=mesh.vertices, deltas=mesh.deltas.astype(np.float16), active=template.active,
                head_weight=weight, light=template.light, triangles=template.triangles,
                uv=texture.uv, mapped=texture.mapped, map_xy=template.map_xy,
                maps=(template.maps * MAP_STRENGTH).astype(np.float16),
                mouth_triangles=template.mouth_triangles, eye_triangles=template.eye_triangles,
                lip_upper=template.lip_upper, lip_upper_column=template.lip_upper_column,
                lip_lower=template.lip_lower, lip_lower_column=template.lip_lower_column,
                lash_root=template.lash_root, lash_points=template.lash_points,
                lash_side=template.lash_side, hair_grid=surround.grid, hair_weight=surround.weight,
            )  # fmt: skip
            for file, picture in (
                ("atlas", texture.atlas[:, :, ::-1]),
                ("hair", surround.hair[:, :, [2, 1, 0, 3]]),
                ("backdrop", surround.backdrop[:, :, ::-1]),
            ):
                if not cv2.imwrite(str(part / f"{file}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 7]):
                    raise OSError(f"{file}.png")
            if surround.matte is not None:
                cv2.imwrite(str(part / "matte.png"), surround.matte)
            (part / "rig.json").write_text(
                json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )
            _replace(folder, part, Path(temporary) / "old")
    except OSError as error:
        raise InputError(f"the rig cannot be written to {folder} ({error}): choose another place") from error


def _replace(folder: Path, new: Path, old: Path) -> None:
    """Put a folder in its place; the one before it is moved to `old`, and back where that fails."""
    _check_place(folder)
    before = folder.exists()
    if before:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if before:
            old.rename(folder)
        raise
