import json
from pathlib import Path

import numpy as np
import pytest

from avatar.bake.compile_rig import compile_rig
from avatar.errors import RigError
from avatar.geometry import weights_of
from avatar.lipcheck import lip_gap_mm
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import load_rig
from tests.avatar.synthetic_bake import CLOTH_TOP, SIZE, write_bake


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("egg")
    compile_rig(write_bake(folder / "bake"), folder / "egg")
    return folder / "egg"


def test_a_bake_becomes_a_rig_that_says_whose_it_is(compiled: Path) -> None:
    rig = load_rig(compiled)
    assert (rig.manifest.name, rig.manifest.title, rig.manifest.texture_size) == ("egg", "Egg", SIZE)
    assert rig.manifest.licence == "CC0-1.0"


def test_cloth_begins_where_it_was_rendered_and_goes_on_below_the_square(compiled: Path) -> None:
    rig = load_rig(compiled)
    assert rig.manifest.cloth_top == CLOTH_TOP
    assert CLOTH_TOP + rig.cloth.shape[0] == round(SIZE * 1.45)


def test_the_compiled_face_is_drawn_in_the_colour_of_its_skin(compiled: Path) -> None:
    picture = load_renderer(load_rig(compiled), size=160).draw(Pose())
    cheek = picture[72:80, 62:68].reshape(-1, 3).mean(0)
    assert np.abs(cheek - (200, 150, 120)).max() < 25


def test_sealed_lips_touch_at_rest_and_part_with_the_jaw(compiled: Path) -> None:
    rig = load_rig(compiled)
    closed, opened = lip_gap_mm(rig, [Pose(), Pose({"jawOpen": 1.0})])
    assert closed <= 0.15
    assert opened > 1.5


def test_triangles_that_clothes_hide_for_good_are_left_out(tmp_path: Path, compiled: Path) -> None:
    import cv2

    bake = write_bake(tmp_path / "bake")
    cloth = cv2.imread(str(bake / "cloth.png"), cv2.IMREAD_UNCHANGED)
    cloth[CLOTH_TOP - 18 :] = (90, 60, 40, 255)
    cv2.imwrite(str(bake / "cloth.png"), cloth)
    compile_rig(bake, tmp_path / "covered")
    assert len(load_rig(tmp_path / "covered").triangles) < len(load_rig(compiled).triangles) - 500


def test_a_bake_without_pictures_is_refused(tmp_path: Path) -> None:
    bake = write_bake(tmp_path / "bake")
    (bake / "side_left.png").unlink()
    with pytest.raises(RigError, match=r"side_left\.png.*bake"):
        compile_rig(bake, tmp_path / "rig")


@pytest.mark.parametrize("content", ["", "{}", "[]", json.dumps({"person": "egg"})])
def test_a_bake_that_does_not_say_whose_it_is_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "bake.json").write_text(content, encoding="utf-8")
    with pytest.raises(RigError, match=r"bake\.json.*again"):
        compile_rig(tmp_path, tmp_path / "rig")


def test_the_same_bake_gives_the_same_rig(tmp_path: Path, compiled: Path) -> None:
    compile_rig(write_bake(tmp_path / "bake"), tmp_path / "egg")
    again, first = load_rig(tmp_path / "egg"), load_rig(compiled)
    assert np.array_equal(again.vertices, first.vertices)
    assert np.array_equal(again.uv, first.uv)
    assert np.array_equal(again.atlas, first.atlas)
    assert weights_of(Pose()).sum() == 0
