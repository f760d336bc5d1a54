import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avatar.capture import _calibrated, _evened, _frames, _opened, capture
from avatar.errors import AvatarError
from avatar.filter import OneEuro, smooth
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.lipcheck import lip_gap_mm
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.renderer import load_renderer
from avatar.rig import load_rig
from avatar.viseme import mirrored
from tests.avatar.landmarker import MODEL, needs_landmarker


def film(path: Path, pictures: list[np.ndarray], fps: int = 25) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "preset": "ultrafast"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_the_filter_calms_noise_and_follows_jumps() -> None:
    times = np.arange(200, dtype=np.float32) / 25
    noise = np.random.default_rng(0).normal(0, 0.02, (200, 1)).astype(np.float32)
    step = (times > 4).astype(np.float32)[:, None]
    out = smooth(step + noise, times, 1.0, 4.0)
    assert out[20:80].std() < 0.5 * noise[20:80].std()
    assert abs(float(out[np.argmax(times > 4) + 3, 0]) - 1) < 0.12


def test_smoothing_a_recording_adds_no_lag() -> None:
    times = np.arange(250, dtype=np.float32) / 25
    wave = np.sin(2 * math.pi * 0.8 * times)[:, None].astype(np.float32)
    out = smooth(wave, times, 1.2, 0.5)
    lags = range(-5, 6)
    best = max(lags, key=lambda d: float((out[10 + d : 240 + d] * wave[10:240]).sum()))
    assert best == 0


def test_the_filter_ignores_time_that_stands_still() -> None:
    one = OneEuro(1.0, 0.0)
    first = one(np.array([1.0], np.float32), 0.0)
    assert one(np.array([5.0], np.float32), 0.0) == first
    with pytest.raises(ValueError, match="cutoff"):
        OneEuro(0.0, 1.0)


def test_short_gaps_are_bridged_and_long_ones_relax() -> None:
    times = np.array([0.0, 0.04, 0.4, 0.44, 2.44, 2.48])
    values = np.full((6, 57), 0.8, np.float32)
    at = np.arange(63) / 25
    even, gaps = _evened(times, values, at)
    assert len(gaps) == 1
    assert gaps[0] == pytest.approx((0.44, 2.44))
    assert np.abs(even[at < 0.44] - 0.8).max() < 1e-6
    middle = even[(at > 0.9) & (at < 2.0)]
    assert np.abs(middle).max() < 1e-6
    assert np.abs(np.diff(even[:, 0])).max() < 0.15


def test_the_first_pose_is_held_until_the_pictures_begin() -> None:
    times, at = np.array([2.0, 2.04, 2.08]), np.arange(53) / 25
    even, gaps = _evened(times, np.full((3, 57), 0.8, np.float32), at, 2.0)
    assert gaps == []
    assert np.abs(even - 0.8).max() < 1e-6
    even, gaps = _evened(times, np.full((3, 57), 0.8, np.float32), at, 1.0)
    assert gaps == [(1.0, 2.0)]
    assert np.abs(even[at < 1.6]).max() < 1e-6


def test_a_resting_face_becomes_neutral_and_shapes_keep_their_range() -> None:
    values = np.zeros((100, 57), np.float32)
    brow, jaw = BLENDSHAPE_INDEX["browInnerUp"], BLENDSHAPE_INDEX["jawOpen"]
    values[:, brow] = 0.4
    values[60:70, brow] = 1.0
    values[20:40, jaw] = 0.7
    values[:, 52] = 7.0
    out = _calibrated(values)
    assert np.abs(out[:60, brow]).max() < 1e-6
    assert out[65, brow] == pytest.approx(1.0)
    assert out[30, jaw] == pytest.approx(0.7)
    assert np.abs(out[:, 52]).max() == 0


def sounding(path: Path, *, pictures_s: float, sound_s: float, seconds: float = 1.0) -> Path:
    """A Matroska film of `seconds` whose pictures and sound begin at the given times; pictures count up."""
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        packets = []
        for i in range(round(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 8 * i % 256, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round((pictures_s + i / 25) * 25), Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode()
        for i in range(round(seconds * 25)):
            piece = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.int16), format="s16", layout="mono")
            piece.rate, piece.pts = 8000, round(sound_s * 8000) + 320 * i
            piece.time_base = Fraction(1, 8000)
            packets += sound.encode(piece)
        packets += sound.encode()
        for packet in sorted(packets, key=lambda p: float(p.pts * p.time_base)):
            container.mux(packet)
    return path


