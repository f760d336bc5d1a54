import dataclasses
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.framing import Frame
from avatar.pose import Pose
from avatar.renderer import load_renderer, paint_background
from avatar.rig import BUILTIN, load_rig


@pytest.mark.parametrize(("size", "height"), [(256, 456), (512, 912), (720, 1280)])
def test_a_portrait_is_nine_to_sixteen(size: int, height: int) -> None:
    renderer = load_renderer(load_rig(), size, framing="portrait")
    assert (renderer.width, renderer.height) == (size, height)
    assert renderer.draw(Pose()).shape == (height, size, 3)


def test_an_unknown_framing_is_refused() -> None:
    with pytest.raises(AvatarError, match="square, portrait"):
        load_renderer(load_rig(), framing="round")  # type: ignore[arg-type]


def test_the_portrait_shows_the_same_face_larger() -> None:
    rig, pose = load_rig(), Pose({"jawOpen": 0.6}, head=(5, 3, 0))
    window = rig.manifest.model_copy(update={"portrait": (0.21875, 0.0, 0.5625)})
    rig = dataclasses.replace(rig, manifest=window)
    left, top, width = rig.manifest.portrait
    size = 288
    portrait = load_renderer(rig, size, framing="portrait", background=(9, 9, 9)).draw(pose)
    square = load_renderer(rig, 512, background=(9, 9, 9)).draw(pose)
    part = square[round(top * 512) :, round(left * 512) : round((left + width) * 512)]
    assert part.shape[:2] == (512, size)
    difference = np.abs(part.astype(int) - portrait[:512]).mean()
    assert difference < 1.5
    shifted = np.abs(part[4:].astype(int) - portrait[:508]).mean()
    assert shifted > 2 * difference


def test_a_frame_cuts_its_window_out_of_a_layer() -> None:
    layer = np.zeros((100, 100), np.uint8)
    layer[50:60, 20:40] = 200
    shown = Frame(width=50, height=80, left=0.1, top=0.3, scale=200.0).cut(layer, 100)
    assert shown.shape == (80, 50)
    assert shown[41:59, 21:49].min() > 190
    assert shown[:38].max() < 1


def test_cloth_below_the_square_shows_in_the_portrait(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUILTIN / "mira", tmp_path / "mira"))
    side = load_rig(folder).manifest.texture_size
    cloth = np.zeros((side, side, 4), np.uint8)
    cloth[side // 2 :] = (0, 0, 250, 255)
    cv2.imwrite(str(folder / "cloth.png"), cloth)
    manifest = json.loads((folder / "rig.json").read_text())
    changed = {**manifest, "cloth_top": side // 2, "portrait": [0, 0, 1]}
    (folder / "rig.json").write_text(json.dumps(changed))
    frame = load_renderer(load_rig(folder), 128, framing="portrait").draw(Pose(breath=1.0))
    assert tuple(frame[140, 5]) == (250, 0, 0)
    assert tuple(frame[-1, 64]) == (250, 0, 0)


def test_a_backdrop_stays_unless_another_background_is_asked_for(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUILTIN / "mira", tmp_path / "mira"))
    side = load_rig(folder).manifest.texture_size
    cv2.imwrite(str(folder / "backdrop.png"), np.full((side, side, 3), (0, 0, 200), np.uint8))
    red, green = (200, 0, 0), (0, 180, 0)
    corner = (3, 3)
    assert tuple(load_renderer(load_rig(folder), 128).draw(Pose())[corner]) == red
    assert tuple(load_renderer(load_rig(folder), 128, background=green).draw(Pose())[corner]) == red
    matte = np.zeros((side, side), np.uint8)
    matte[:, side // 2 :] = 255
    cv2.imwrite(str(folder / "matte.png"), matte)
    (folder / "rig.json").touch()
    assert tuple(load_renderer(load_rig(folder), 128).draw(Pose())[corner]) == red
    replaced = load_renderer(load_rig(folder), 128, background=green)
    assert tuple(replaced.draw(Pose())[corner]) == green
    assert tuple(replaced.draw(Pose())[3, 124]) == red
    cut = replaced.draw_rgba(Pose())
    assert cut[3, 3, 3] == 0
    assert tuple(cut[3, 124]) == (*red, 255)


def test_a_cutout_laid_over_a_colour_is_the_picture_drawn_on_it() -> None:
    rig, pose, colour = load_rig(), Pose({"jawOpen": 0.4}, head=(9, -4, 2), breath=0.5), (30, 160, 70)
    cut = load_renderer(rig, 256).draw_rgba(pose).astype(np.float32)
    assert cut.shape == (256, 256, 4)
    assert cut[2, 2, 3] == 0
    assert cut[100, 128, 3] == 255
    alpha = cut[:, :, 3:] / 255
    laid = cut[:, :, :3] * alpha + np.array(colour, np.float32) * (1 - alpha)
    drawn = load_renderer(rig, 256, background=colour).draw(pose)
    assert np.abs(laid - drawn).max() <= 4


def test_background_pictures_fill_the_frame_and_blur(tmp_path: Path) -> None:
    stripes = np.random.default_rng(1).integers(0, 256, (160, 400, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "wall.png"), stripes)
    sharp = paint_background(tmp_path / "wall.png", 90, 160)
    soft = paint_background(f"blur:{tmp_path / 'wall.png'}", 90, 160)
    assert sharp.shape == soft.shape == (160, 90, 3)
    assert soft.std() < 0.5 * sharp.std()
    assert abs(float(soft.mean()) - float(sharp.mean())) < 12
    with pytest.raises(AvatarError, match=r"nowhere\.png"):
        paint_background(f"blur:{tmp_path / 'nowhere.png'}", 90, 160)
