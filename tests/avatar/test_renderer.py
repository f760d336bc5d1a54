import dataclasses
import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar import cpu_renderer
from avatar.errors import AvatarError
from avatar.geometry import limited
from avatar.performance import Performer
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.renderer import Renderer, load_renderer
from avatar.rig import load_rig
from avatar.viseme import VISEME_WEIGHTS


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return load_renderer(load_rig(), size=256)


def dark_mouth_pixels(frame: np.ndarray) -> int:
    """Pixels around the mouth too dark for skin, lip or tooth."""
    size = frame.shape[0]
    mouth = frame[int(0.50 * size) : int(0.62 * size), int(0.43 * size) : int(0.57 * size)]
    return int((mouth.max(axis=2) < 135).sum())


def test_a_frame_is_rgb_and_its_own(renderer: Renderer) -> None:
    frame = renderer.draw(Pose())
    assert frame.shape == (256, 256, 3)
    assert frame.dtype == np.uint8
    before = frame.copy()
    renderer.draw(Pose({"jawOpen": 1.0}))
    assert np.array_equal(frame, before)


def test_skin_is_red_before_blue(renderer: Renderer) -> None:
    cheek = renderer.draw(Pose())[int(0.45 * 256), int(0.40 * 256)].astype(int)
    assert cheek[0] > cheek[1] > cheek[2]


def test_the_same_pose_is_the_same_picture(renderer: Renderer) -> None:
    pose = Pose({"jawOpen": 0.3, "mouthSmileLeft": 0.4}, head=(4, 2, -3), gaze=(5, -2), breath=0.7)
    first = renderer.draw(pose)
    renderer.draw(Pose({"eyeBlinkLeft": 1.0}, head=(-6, 0, 0)))
    assert np.array_equal(first, renderer.draw(pose))
    assert np.array_equal(first, load_renderer(load_rig(), size=256).draw(pose))


def test_threads_draw_the_same_pictures_as_one(renderer: Renderer) -> None:
    poses = list(Performer(seed=3).idle(24))
    alone = renderer.draw_many(poses)
    with ThreadPoolExecutor(4) as pool:
        together = np.stack(list(pool.map(renderer.draw, poses)))
    assert np.array_equal(alone, together)


def test_no_poses_make_no_frames(renderer: Renderer) -> None:
    assert renderer.draw_many([]).shape == (0, 256, 256, 3)


@pytest.mark.parametrize("size", [64, 258, 512, 720])
def test_sizes(size: int) -> None:
    frame = load_renderer(load_rig(), size=size).draw(Pose({"jawOpen": 0.5}, head=(8, 5, 5)))
    assert frame.shape == (size, size, 3)


@pytest.mark.parametrize("size", [0, 63, 101, 5000])
def test_a_useless_size_is_refused(size: int) -> None:
    with pytest.raises(AvatarError, match="even number"):
        load_renderer(load_rig(), size=size)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(AvatarError, match="cpu"):
        load_renderer(load_rig(), device="abacus")


def test_backgrounds(tmp_path: Path) -> None:
    rig = load_rig()
    green = load_renderer(rig, 128, background=(0, 200, 0)).draw(Pose())
    assert tuple(green[2, 2]) == (0, 200, 0)
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[..., 2] = 180
    assert tuple(load_renderer(rig, 128, background=picture).draw(Pose())[2, 2]) == (0, 0, 180)
    file = tmp_path / "wall.png"
    cv2.imwrite(str(file), picture[:, :, ::-1])
    assert tuple(load_renderer(rig, 128, background=file).draw(Pose())[2, 2]) == (0, 0, 180)
    with pytest.raises(AvatarError, match="nowhere"):
        load_renderer(rig, 128, background=tmp_path / "nowhere.png")
    with pytest.raises(AvatarError, match="0 to 255"):
        load_renderer(rig, 128, background=(0, 300, 0))


def test_wild_poses_do_no_harm(renderer: Renderer) -> None:
    everything = Pose(
        dict.fromkeys(ARKIT_BLENDSHAPES, 5.0) | {"noSuchShape": 1.0}, (80, -60, 45), (90, 90), breath=9
    )
    assert renderer.draw(everything).shape == (256, 256, 3)
    assert np.array_equal(renderer.draw(Pose({"jawOpen": -3.0})), renderer.draw(Pose()))


def test_every_viseme_but_silence_changes_the_picture(renderer: Renderer) -> None:
    rest = renderer.draw(Pose()).astype(int)
    for name, weights in VISEME_WEIGHTS.items():
        changed = np.abs(renderer.draw(Pose(weights)).astype(int) - rest).max()
        assert (changed > 40) == (name != "sil"), name


def test_closed_lips_hide_the_mouth_and_a_vowel_shows_it(renderer: Renderer) -> None:
    closed = dark_mouth_pixels(renderer.draw(Pose(VISEME_WEIGHTS["PP"])))
    opened = dark_mouth_pixels(renderer.draw(Pose(VISEME_WEIGHTS["aa"])))
    assert opened > 40
    assert closed <= 0.1 * opened


