from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.desk import Desk
from agent.errors import DeskError
from agent.face import (
    background_file,
    background_of,
    find_rig,
    lips_file,
    open_lips,
    open_renderer,
    own_rig_names,
    own_rigs,
    voice_of,
)
from avatar import AvatarError, Pose
from avatar.errors import InputError
from tests.avatar.lip_models import lip_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    desk = tmp_path / "desk"
    desk.mkdir()
    return desk


def desk_with(folder: Path, avatar: str) -> Desk:
    (folder / "desk.toml").write_text(
        f'name = "Kiosk"\n[persona]\ncompany = "Acme"\n[avatar]\nsize = 128\n{avatar}\n'
    )
    return Desk.load(folder)


def test_a_rig_is_found_beside_the_desk_then_among_ones_own_then_among_those_that_ship(folder: Path) -> None:
    desk = desk_with(folder, 'rig = "anna"')
    with pytest.raises(AvatarError, match="no rig 'anna'.*mira"):
        find_rig("anna", desk)
    own = own_rigs() / "anna"
    own.mkdir(parents=True)
    (own / "rig.json").write_text("{}")
    assert own_rig_names() == ["anna"]
    assert find_rig("anna", desk) == find_rig("anna") == own
    (folder / "anna").mkdir()
    assert find_rig("anna", desk) == own, "a folder that only happens to be called so is no rig"
    (folder / "anna" / "rig.json").write_text("{}")
    assert find_rig("anna", desk) == folder / "anna"


def test_a_rig_that_ships_cannot_be_shadowed(folder: Path) -> None:
    shadow = own_rigs() / "mira"
    shadow.mkdir(parents=True)
    (shadow / "rig.json").write_text("{}")
    assert find_rig("mira") == "mira"


def test_a_man_does_not_speak_with_a_womans_voice_unless_the_desk_says_so(folder: Path) -> None:
    assert voice_of(desk_with(folder, 'rig = "mira"')) is None
    assert voice_of(desk_with(folder, 'rig = "kofi"')) == "+m3"
    assert voice_of(desk_with(folder, 'rig = "kofi"\n[voice]\nmodel = "en-us+f5"')) == "en-us+f5"
    assert voice_of(desk_with(folder, 'rig = "nobody"')) is None


def test_a_portrait_desk_gets_a_portrait_before_its_own_wall(folder: Path) -> None:
    cv2.imwrite(str(folder / "shop.png"), np.full((90, 160, 3), (0, 0, 200), np.uint8))
    desk = desk_with(folder, 'framing = "portrait"\nbackground = "blur:shop.png"')
    assert background_of(desk) == f"blur:{folder / 'shop.png'}"
    assert background_file(desk) == folder / "shop.png"
    renderer = open_renderer(desk)
    picture = renderer.draw(Pose())
    assert picture.shape == (renderer.height, renderer.width, 3)
    assert renderer.height > 1.7 * renderer.width
    assert picture[4, 4, 0] > 150
    assert picture[4, 4, 2] < 50


def test_a_colour_needs_no_file_and_a_wrong_one_is_told(folder: Path) -> None:
    assert background_file(desk_with(folder, 'background = "#102030"')) is None
    assert background_of(desk_with(folder, 'background = "#102030"')) == (16, 32, 48)
    assert background_of(desk_with(folder, "")) is None
    with pytest.raises(AvatarError, match="#red"):
        open_renderer(desk_with(folder, 'background = "#red"'))


def test_a_desk_names_its_lip_model_by_a_path_in_its_folder(folder: Path) -> None:
    assert lips_file(desk_with(folder, "")) is None
    assert open_lips(desk_with(folder, "")) is None
    (folder / "models").mkdir()
    lip_model(folder / "models" / "lips.onnx")
    desk = desk_with(folder, 'lips = "models/lips.onnx"')
    assert lips_file(desk) == folder / "models" / "lips.onnx"
    lips = open_lips(desk)
    assert lips is not None
    assert lips.engine.endswith(" lips")


def test_lips_that_are_missing_or_no_model_are_told_with_file_and_key(folder: Path) -> None:
    with pytest.raises(DeskError, match=r"desk\.toml: avatar\.lips: .*lips\.onnx.*remove the key"):
        lips_file(desk_with(folder, 'lips = "lips.onnx"'))
    with pytest.raises(DeskError, match=r'avatar\.lips: .*lips = "lips\.onnx"'):
        desk_with(folder, 'lips = "wav2lip.pth"')
    (folder / "lips.onnx").write_text("none")
    with pytest.raises(InputError, match="not an ONNX model"):
        open_lips(desk_with(folder, 'lips = "lips.onnx"'))
