"""A rig: the folder that holds one face, and how it is read.

Format 1. `rig.json` (see `Manifest`), `mesh.npz` (arrays below), `atlas.png` (RGB), `hair.png` and
`cloth.png` (straight RGBA; cloth fills the bottom rows of the picture), `behind.png` (grey: opacity of the
hair behind the neck).
Everything that can be computed ahead is computed by `avatar.bake.compile_rig`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar.errors import RigError
from avatar.pose import ARKIT_BLENDSHAPES

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

FORMAT = 1
"""Version of the format that this code reads."""
BUILTIN = Path(__file__).parent / "rigs"
"""Folder of the rigs that ship with the package."""
DEFAULT_RIG = "mira"


class Eye(BaseModel):
    """An eyeball: centre and radius in metres, and where its vertices lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    centre: tuple[float, float, float]
    radius: float = Field(gt=0)
    first: int = Field(ge=0)
    count: int = Field(gt=0)


class Camera(BaseModel):
    """Where the camera stands (metres) and its focal length in picture heights."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    y: float
    z: float
    focal: float = Field(gt=0)


class Manifest(BaseModel):
    """The content of rig.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1]
    name: str
    title: str
    licence: str
    consent: str
    credits: tuple[str, ...]
    camera: Camera
    head_pivot: tuple[float, float, float]
    eyes: dict[Literal["left", "right"], Eye]
    texture_size: int = Field(gt=0)
    """Side in pixels of the picture that the layers were painted for."""
    map_names: tuple[str, ...]
    """Names of the appearance maps, in order."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A face in memory; arrays are shared between renderers and never written to."""

    folder: Path
    manifest: Manifest
    vertices: F32
    """float32[V, 3], metres, at rest."""
    deltas: F32
    """float32[52, A, 3]: what each ARKit shape adds to the vertices in `active`."""
    active: I32
    head_weight: F32
    """float32[V]: 1 turns with the head, 0 stays with the chest."""
    light: F32
    """float32[V]: factor on the texture."""
    triangles: I32
    uv: F32
    """float32[T, 3, 2]: texel of each corner in `atlas`."""
    mapped: U8
    """uint8[T]: 1 where appearance maps apply."""
    map_xy: F32
    """float32[V, 2]: place of each vertex in the appearance maps, in map pixels."""
    maps: F32
    """float32[M, N·N·3]: relative change of colour at weight 1."""
    map_size: int
    detail: tuple[I32, I32]
    """Triangles around the mouth and around the eyes, which are drawn finer."""
    lips: tuple[I32, I32, I32, I32]
    """Upper lip vertices, their columns, lower lip vertices, their columns: see `lipcheck`."""
    lash_root: I32
    lash_points: F32
    """float32[n, 6, 3]: points of each upper lash relative to its root vertex."""
    lash_side: U8
    """uint8[n]: 0 left, 1 right."""
    hair_grid: F32
    hair_weight: F32
    atlas: U8
    hair: U8
    cloth: U8
    behind: U8

    @property
    def name(self) -> str:
        """Short name, as `load_rig` takes it."""
        return self.manifest.name


def rig_names() -> list[str]:
    """Names of the built-in rigs."""
    return sorted(path.parent.name for path in BUILTIN.glob("*/rig.json"))