def test_a_texture_kept_at_rest_draws_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = load_rig()
    rest = Pose({"mouthSmileLeft": 0.2, "mouthSmileRight": 0.2})
    poses = [rest, Pose(VISEME_WEIGHTS["aa"]), Pose({"browInnerUp": 0.8, "mouthFrownLeft": 0.7})]
    kept = load_renderer(rig, 256).draw_many(poses).astype(int)
    plain = np.dstack([rig.atlas, np.full(rig.atlas.shape[:2], 255, np.uint8)])
    unchanged = np.ones(rig.maps.shape[1], np.float32)
    monkeypatch.setattr(cpu_renderer, "at_rest", lambda rig, places: (plain, unchanged))
    differ = np.abs(load_renderer(rig, 256).draw_many(poses) - kept)
    assert differ.mean() < 0.1
    assert np.percentile(differ, 99.9) <= 2
    assert differ.any()


def test_eyes_close_and_look(renderer: Renderer) -> None:
    def eye(pose: Pose) -> np.ndarray:
        return renderer.draw(pose)[94:108, 138:153].astype(int)

    opened, closed = eye(Pose()), eye(Pose({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}))
    # an iris is dark, a lid is skin
    assert opened.max(axis=2).min() < 60 < 100 < np.median(closed.max(axis=2))
    assert np.abs(eye(Pose(gaze=(15, 0))) - eye(Pose(gaze=(-15, 0)))).mean() > 5


def test_breath_lifts_the_shoulders(renderer: Renderer) -> None:
    still, lifted = renderer.draw(Pose()).astype(int), renderer.draw(Pose(breath=1.0)).astype(int)
    changed = np.abs(still - lifted).max(axis=2) > 20
    assert changed[200:].any()
    # lifting must not open a gap under the clothes
    assert not changed[-1, 80:176].any()


def popping(renderer: Renderer, poses: list[Pose]) -> float:
    """The largest 95th percentile over consecutive frames of how much pixels in still regions change."""
    frames = renderer.draw_many(poses).astype(int)
    return float(max(np.percentile(np.abs(b - a).max(axis=-1), 95) for a, b in itertools.pairwise(frames)))


def test_nothing_pops_in_slow_motion(renderer: Renderer) -> None:
    # 4 degrees in 4 s at 25 frames a second: an edge moves by a thirtieth of a pixel from frame to frame
    turn = [Pose(head=(0.04 * i, 0.02 * i, 0), breath=0.5) for i in range(40, 60)]
    assert popping(renderer, turn) <= 1
    breath = [Pose(breath=0.01 * i) for i in range(20)]
    assert popping(renderer, breath) <= 1


def test_the_outline_of_the_face_is_soft(renderer: Renderer) -> None:
    # a face without hair and cloth before a white wall has no step from skin to wall in one pixel
    rig = load_rig()
    bare = dataclasses.replace(
        rig, hair=np.zeros_like(rig.hair), cloth=rig.cloth[:0], behind=np.zeros_like(rig.behind)
    )
    cut = load_renderer(bare, 256).draw_rgba(Pose(head=(8, 0, 0)))
    alpha = cut[40:200, :, 3]
    edge = (alpha > 20) & (alpha < 235)
    assert edge.sum() > 2 * len(alpha)


def test_a_slow_turn_changes_little_between_frames(renderer: Renderer) -> None:
    frames = renderer.draw_many([Pose(head=(0.05 * i, 0, 0)) for i in range(8)]).astype(int)
    still = frames[:, :40, :40]
    assert np.abs(np.diff(still, axis=0)).max() == 0
    assert np.abs(np.diff(frames, axis=0)).mean() < 0.5


def test_a_head_turns_no_farther_than_its_rig_allows_and_without_a_kink() -> None:
    limit = (20.0, 14.0, 14.0)
    angles = np.array([limited((float(a), 0.0, 0.0), limit)[0] for a in np.arange(-60, 61, 0.5)])
    assert angles.max() <= 20
    assert angles.min() >= -20
    steps = np.diff(angles)
    assert (steps >= 0).all()
    assert np.abs(np.diff(steps)).max() < 0.05
    assert limited((10.0, -9.0, 9.0), limit) == (10.0, -9.0, 9.0)
    assert limited((math.nan, math.inf, 0.0), limit) == (0.0, 0.0, 0.0)


def test_a_pose_with_numbers_that_are_none_is_drawn_as_if_they_were_missing() -> None:
    renderer = load_renderer(load_rig(), size=128)
    broken = Pose({"jawOpen": math.nan, "mouthPucker": 0.5}, (math.nan, 0, 0), (0, math.nan), math.nan)
    assert np.array_equal(renderer.draw(broken), renderer.draw(Pose({"mouthPucker": 0.5})))
