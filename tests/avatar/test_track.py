import json
from pathlib import Path

import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.performance import perform
from avatar.pose import Pose
from avatar.track import PoseTrack, load_track
from tests.avatar.lines import SENTENCE

RAMP = PoseTrack(10.0, tuple(Pose({"jawOpen": i / 10}, (float(i), 0.0, 0.0)) for i in range(10)))


def test_a_saved_track_comes_back_within_its_rounding(tmp_path: Path) -> None:
    track = PoseTrack(25.0, tuple(perform(SENTENCE, "happy")), "by hand", {"tool": "test 1"})
    track.save(tmp_path / "new" / "a.json")
    back = load_track(tmp_path / "new" / "a.json")
    assert (back.fps, back.source, back.made) == (track.fps, track.source, track.made)
    assert len(back.poses) == len(track.poses)
    for was, now in zip(track.poses, back.poses, strict=True):
        names = set(was.blendshapes) | set(now.blendshapes)
        assert max(abs(was.blendshapes.get(n, 0) - now.blendshapes.get(n, 0)) for n in names) <= 0.0011
        assert np.abs(np.subtract(was.head, now.head)).max() <= 0.0051
        assert np.abs(np.subtract(was.gaze, now.gaze)).max() <= 0.0051
        assert abs(was.breath - now.breath) <= 0.00051


def test_a_minute_of_talk_takes_less_than_a_megabyte(tmp_path: Path) -> None:
    poses = perform(SENTENCE, "happy")
    minute = PoseTrack(25.0, tuple((poses * 100)[:1500]))
    minute.save(tmp_path / "m.json")
    assert (tmp_path / "m.json").stat().st_size < 1_000_000


def test_between_two_frames_lies_their_mixture() -> None:
    assert RAMP.at(0.05) == RAMP.poses[0]
    assert RAMP.at(0.10).blendshapes["jawOpen"] == pytest.approx(0.05)
    assert RAMP.at(0.10).head[0] == pytest.approx(0.5)
    assert RAMP.at(-3) == RAMP.poses[0]
    assert RAMP.at(99) == RAMP.poses[-1]


@pytest.mark.parametrize("fps", [7.0, 24.0, 25.0, 60.0])
def test_another_rate_is_the_same_motion(fps: float) -> None:
    other = RAMP.resampled(fps)
    assert abs(other.duration_s - RAMP.duration_s) <= 0.5 / fps + 1e-9
    inside = [t for t in ((i + 0.5) / fps for i in range(len(other.poses))) if 0.05 <= t <= 0.95]
    for time_s in inside:
        assert other.at(time_s).blendshapes["jawOpen"] == pytest.approx(time_s - 0.05, abs=1e-6)


def test_an_empty_track_says_so(tmp_path: Path) -> None:
    empty = PoseTrack(25.0, ())
    empty.save(tmp_path / "e.json")
    with pytest.raises(AvatarError, match="frames"):
        load_track(tmp_path / "e.json")
    assert empty.resampled(30.0).poses == ()
    with pytest.raises(AvatarError, match="no poses"):
        empty.at(0.0)


def test_a_strange_rate_is_refused() -> None:
    with pytest.raises(AvatarError, match="frames a second"):
        RAMP.resampled(0.0)


def test_a_track_of_hours_is_refused_before_it_is_spread_out() -> None:
    with pytest.raises(AvatarError, match="cut it"):
        PoseTrack(1e-9, RAMP.poses).resampled(25.0)


def altered(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "t.json"
    RAMP.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 9}, "version 9"),
        ({"format": "bvh"}, "not a pose track"),
        ({"fps": 0}, "fps"),
        ({"frames": 10**9}, "frames"),
        ({"frames": 3, "fps": 1e-9, "shapes": {}, "head": [], "gaze": [], "breath": []}, "cut it"),
        ({"frames": 11}, "10 values for 11 frames"),
        ({"shapes": {"jawOpn": [0] * 10}}, "jawOpn is no ARKit shape"),
        ({"shapes": {"jawOpen": [2] * 10}}, "jawOpen"),
        ({"head": [[0, 0, 400]] * 10}, "head"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(AvatarError, match=message):
        load_track(altered(tmp_path, **changes))


def test_a_missing_or_damaged_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="cannot be read"):
        load_track(tmp_path / "none.json")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(AvatarError, match="not a pose track"):
        load_track(tmp_path / "x.json")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(AvatarError, match="not a pose track"):
        load_track(tmp_path / "deep.json")
    (tmp_path / "y.json").write_text("[]")
    with pytest.raises(AvatarError, match="not a pose track"):
        load_track(tmp_path / "y.json")


def test_parts_that_are_zero_may_be_left_out(tmp_path: Path) -> None:
    path = altered(tmp_path)
    raw = json.loads(path.read_text())
    for key in ("head", "gaze", "breath"):
        del raw[key]
    path.write_text(json.dumps(raw))
    assert load_track(path).poses[3] == Pose({"jawOpen": 0.3})
