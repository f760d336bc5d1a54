from pathlib import Path

import numpy as np
import pytest

from avatar.capture import capture
from avatar.gaze import gaze_of, held_over_blinks
from avatar.geometry import BLENDSHAPE_INDEX, head_matrix
from avatar.photo.landmarks import EYE_RIM, IRIS, FoundFace
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import load_rig
from avatar.viseme import mirrored
from tests.avatar.landmarker import MODEL, needs_landmarker
from tests.avatar.test_capture import film

AXES = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)
"""From x left, y away, z up to the tracker's x right in the picture, y up, z to the viewer."""


def face(beside: float = 0.0, above: float = 0.0, head: tuple[float, float, float] = (0, 0, 0)) -> FoundFace:
    """A face whose irises lie off the middle of eyes 40 px wide, by shares of that; its head is turned."""
    points = np.zeros((478, 3), np.float32)
    for side, x in (("right", -60.0), ("left", 60.0)):
        points[EYE_RIM[side][0]], points[EYE_RIM[side][8]] = (x - 20, 0, 0), (x + 20, 0, 0)
        points[IRIS[side][0]] = (x + 40 * beside, 40 * above, 0)
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = AXES @ head_matrix(head) @ AXES.T
    seen = points @ matrix[:3, :3].T * np.array([1, -1, -1], np.float32)
    return FoundFace(seen.astype(np.float32), np.zeros(52, np.float32), matrix)


def test_irises_beside_and_above_the_middle_look_to_the_left_and_up() -> None:
    assert gaze_of(face()) == pytest.approx((0, 0), abs=0.01)
    left, up = gaze_of(face(beside=0.1))
    assert left > 5
    assert up == pytest.approx(0, abs=0.01)
    left, up = gaze_of(face(above=-0.05))
    assert up < -5
    assert left == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("head", [(12.0, 0.0, 0.0), (0.0, 9.0, 0.0), (0.0, 0.0, 8.0), (8.0, -6.0, 5.0)])
def test_a_turned_head_does_not_change_where_its_eyes_look(head: tuple[float, float, float]) -> None:
    assert gaze_of(face(0.08, 0.03, head)) == pytest.approx(gaze_of(face(0.08, 0.03)), abs=0.2)


def test_the_trackers_shapes_have_their_say() -> None:
    looking = face()
    for name in ("eyeLookUpLeft", "eyeLookUpRight", "eyeLookOutLeft", "eyeLookInRight"):
        looking.blendshapes[BLENDSHAPE_INDEX[name]] = 0.5
    left, up = gaze_of(looking)
    assert left == pytest.approx(7)
    assert up > 7


def test_a_blink_is_no_look_down() -> None:
    times = np.arange(50) / 25
    gaze, weights = np.full((50, 2), 4.0, np.float32), np.full((50, 52), 0.1, np.float32)
    gaze[30:] = 6.0
    shut = slice(20, 24)
    weights[shut, BLENDSHAPE_INDEX["eyeBlinkLeft"]] = 0.8
    gaze[19:25] = -20.0
    held = held_over_blinks(gaze, weights, times)
    assert held[:, 1].min() == pytest.approx(4)
    assert np.abs(np.diff(held[:, 1])).max() <= 2
    assert (held[[0, 49]] == gaze[[0, 49]]).all()
    assert (held_over_blinks(gaze, np.full((50, 52), 0.1, np.float32), times) == gaze).all()


@pytest.mark.model
@needs_landmarker
def test_looks_up_and_down_come_back_through_nods_and_blinks(tmp_path: Path) -> None:
    count = 100
    t = (np.arange(count) + 0.5) / 25
    up, pitch = 10 * np.sin(2 * np.pi * 0.5 * t), 5 * np.sin(2 * np.pi * 0.35 * t + 1)
    blink = np.interp(np.arange(count) % 40, [0, 30, 32, 33, 36, 40], [0, 0, 1, 1, 0, 0])
    renderer = load_renderer(load_rig(), size=320)
    frames = [
        renderer.draw(Pose(mirrored({"eyeBlink_": blink[i]}), (0, pitch[i], 0), (0, up[i])))
        for i in range(count)
    ]
    track = capture(film(tmp_path / "look.mp4", frames), MODEL).track
    seen = np.array([pose.gaze[1] for pose in track.poses])
    assert np.corrcoef(seen, up)[0, 1] > 0.8
    assert 0.6 < np.polyfit(up, seen, 1)[0] < 1.4
