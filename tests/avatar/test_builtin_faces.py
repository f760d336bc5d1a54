"""What every built-in face must be able to do, measured on its mesh."""

import numpy as np
import pytest

from avatar.geometry import BLENDSHAPE_INDEX, project
from avatar.lipcheck import CLOSED_MM, lip_gap_mm
from avatar.pose import Pose
from avatar.rig import Rig, load_rig, rig_names
from avatar.seen import Seen
from avatar.viseme import VISEME_WEIGHTS

SIZE = 512


def drawn(rig: Rig, weights: dict[str, float]) -> np.ndarray:
    """Index of the triangle at each pixel of a picture, -1 where there is none."""
    vertices = rig.vertices.copy()
    for name, weight in weights.items():
        vertices[rig.active] += weight * rig.deltas[BLENDSHAPE_INDEX[name]]
    camera = rig.manifest.camera
    xy, depth = project(vertices, (camera.y, camera.z, camera.focal), SIZE)
    return Seen(xy, depth, rig.triangles, SIZE, SIZE).ids


def eye_pixels(rig: Rig, weights: dict[str, float]) -> int:
    first = min(eye.first for eye in rig.manifest.eyes.values())
    ids = drawn(rig, weights)
    return int((rig.triangles[ids[ids >= 0]].min(1) >= first).sum())


@pytest.mark.parametrize("name", rig_names())
def test_lids_close_over_the_eyes(name: str) -> None:
    rig = load_rig(name)
    assert eye_pixels(rig, {}) > 300
    assert eye_pixels(rig, {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}) <= 3


@pytest.mark.parametrize("name", rig_names())
def test_lips_meet_at_rest_and_in_bilabials_and_part_in_vowels(name: str) -> None:
    rest, bilabial, vowel = lip_gap_mm(
        load_rig(name), [Pose(), Pose(VISEME_WEIGHTS["PP"]), Pose(VISEME_WEIGHTS["aa"])]
    )
    assert rest <= CLOSED_MM
    assert bilabial <= CLOSED_MM
    assert vowel > 5
