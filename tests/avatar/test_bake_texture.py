"""How the rig compiler chooses textures and cleans layers, on arrays small enough to see through."""

from pathlib import Path

import numpy as np
import pytest

from avatar.bake.choice import _patches
from avatar.bake.layers import LASH_GAP_M, _apart, clean_hair, inside_collar
from avatar.bake.seam import _spread
from tests.avatar.synthetic_bake import write_bake


def ribbon(count: int) -> np.ndarray:
    """A row of triangles, each with the one before and the one after as neighbours."""
    first = np.arange(count)
    return np.stack([first, first + 1, first + 2], 1).astype(np.int32)


def test_a_lone_triangle_takes_the_source_of_its_neighbours() -> None:
    scores = np.full((8, 9), -np.inf, np.float32)
    scores[0], scores[6] = 1.0, 0.9
    scores[6, 4] = 1.5
    assert _patches(ribbon(9), scores).tolist() == [0] * 9


def test_a_source_that_shows_much_more_is_taken_all_the_same() -> None:
    scores = np.full((8, 9), -np.inf, np.float32)
    scores[0], scores[6] = 1.0, 0.5
    scores[6, 4:] = 20.0
    assert _patches(ribbon(9), scores).tolist() == [0] * 4 + [6] * 5


def test_neighbours_cannot_bring_a_source_that_does_not_show_the_triangle() -> None:
    scores = np.full((8, 9), -np.inf, np.float32)
    scores[0], scores[1] = 1e-6, 5.0
    scores[1, 4] = -np.inf
    assert _patches(ribbon(9), scores)[4] == 0


def test_light_found_on_a_seam_goes_on_beside_it_and_fades() -> None:
    size = 200
    known = np.zeros((size, size, 4), np.float32)
    known[:, 100] = (0.7, 0.7, 0.7, 1.0)
    gain = _spread(known, size)
    assert gain[100, 100, 0] == pytest.approx(0.7, abs=0.02)
    assert gain[100, 108, 0] == pytest.approx(0.7, abs=0.05)
    assert gain[100, 190, 0] > 0.95


def test_lashes_keep_apart_from_one_corner_to_the_other() -> None:
    x = np.random.default_rng(0).uniform(-0.015, 0.015, 170).astype(np.float32)
    kept = np.sort(x[_apart(x)])
    assert np.diff(kept).min() >= LASH_GAP_M * 0.99
    assert kept[0] == x.min()
    assert 50 < len(kept) < 100


def test_the_dark_inside_of_a_collar_stays_between_its_two_sides() -> None:
    cloth = np.zeros((60, 100, 4), np.uint8)
    cloth[:, 20:40, 3] = cloth[:, 60:80, 3] = 255
    # on one side a garment stands off, with the wall between
    cloth[:, 5:12, 3] = 255
    fill = inside_collar(cloth, 40)
    assert fill[:38].max() == 0
    assert (fill[60:, 42:58] > 250).all()
    assert fill[60:, :36].max() == 0


def test_strands_apart_from_the_hair_are_left_out(tmp_path: Path) -> None:
    import cv2

    bake = write_bake(tmp_path / "bake")
    hair = np.asarray(cv2.imread(str(bake / "hair.png"), cv2.IMREAD_UNCHANGED), np.uint8)
    whole = clean_hair(bake)
    hair[100:103, 120:122] = (200, 200, 200, 255)
    cv2.imwrite(str(bake / "hair.png"), hair)
    assert hair[101, 121, 3] == 255
    assert np.array_equal(clean_hair(bake)[:, :, 3], whole[:, :, 3])
