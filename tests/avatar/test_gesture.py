import numpy as np
import pytest

from avatar.expression import EMOTIONS
from avatar.gesture import GESTURES, HEAD, OVERLAY, SHAPES, flipped, gesture_for, gesture_names
from avatar.pose import ARKIT_BLENDSHAPES


def test_there_are_more_than_a_dozen() -> None:
    assert len(gesture_names()) >= 12
    assert set(gesture_names()) == set(GESTURES)


@pytest.mark.parametrize("name", gesture_names())
def test_a_gesture_begins_and_ends_at_rest(name: str) -> None:
    gesture = GESTURES[name]
    assert not gesture.at(0.0).any()
    assert not gesture.at(gesture.end_s).any()
    assert not gesture.at(gesture.end_s + 5).any()
    assert np.abs(gesture.at(0.01)).max() < 0.05


@pytest.mark.parametrize("name", gesture_names())
def test_a_gesture_moves_visibly_but_with_dignity(name: str) -> None:
    gesture = GESTURES[name]
    times = np.arange(0, gesture.end_s, 0.01)
    run = np.stack([gesture.at(t) for t in times])
    assert run.shape[1] == OVERLAY
    assert run[:, :SHAPES].min() >= 0
    assert run[:, :SHAPES].max() <= 1
    head = np.abs(run[:, HEAD])
    assert 1.5 < head.max() <= 7
    # 45 degrees a second is a brisk nod; weights take at least a tenth of a second
    assert np.abs(np.diff(run[:, HEAD], axis=0)).max() / 0.01 < 65
    assert np.abs(np.diff(run[:, :SHAPES], axis=0)).max() / 0.01 < 8
    assert 0.5 <= gesture.end_s <= 3


def test_a_flipped_gesture_is_its_mirror_image() -> None:
    overlay = GESTURES["think"].at(0.8)
    other = flipped(overlay)
    left, right = (ARKIT_BLENDSHAPES.index("browOuterUp" + side) for side in ("Left", "Right"))
    assert other[left] == overlay[right] > 0.2
    assert other[HEAD][0] == -overlay[HEAD][0]
    assert other[HEAD][1] == overlay[HEAD][1]
    assert np.array_equal(flipped(other), overlay)


def test_every_emotion_has_a_gesture_at_the_start_of_a_reply() -> None:
    assert {gesture_for(emotion) for emotion in EMOTIONS} <= set(gesture_names())
    assert gesture_for("apologetic") == "apologise"
    assert gesture_for("no such emotion") is None