def load_rig(name_or_path: str | Path = DEFAULT_RIG) -> Rig:
    """Read a rig.

    Args:
        name_or_path: name of a built-in rig, or a rig folder.

    Raises:
        RigError: the rig is missing, incomplete, or made for another version of the format.
    """
    folder = Path(name_or_path)
    if not folder.is_dir():
        folder = BUILTIN / str(name_or_path)
    if not (folder / "rig.json").is_file():
        known = ", ".join(rig_names()) or "none"
        raise RigError(f"no rig {str(name_or_path)!r}: give a folder with a rig.json, or one of: {known}")
    return _read(folder.resolve(), (folder / "rig.json").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(folder: Path, _modified_ns: int) -> Rig:
    manifest = _manifest(folder / "rig.json")
    try:
        with (folder / "mesh.npz").open("rb") as file, np.load(file, allow_pickle=False) as data:
            arrays = {key: data[key] for key in data.files}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise RigError(f"{folder / 'mesh.npz'} cannot be read ({error}): compile the rig again") from error
    except Exception as error:  # zipfile.BadZipFile, zlib.error: a damaged archive
        raise RigError(f"{folder / 'mesh.npz'} is damaged ({error}): compile the rig again") from error
    try:
        rig = _assemble(folder, manifest, arrays)
    except KeyError as error:
        raise RigError(f"{folder / 'mesh.npz'} lacks {error}: compile the rig again") from error
    _check(rig)
    return rig


def _manifest(path: Path) -> Manifest:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RigError(
            f"{path} is not readable JSON ({error}): restore it or compile the rig again"
        ) from error
    version = raw.get("format") if isinstance(raw, dict) else None
    if version != FORMAT:
        raise RigError(f"{path} is of format {version}, this version reads {FORMAT}: compile the rig again")
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RigError(f"{path}: {where}: {first['msg']}; correct it or compile the rig again") from error


def _picture(path: Path, channels: int) -> U8:
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    found = 0 if picture is None else 1 if picture.ndim == 2 else picture.shape[2]
    if picture is None or found != channels or picture.dtype != np.uint8:
        raise RigError(
            f"{path} is missing or not an 8-bit picture with {channels} channels: compile the rig again"
        )
    if channels >= 3:
        picture = picture[:, :, [2, 1, 0, 3][:channels]]
    return np.ascontiguousarray(picture)


def _assemble(folder: Path, manifest: Manifest, data: dict[str, NDArray[np.generic]]) -> Rig:
    def floats(key: str) -> F32:
        return np.ascontiguousarray(data[key], np.float32)

    def ints(key: str) -> I32:
        return np.ascontiguousarray(data[key], np.int32)

    maps = floats("maps")
    return Rig(
        folder=folder, manifest=manifest, vertices=floats("vertices"), deltas=floats("deltas"),
        active=ints("active"), head_weight=floats("head_weight"), light=floats("light"),
        triangles=ints("triangles"), uv=floats("uv"), mapped=np.ascontiguousarray(data["mapped"], np.uint8),
        map_xy=floats("map_xy"), maps=maps.reshape(len(maps), -1),
        map_size=maps.shape[1] if maps.ndim > 1 else 0,
        detail=(ints("mouth_triangles"), ints("eye_triangles")),
        lips=(ints("lip_upper"), ints("lip_upper_column"), ints("lip_lower"), ints("lip_lower_column")),
        lash_root=ints("lash_root"), lash_points=floats("lash_points"),
        lash_side=np.ascontiguousarray(data["lash_side"], np.uint8),
        hair_grid=floats("hair_grid"), hair_weight=floats("hair_weight"),
        atlas=_picture(folder / "atlas.png", 3), hair=_picture(folder / "hair.png", 4),
        cloth=_picture(folder / "cloth.png", 4), behind=_picture(folder / "behind.png", 1),
    )  # fmt: skip


def _check(rig: Rig) -> None:
    """Indices that leave their arrays would crash compiled code: refuse them here."""
    count, triangles = len(rig.vertices), len(rig.triangles)
    side = rig.manifest.texture_size
    rules = {
        "vertices": rig.vertices.shape == (count, 3) and bool(np.isfinite(rig.vertices).all()),
        "deltas": rig.deltas.shape == (len(ARKIT_BLENDSHAPES), len(rig.active), 3),
        "active": _inside(rig.active, count),
        "head_weight": rig.head_weight.shape == (count,),
        "light": rig.light.shape == (count,),
        "triangles": rig.triangles.shape == (triangles, 3) and _inside(rig.triangles, count),
        "uv": rig.uv.shape == (triangles, 3, 2) and bool(np.isfinite(rig.uv).all()),
        "mapped": rig.mapped.shape == (triangles,),
        "map_xy": rig.map_xy.shape == (count, 2),
        "maps": rig.maps.shape == (len(rig.manifest.map_names), rig.map_size**2 * 3),
        "mouth_triangles, eye_triangles": all(_inside(part, triangles) for part in rig.detail),
        "lip_upper, lip_lower": all(_inside(rig.lips[i], count) for i in (0, 2)),
        "lash_root": _inside(rig.lash_root, count) and len(rig.lash_side) == len(rig.lash_root),
        "lash_points": rig.lash_points.shape[:1] + rig.lash_points.shape[2:] == (len(rig.lash_root), 3),
        "hair_grid": rig.hair_grid.shape == (*rig.hair_weight.shape, 3),
        "eyes in rig.json": all(eye.first + eye.count <= count for eye in rig.manifest.eyes.values())
        and len(rig.manifest.eyes) == 2,
        "hair.png": rig.hair.shape[:2] == (side, side),
        "cloth.png": rig.cloth.shape[1] == side and rig.cloth.shape[0] <= side,
        "behind.png": rig.behind.shape == (side, side),
    }
    for what, holds in rules.items():
        if not holds:
            raise RigError(f"rig {rig.folder}: {what} does not fit the rest of the rig: compile it again")


def _inside(indices: I32, count: int) -> bool:
    return len(indices) > 0 and int(indices.min()) >= 0 and int(indices.max()) < count