def test_time_counts_from_the_first_sound(tmp_path: Path) -> None:
    late = [time for time, *_ in _frames(sounding(tmp_path / "a.mkv", pictures_s=0.4, sound_s=0.0))]
    assert late[:2] == pytest.approx([0.4, 0.44], abs=0.002)
    early = [time for time, *_ in _frames(sounding(tmp_path / "b.mkv", pictures_s=0.0, sound_s=0.2))]
    assert early[:6] == pytest.approx([-0.2, -0.16, -0.12, -0.08, -0.04, 0.0], abs=0.002)
    mute = [time for time, *_ in _frames(film(tmp_path / "c.mp4", [np.zeros((64, 64, 3), np.uint8)] * 3))]
    assert mute == pytest.approx([0.0, 0.04, 0.08], abs=0.002)


def test_a_film_of_months_is_refused_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.mkv"
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        packets = []
        for pts in range(4):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = pts, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode()
        packets[-1].pts = packets[-1].dts = round(10**6 / packets[-1].time_base)
        container.mux(packets)
    with pytest.raises(AvatarError, match="cut the video"):
        list(_frames(path))


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    film(tmp_path / "other.mp4", [np.zeros((64, 64, 3), np.uint8)] * 3)
    playlist = tmp_path / "list.mp4"
    playlist.write_text("ffconcat version 1.0\nfile other.mp4\n")
    with pytest.raises(AvatarError, match="cannot be read"):
        list(_frames(playlist))


@needs_landmarker
def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="no video"):
        capture(tmp_path / "absent.mp4", MODEL)
    text = tmp_path / "text.mp4"
    text.write_text("no video at all")
    with pytest.raises(AvatarError, match="cannot be read"):
        capture(text, MODEL)
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
        frame.rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(AvatarError, match="only sound"):
        capture(sound, MODEL)
    empty = film(tmp_path / "empty.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 5)
    with pytest.raises(AvatarError, match="no face"):
        capture(empty, MODEL)


@pytest.mark.model
@needs_landmarker
def test_a_performance_comes_back_as_it_was_played(tmp_path: Path) -> None:
    count, fps = 75, 25
    t = (np.arange(count) + 0.5) / fps
    jaw = 0.5 * np.clip(np.sin(2 * np.pi * 1.1 * t), 0, 1)
    smile = 0.7 * np.clip(np.sin(2 * np.pi * 0.6 * t + 2), 0, 1)
    blink = np.clip(np.sin(2 * np.pi * 0.8 * t + 4), 0, 1)
    yaw, roll = 9 * np.sin(2 * np.pi * 0.5 * t), 6 * np.sin(2 * np.pi * 0.4 * t + 1)
    gaze = 14 * np.sin(2 * np.pi * 0.55 * t + 2)
    poses = [
        Pose(
            {**mirrored({"mouthSmile_": smile[i]}), "jawOpen": jaw[i], "eyeBlinkLeft": blink[i]},
            (yaw[i], 0.0, roll[i]),
            (gaze[i], 0.0),
        )
        for i in range(count)
    ]
    renderer = load_renderer(load_rig(), size=320)
    frames = [renderer.draw(pose) for pose in poses]
    frames[30:34] = [np.full_like(frames[0], 128)] * 4
    seen: list[float] = []
    result = capture(film(tmp_path / "play.mp4", frames), MODEL, progress=lambda done, _: seen.append(done))
    track = result.track
    assert (track.fps, len(track.poses)) == (25, count)
    assert result.frames == count
    assert count - 8 <= result.found <= count - 4
    assert not result.gaps
    assert seen == sorted(seen)

    def follows(measured: list[float], played: np.ndarray) -> float:
        return float(np.corrcoef(measured, played)[0, 1])

    assert follows([p.head[0] for p in track.poses], yaw) > 0.95
    assert follows([p.head[2] for p in track.poses], roll) > 0.95
    assert follows([p.gaze[0] for p in track.poses], gaze) > 0.6
    assert follows([p.blendshapes.get("jawOpen", 0.0) for p in track.poses], jaw) > 0.8
    assert follows([p.blendshapes.get("mouthSmileLeft", 0.0) for p in track.poses], smile) > 0.85
    left, right = (
        [p.blendshapes.get(f"eyeBlink{side}", 0.0) for p in track.poses] for side in ("Left", "Right")
    )
    assert follows(left, blink) > 0.8
    assert max(left) > max(right)


def test_a_mouth_opens_as_far_as_the_landmarks_say_and_stays_closed_at_rest() -> None:
    values = np.zeros((40, 57), np.float32)
    aspects = np.full(40, 0.06, np.float32)
    aspects[20:] = 0.25
    jaw = BLENDSHAPE_INDEX["jawOpen"]
    out = _opened(values, aspects)
    assert out[:20].max() == 0
    rig = load_rig()
    gap = lip_gap_mm(rig, [Pose(dict(zip(ARKIT_BLENDSHAPES, out[30, :52].tolist(), strict=True)))])[0]
    assert 6 < gap - lip_gap_mm(rig, [Pose()])[0] < 12
    shut = values.copy()
    shut[:, jaw] = 0.3
    assert _opened(shut, np.full(40, 0.06, np.float32))[:, jaw].max() < 0.01
