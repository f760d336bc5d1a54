"""A rig: the folder that holds one face, and how it is read.

Format 2. `rig.json` (see `Manifest`), `mesh.npz` (arrays below), `atlas.png` (RGB) and, where it has them:

- `hair.png` (straight RGBA) over the face, `behind.png` (grey: opacity of the hair behind the neck);
- `cloth.png` (straight RGBA), whose first row lies at `Manifest.cloth_top`;
- `backdrop.png` (RGB, at least square), drawn in place of the background: the photo that a rig was made from;
- `matte.png` (grey, of the backdrop's size): opacity of the person in the backdrop, for other backgrounds.

A picture that is absent is transparent. Layers are painted for a square of `Manifest.texture_size` pixels,
the "picture" below; cloth and backdrop may go on below it.
Everything that can be computed ahead is computed by `avatar.bake`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar.errors import RigError
from avatar.photo.picture import picture_size
from avatar.pose import ARKIT_BLENDSHAPES

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

FORMAT = 2
"""Version of the format that this code reads."""
BUILTIN = Path(__file__).parent / "rigs"
"""Folder of the rigs that ship with the package."""
DEFAULT_RIG = "mira"
LARGEST_TEXTURE_PX = 4096
"""Side of the finest picture that is read: four times what any renderer shows."""
MAX_PICTURE_PIXELS = 60_000_000
"""Of one layer or atlas; asked of the file's header, before anything is decoded."""
MAX_MESH_BYTES = 500_000_000
"""Of all arrays once unpacked; the built-in rigs take 12 MB."""

Degrees = Annotated[float, Field(ge=0, le=60)]


class Eye(BaseModel):
    """An eyeball: centre and radius in metres, and where its vertices lie."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    centre: tuple[float, float, float]
    radius: float = Field(gt=0)
    first: int = Field(ge=0)
    count: int = Field(gt=0)


class Camera(BaseModel):
    """Where the camera stands (metres) and its focal length in picture heights."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    y: float
    z: float
    focal: float = Field(gt=0)


