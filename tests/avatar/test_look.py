import numpy as np
import pytest

from avatar.framing import frame_of
from avatar.geometry import weights_of
from avatar.look import (
    CHEST_LIFT_M,
    EYES_BOX_M,
    GLINT_OUT,
    LASH_SWING_RAD,
    MOUTH_BOX_M,
    Side,
    box_middle,
    box_size,
    chest_lift,
    eye_turn,
    glint_points,
    glint_share,
    lash_swing,
    px_per_m,
)
from avatar.pose import Pose
from avatar.rig import Rig, load_rig


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig("mira")


def ahead(side: Side, **weights: float) -> np.ndarray:
    """Where an eye looks, that looks along -y at rest."""
    return eye_turn(weights_of(Pose(weights)), side) @ np.array([0, -1, 0], np.float32)


def test_eyes_that_look_out_look_apart_and_eyes_that_look_up_look_the_same_way() -> None:
    out = {"eyeLookOutLeft": 1.0, "eyeLookOutRight": 1.0}
    assert ahead("left", **out)[0] > 0.4
    assert ahead("right", **out)[0] < -0.4
    up = {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}
    assert ahead("left", **up)[2] == ahead("right", **up)[2] > 0.1


def test_lashes_swing_with_their_own_lid() -> None:
    assert lash_swing(weights_of(Pose({"eyeBlinkLeft": 1.0}))) == [LASH_SWING_RAD, 0.0]


def test_glints_lie_on_the_cornea_toward_the_viewer_and_go_out_under_a_lid(rig: Rig) -> None:
    for eye in rig.manifest.eyes.values():
        away = glint_points(eye) - np.array(eye.centre)
        across, deep, up = (away / eye.radius).T
        assert deep / np.sqrt(1 - across**2 - up**2) == pytest.approx(-GLINT_OUT)
    assert list(glint_share(np.array([0.0, 0.3, 0.8, 1.0], np.float32))) == [1, 1, 0, 0]
    assert 0 < float(glint_share(np.array([0.5], np.float32))[0]) < 1


@pytest.mark.parametrize("breath", [-1.0, float("nan")])
def test_a_breath_that_is_none_lifts_nothing(breath: float) -> None:
    assert chest_lift(Pose(breath=breath)) == 0.0
    assert chest_lift(Pose(breath=2.0)) == CHEST_LIFT_M


def test_the_fine_boxes_hold_mouth_and_eyes_and_fit_into_any_frame(rig: Rig) -> None:
    eyes = rig.manifest.eyes
    assert box_middle(eyes, MOUTH_BOX_M)[2] < box_middle(eyes, EYES_BOX_M)[2]
    frame = frame_of(rig.manifest, 512)
    wide, tall = box_size(EYES_BOX_M, rig, frame)
    apart = abs(eyes["left"].centre[0] - eyes["right"].centre[0]) * px_per_m(rig, frame)
    assert wide > apart > tall
    assert box_size((-9.0, 9.0, -9.0, 9.0), rig, frame) == (512, 512)
