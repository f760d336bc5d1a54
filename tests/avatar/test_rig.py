import json
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar.errors import RigError
from avatar.rig import BUILTIN, Rig, load_rig, rig_names


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUILTIN / "mira", tmp_path / "mira"))


def rewrite(folder: Path, **changes: object) -> None:
    with np.load(folder / "mesh.npz") as data:
        arrays = {key: data[key] for key in data.files}
    for key, value in changes.items():
        if value is None:
            del arrays[key]
        else:
            arrays[key] = value
    np.savez(folder / "mesh.npz", **arrays)


def test_the_built_in_rig_loads_and_says_what_it_is() -> None:
    rig = load_rig()
    assert isinstance(rig, Rig)
    assert rig.name in rig_names()
    assert rig.manifest.licence == "CC0-1.0"
    assert rig.deltas.shape[0] == 52
    assert rig.atlas.dtype == np.uint8


def test_built_in_rigs_are_small() -> None:
    for name in rig_names():
        assert sum(file.stat().st_size for file in (BUILTIN / name).iterdir()) < 12e6


def test_every_blendshape_that_the_mouth_needs_moves_something() -> None:
    rig = load_rig()
    from avatar.geometry import BLENDSHAPE_INDEX

    for name in ("jawOpen", "mouthClose", "mouthPucker", "tongueOut", "eyeBlinkLeft", "eyeBlinkRight"):
        assert np.abs(rig.deltas[BLENDSHAPE_INDEX[name]]).max() > 0.001


def test_an_unknown_rig_names_the_known_ones() -> None:
    with pytest.raises(RigError, match="mira"):
        load_rig("nobody")


DAMAGES = ("missing", "empty", "text")
NEEDED, OPTIONAL = (
    ("mesh.npz", "atlas.png"),
    ("hair.png", "cloth.png", "behind.png", "backdrop.png", "matte.png"),
)


@pytest.mark.parametrize(
    ("file", "damage"),
    [(file, damage) for file in NEEDED for damage in DAMAGES]
    + [(file, damage) for file in OPTIONAL for damage in DAMAGES[1:]],
)
def test_a_missing_or_damaged_file_is_named(copy: Path, file: str, damage: str) -> None:
    if damage == "missing":
        (copy / file).unlink()
    else:
        (copy / file).write_bytes(b"" if damage == "empty" else b"not what it should be")
    with pytest.raises(RigError, match=rf"{file}.*compile the rig again"):
        load_rig(copy)


def test_a_truncated_mesh_is_refused(copy: Path) -> None:
    whole = (copy / "mesh.npz").read_bytes()
    (copy / "mesh.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RigError, match=r"mesh\.npz"):
        load_rig(copy)


def test_broken_json_is_refused(copy: Path) -> None:
    (copy / "rig.json").write_text("{")
    with pytest.raises(RigError, match="JSON"):
        load_rig(copy)


def test_another_format_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "rig.json").read_text())
    (copy / "rig.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(RigError, match="format 99"):
        load_rig(copy)


def test_a_wrong_field_is_named(copy: Path) -> None:
    manifest = json.loads((copy / "rig.json").read_text())
    del manifest["camera"]["focal"]
    (copy / "rig.json").write_text(json.dumps(manifest))
    with pytest.raises(RigError, match=r"camera\.focal"):
        load_rig(copy)


def test_a_missing_array_is_named(copy: Path) -> None:
    rewrite(copy, head_weight=None)
    with pytest.raises(RigError, match="head_weight"):
        load_rig(copy)


@pytest.mark.parametrize("array", ["triangles", "active", "lash_root", "mouth_triangles", "lip_upper"])
def test_an_index_outside_the_mesh_never_reaches_compiled_code(copy: Path, array: str) -> None:
    with np.load(copy / "mesh.npz") as data:
        spoilt = data[array].copy()
    spoilt.flat[0] = 10**6
    rewrite(copy, **{array: spoilt})
    with pytest.raises(RigError, match=array):
        load_rig(copy)


@pytest.mark.parametrize(
    "array", ["vertices", "deltas", "head_weight", "light", "map_xy", "maps", "lash_points", "hair_grid"]
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_a_number_is_refused(copy: Path, array: str, value: float) -> None:
    with np.load(copy / "mesh.npz") as data:
        spoilt = data[array].copy()
    spoilt.flat[5] = value
    rewrite(copy, **{array: spoilt})
    with pytest.raises(RigError, match=array):
        load_rig(copy)


def test_a_folder_that_is_no_rig_hides_no_built_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mira").mkdir()
    assert load_rig("mira").folder == BUILTIN / "mira"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("portrait", [0.1, 0.0, 0.1]),
        ("portrait", [0.1, 0.0, 9.0]),
        ("portrait", [float("nan"), 0.0, 0.7]),
        ("texture_size", 100_000),
        ("camera", {"y": -1.8, "z": 0.6, "focal": float("inf")}),
        ("head_limit_deg", [20.0, 14.0, float("inf")]),
        ("head_limit_deg", [-1.0, 14.0, 14.0]),
    ],
)
def test_measures_that_nobody_can_draw_are_refused(copy: Path, field: str, value: object) -> None:
    edit(copy, **{field: value})
    with pytest.raises(RigError, match=field):
        load_rig(copy)


