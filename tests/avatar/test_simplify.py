import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from avatar.bake.simplify import FINE_M, simplify
from avatar.lipcheck import lip_gap_mm
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import BUILTIN, load_rig
from avatar.viseme import VISEME_WEIGHTS

POSES = [
    Pose({"jawOpen": 0.7, "mouthSmileLeft": 0.6, "browInnerUp": 1.0}, head=(9, 5, 2)),
    Pose({**VISEME_WEIGHTS["ou"], "eyeBlinkLeft": 1.0, "eyeBlinkRight": 0.5}, head=(-9, -5, 0)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(BUILTIN / "mira", tmp_path_factory.mktemp("rigs") / "mira"))


def test_fewer_triangles_draw_the_same_picture_and_a_second_pass_changes_little(folder: Path) -> None:
    whole = load_rig(folder)
    before, after = simplify(folder)
    assert before == len(whole.triangles)
    simpler = load_rig(folder)
    assert len(simpler.triangles) == after <= before
    assert simpler.deltas.shape[1] == len(simpler.active) <= len(whole.active)
    pictures = [load_renderer(rig, 256).draw_many(POSES).astype(int) for rig in (whole, simpler)]
    difference = np.abs(pictures[0] - pictures[1])
    assert difference.mean() < 0.2
    assert (difference.max(axis=-1) > 24).mean() < 1e-3


def test_lips_part_as_far_as_before_and_lashes_and_eyes_stay_where_they_are(folder: Path) -> None:
    whole, simpler = load_rig(BUILTIN / "mira"), load_rig(folder)
    poses = [Pose(weights) for weights in VISEME_WEIGHTS.values()] + POSES
    assert np.abs(lip_gap_mm(whole, poses) - lip_gap_mm(simpler, poses)).max() < 1000 * FINE_M
    for columns in (1, 3):
        assert set(whole.lips[columns]) == set(simpler.lips[columns])
    assert np.array_equal(whole.vertices[whole.lash_root], simpler.vertices[simpler.lash_root])
    for side, eye in whole.manifest.eyes.items():
        moved = simpler.manifest.eyes[side]
        shown = np.unique(whole.triangles)
        shown = shown[(shown >= eye.first) & (shown < eye.first + eye.count)]
        ball = {tuple(v) for v in whole.vertices[shown]}
        left = {tuple(v) for v in simpler.vertices[moved.first : moved.first + moved.count]}
        assert left <= ball
        reach = [np.ptp(np.array(list(part)), axis=0) for part in (ball, left)]
        assert np.abs(reach[0] - reach[1]).max() < 0.001


def test_the_manifest_keeps_everything_else(folder: Path) -> None:
    manifests = [json.loads((path / "rig.json").read_text()) for path in (BUILTIN / "mira", folder)]
    for manifest in manifests:
        for eye in manifest["eyes"].values():
            del eye["first"], eye["count"]
    assert manifests[0] == manifests[1]