class Manifest(BaseModel):
    """The content of rig.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    format: Literal[2]
    kind: Literal["baked", "photo"] = "baked"
    name: str
    title: str
    licence: str
    consent: str
    credits: tuple[str, ...]
    made: dict[str, str] = Field(default_factory=dict)
    """How it was made: tool versions, date; for photos `photo_sha256` and `consent_date`."""
    camera: Camera
    head_pivot: tuple[float, float, float]
    eyes: dict[Literal["left", "right"], Eye]
    texture_size: int = Field(gt=0, le=LARGEST_TEXTURE_PX)
    """Side in pixels of the picture that the layers were painted for."""
    cloth_top: int | None = Field(default=None, ge=0)
    """Row of the picture where cloth.png begins; None: cloth ends at the picture's bottom."""
    portrait: tuple[float, float, float] = (0.21875, 0.0, 0.5625)
    """Left, top and width of the 9:16 window, in sides of the picture; its height follows from its width."""
    head_limit_deg: tuple[Degrees, Degrees, Degrees] = (20.0, 14.0, 14.0)
    """How far the head may turn, nod and lean (degrees) before parts show that the rig does not have."""
    voice: str = Field(default="", pattern=r"^(\+[a-zA-Z0-9]+)?$")
    """espeak-ng variant that suits the face, such as "+m3"; empty: the engine's own."""
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
    backdrop: U8 | None = None
    matte: U8 | None = None

    @property
    def cloth_top(self) -> int:
        """Row of the picture where `cloth` begins."""
        top = self.manifest.cloth_top
        return self.manifest.texture_size - len(self.cloth) if top is None else top

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
        name_or_path: a rig folder, or name of a built-in rig; a folder without a rig.json hides no built-in
            rig of its name.

    Raises:
        RigError: the rig is missing, incomplete, or made for another version of the format.
    """
    folder = _folder(name_or_path)
    return _read(folder.resolve(), tuple(sorted(file.stat().st_mtime_ns for file in folder.iterdir())))


def read_manifest(name_or_path: str | Path) -> Manifest:
    """What rig.json says, without loading the rig.

    Raises:
        RigError: there is no such rig, or the file will not do.
    """
    return _manifest(_folder(name_or_path) / "rig.json")


def _folder(name_or_path: str | Path) -> Path:
    folder = Path(name_or_path)
    if not (folder / "rig.json").is_file():
        folder = BUILTIN / str(name_or_path)
    if not (folder / "rig.json").is_file():
        known = ", ".join(rig_names()) or "none"
        raise RigError(f"no rig {str(name_or_path)!r}: give a folder with a rig.json, or one of: {known}")
    return folder


@lru_cache(maxsize=4)
def _read(folder: Path, _modified_ns: tuple[int, ...]) -> Rig:
    manifest = _manifest(folder / "rig.json")
    try:
        with (folder / "mesh.npz").open("rb") as file, np.load(file, allow_pickle=False) as data:
            size = sum(entry.file_size for entry in data.zip.infolist())
            if size > MAX_MESH_BYTES:
                raise ValueError(
                    f"{size / 1e6:.0f} MB of arrays, at most {MAX_MESH_BYTES / 1e6:.0f} are read"
                )
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
    except (OSError, ValueError, RecursionError) as error:
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


def _layer(path: Path, channels: int, rows: int, columns: int) -> U8:
    """A picture, transparent where the rig has none."""
    if path.exists():
        return _picture(path, channels)
    return np.zeros((rows, columns, channels) if channels > 1 else (rows, columns), np.uint8)


def _picture(path: Path, channels: int) -> U8:
    import cv2

    data = path.read_bytes() if path.is_file() else b""
    width, height = picture_size(data) or (0, 0)
    if width * height > MAX_PICTURE_PIXELS:
        raise RigError(
            f"{path} has {width}×{height} pixels, at most {MAX_PICTURE_PIXELS / 1e6:.0f} million are read: "
            "compile the rig again"
        )
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if width * height else None
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
    side = manifest.texture_size
    backdrop, matte = folder / "backdrop.png", folder / "matte.png"
    return Rig(
        folder=folder, manifest=manifest, vertices=floats("vertices"), deltas=floats("deltas"),
        active=ints("active"), head_weight=floats("head_weight"), light=floats("light"),
        triangles=ints("triangles"), uv=floats("uv"), mapped=np.ascontiguousarray(data["mapped"], np.uint8),
        map_xy=floats("map_xy"), maps=maps.reshape(len(maps), math.prod(maps.shape[1:])),
        map_size=maps.shape[1] if maps.ndim > 1 else 0,
        detail=(ints("mouth_triangles"), ints("eye_triangles")),
        lips=(ints("lip_upper"), ints("lip_upper_column"), ints("lip_lower"), ints("lip_lower_column")),
        lash_root=ints("lash_root"), lash_points=floats("lash_points"),
        lash_side=np.ascontiguousarray(data["lash_side"], np.uint8),
        hair_grid=floats("hair_grid"), hair_weight=floats("hair_weight"),
        atlas=_picture(folder / "atlas.png", 3), hair=_layer(folder / "hair.png", 4, side, side),
        cloth=_layer(folder / "cloth.png", 4, 0, side), behind=_layer(folder / "behind.png", 1, side, side),
        backdrop=_picture(backdrop, 3) if backdrop.exists() else None,
        matte=_picture(matte, 1) if matte.exists() else None,
    )  # fmt: skip


def _check(rig: Rig) -> None:
    """Indices that leave their arrays, and what is no number, would crash compiled code: refuse them here."""
    count, triangles = len(rig.vertices), len(rig.triangles)
    side = rig.manifest.texture_size
    rules = {
        "vertices": rig.vertices.shape == (count, 3),
        "deltas": rig.deltas.shape == (len(ARKIT_BLENDSHAPES), len(rig.active), 3),
        "active": _inside(rig.active, count),
        "head_weight": rig.head_weight.shape == (count,),
        "light": rig.light.shape == (count,),
        "triangles": rig.triangles.shape == (triangles, 3) and _inside(rig.triangles, count),
        "uv": rig.uv.shape == (triangles, 3, 2),
        "mapped": rig.mapped.shape == (triangles,),
        "map_xy": rig.map_xy.shape == (count, 2),
        "maps": rig.maps.shape == (len(rig.manifest.map_names), rig.map_size**2 * 3),
        "mouth_triangles, eye_triangles": all(_inside(part, triangles, empty=True) for part in rig.detail),
        "lip_upper, lip_lower": all(_inside(rig.lips[i], count, empty=True) for i in (0, 2)),
        "lash_root": _inside(rig.lash_root, count, empty=True) and len(rig.lash_side) == len(rig.lash_root),
        "lash_points": rig.lash_points.shape[:1] + rig.lash_points.shape[2:] == (len(rig.lash_root), 3),
        "hair_grid": rig.hair_grid.shape == (*rig.hair_weight.shape, 3),
        "eyes in rig.json": all(eye.first + eye.count <= count for eye in rig.manifest.eyes.values())
        and len(rig.manifest.eyes) == 2,
        "hair.png": rig.hair.shape[:2] == (side, side),
        "cloth.png": rig.cloth.shape[1] == side and rig.cloth_top >= 0,
        "behind.png": rig.behind.shape == (side, side),
        "backdrop.png": rig.backdrop is None
        or (rig.backdrop.shape[0] >= side and rig.backdrop.shape[1] == side),
        "matte.png": rig.matte is None
        or (rig.backdrop is not None and rig.matte.shape == rig.backdrop.shape[:2]),
        "portrait in rig.json": 0.2 <= rig.manifest.portrait[2] <= 4
        and all(abs(edge) <= 4 for edge in rig.manifest.portrait[:2]),
    }
    for field in fields(rig):
        value = getattr(rig, field.name)
        if isinstance(value, np.ndarray) and value.dtype == np.float32 and not np.isfinite(value).all():
            raise RigError(f"rig {rig.folder}: {field.name} holds what is no number: compile it again")
    for what, holds in rules.items():
        if not holds:
            raise RigError(f"rig {rig.folder}: {what} does not fit the rest of the rig: compile it again")


def _inside(indices: I32, count: int, empty: bool = False) -> bool:
    if len(indices) == 0:
        return empty
    return int(indices.min()) >= 0 and int(indices.max()) < count