def test_rigs_say_how_far_their_head_may_turn(copy: Path) -> None:
    raw = json.loads((copy / "rig.json").read_text())
    raw.pop("head_limit_deg", None)
    (copy / "rig.json").write_text(json.dumps(raw))
    assert load_rig(copy).manifest.head_limit_deg == (20, 14, 14)
    edit(copy, head_limit_deg=[6, 6, 7])
    assert load_rig(copy).manifest.head_limit_deg == (6, 6, 7)


def test_a_picture_bomb_in_a_rig_is_refused_before_it_is_decoded(copy: Path) -> None:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (copy / "atlas.png").write_bytes(bomb)
    with pytest.raises(RigError, match="million"):
        load_rig(copy)


def test_nested_json_is_refused(copy: Path) -> None:
    (copy / "rig.json").write_text("[" * 100_000)
    with pytest.raises(RigError, match="JSON"):
        load_rig(copy)


def edit(folder: Path, **fields: object) -> None:
    manifest = json.loads((folder / "rig.json").read_text())
    (folder / "rig.json").write_text(json.dumps({**manifest, **fields}))


def test_layers_that_are_absent_are_transparent(copy: Path) -> None:
    for file in ("hair.png", "cloth.png", "behind.png"):
        (copy / file).unlink(missing_ok=True)
    rig = load_rig(copy)
    assert not rig.hair.any()
    assert not rig.cloth.any()
    assert not rig.behind.any()
    assert rig.backdrop is None
    assert rig.matte is None


def test_cloth_may_reach_below_the_square(copy: Path) -> None:
    side = load_rig(copy).manifest.texture_size
    cv2.imwrite(str(copy / "cloth.png"), np.full((side, side, 4), 255, np.uint8))
    edit(copy, cloth_top=side // 2)
    assert load_rig(copy).cloth_top == side // 2
    edit(copy, cloth_top=None)
    assert load_rig(copy).cloth_top == 0


@pytest.mark.parametrize(("file", "shape"), [("backdrop.png", (9, 9, 3)), ("matte.png", (640, 640))])
def test_a_picture_that_does_not_fit_is_named(copy: Path, file: str, shape: tuple[int, ...]) -> None:
    cv2.imwrite(str(copy / file), np.zeros(shape, np.uint8))
    with pytest.raises(RigError, match=file):
        load_rig(copy)


def test_a_photo_rig_keeps_where_it_came_from(copy: Path) -> None:
    edit(copy, kind="photo", made={"photo_sha256": "ab", "consent_date": "2026-11-21"})
    manifest = load_rig(copy).manifest
    assert manifest.kind == "photo"
    assert manifest.made["photo_sha256"] == "ab"
