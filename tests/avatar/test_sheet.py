from dataclasses import dataclass

import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.gesture import GESTURES
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import load_rig
from avatar.sheet import EYES_CROP, KINDS, STRIP, _telling, draw_sheet


@pytest.mark.parametrize("kind", KINDS)
def test_sheets_show_different_pictures(kind: str) -> None:
    sheet = draw_sheet(load_renderer(load_rig(), size=128), kind, cell=96)  # type: ignore[arg-type]
    assert sheet.dtype == np.uint8
    cells = [sheet[54:84, i * 96 : (i + 1) * 96] for i in range(3)]
    assert all(not np.array_equal(cells[0], other) for other in cells[1:])


@pytest.mark.parametrize("name", sorted(GESTURES))
def test_a_strip_shows_the_height_of_its_gesture(name: str) -> None:
    times = _telling(GESTURES[name])
    assert len(times) == STRIP
    assert times[0] == 0
    assert min(np.diff(times)) > 0.05
    shown = max(float(np.abs(GESTURES[name].at(time_s)).max()) for time_s in times)
    assert shown > 0.8 * max(float(np.abs(GESTURES[name].at(key.at_s)).max()) for key in GESTURES[name].keys)


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
