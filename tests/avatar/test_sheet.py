from dataclasses import dataclass

import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import load_rig
from avatar.sheet import EYES_CROP, KINDS, draw_sheet


@pytest.mark.parametrize("kind", KINDS)
def test_sheets_show_different_pictures(kind: str) -> None:
    sheet = draw_sheet(load_renderer(load_rig(), size=128), kind, cell=96)  # type: ignore[arg-type]
    assert sheet.dtype == np.uint8
    wide = 60 if kind == "gestures" else 96
    cells = [sheet[22:70, i * wide : (i + 1) * wide] for i in range(3)]
    assert all(not np.array_equal(cells[0], other) for other in cells[1:])


@dataclass
class Tall:
    """A renderer of 9:16 pictures, each pixel telling its place in the square picture."""

    width: int = 180
    height: int = 320
    engine: str = "test"
    size: int = 180

    def draw(self, pose: Pose) -> np.ndarray:
        scale = 0.5625 / self.width
        x = 0.21875 + (np.arange(self.width) + 0.5) * scale
        y = (np.arange(self.height) + 0.5) * scale
        picture = np.zeros((self.height, self.width, 3), np.uint8)
        picture[:, :, 0], picture[:, :, 1] = (200 * x)[None], (200 * y)[:, None]
        return picture


def test_a_tall_picture_is_cut_at_the_same_part_of_the_face() -> None:
    sheet = draw_sheet(Tall(), "blink", cell=100)  # type: ignore[arg-type]
    left, right, top, bottom = EYES_CROP
    row = (22 + round(100 * (bottom - top) / (right - left))) // 2 + 11
    assert abs(int(sheet[row, 2, 0]) - 200 * left) < 4
    assert abs(int(sheet[row, 97, 0]) - 200 * right) < 4
    assert abs(int(sheet[row, 50, 1]) - 100 * (top + bottom)) < 4


def test_an_unknown_sheet_names_the_known_ones() -> None:
    with pytest.raises(AvatarError, match="visemes, expressions"):
        draw_sheet(load_renderer(load_rig(), size=64), "feet")  # type: ignore[arg-type]
