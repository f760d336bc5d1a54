import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.renderer import load_renderer
from avatar.rig import load_rig
from avatar.sheet import KINDS, draw_sheet


@pytest.mark.parametrize("kind", KINDS)
def test_sheets_show_different_pictures(kind: str) -> None:
    sheet = draw_sheet(load_renderer(load_rig(), size=128), kind, cell=96)  # type: ignore[arg-type]
    assert sheet.dtype == np.uint8
    cells = [sheet[22:110, i * 96 : (i + 1) * 96] for i in range(4)]
    assert all(not np.array_equal(cells[0], other) for other in cells[1:])


def test_an_unknown_sheet_names_the_known_ones() -> None:
    with pytest.raises(AvatarError, match="visemes, expressions"):
        draw_sheet(load_renderer(load_rig(), size=64), "feet")  # type: ignore[arg-type]
