from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from moderation import Action, ClipLimits, check_clip
from moderation.image_model import OnnxImageClassifier
from tests.moderation.pictures import encoded, red_model

FPS = 5


def _clip(path: Path, colours: list[tuple[int, int, int]], side: int = 96) -> Path:
    """A clip that shows each colour for a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for colour in colours:
            frame = av.VideoFrame.from_ndarray(np.full((side, side, 3), colour, np.uint8), format="rgb24")
            for _ in range(FPS):
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


GREY, RED = (120, 120, 120), (255, 0, 0)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_an_ordinary_clip_passes(suffix: str, tmp_path: Path) -> None:
    verdict = check_clip(_clip(tmp_path / f"a{suffix}", [GREY] * 5), consent=True)
    assert (verdict.action, verdict.size, verdict.format) == (
        Action.ALLOW,
        (96, 96),
        "mp4" if suffix == ".mp4" else "webm",
    )
    assert verdict.frames == 3
    assert verdict.duration_s == pytest.approx(4.8, abs=0.05)


def test_one_bad_stretch_in_a_clip_is_found_and_its_time_told(tmp_path: Path) -> None:
    classifier = OnnxImageClassifier(red_model(tmp_path / "model"))
    clip = _clip(tmp_path / "a.mp4", [GREY, GREY, RED, GREY])
    verdict = check_clip(clip, classifier=classifier, every_s=1.0)
    assert (verdict.action, verdict.rule) == (Action.REFUSE, "image.sexual")
    assert "at 2 s" in verdict.reasons[0]
    assert check_clip(_clip(tmp_path / "b.mp4", [GREY] * 4), classifier=classifier).passes


def test_a_face_is_needed_in_one_frame_at_least(tmp_path: Path) -> None:
    class Reddish:
        def count(self, picture: np.ndarray) -> int:
            return int(picture[..., 0].mean() > 200)

    clip = _clip(tmp_path / "a.mp4", [GREY, RED])
    assert check_clip(clip, faces=Reddish(), every_s=0.5).passes
    assert check_clip(_clip(tmp_path / "b.mp4", [GREY]), faces=Reddish()).rule == "image.no_face"


def test_limits_hold_before_and_while_decoding(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "a.mp4", [GREY] * 3)
    assert check_clip(clip, limits=ClipLimits(max_bytes=100)).rule == "image.bytes"
    assert check_clip(clip, limits=ClipLimits(max_pixels=96 * 95)).rule == "image.pixels"
    assert check_clip(clip, limits=ClipLimits(max_duration_s=1.0)).rule == "image.long"
    assert check_clip(clip, consent=False).rule == "image.consent"


def test_broken_and_foreign_files_are_refused(tmp_path: Path) -> None:
    whole = _clip(tmp_path / "a.mp4", [GREY] * 3).read_bytes()
    wanted = {
        "short.mp4": (whole[:-50], "truncated"),
        "picture.mp4": (encoded(".png"), "format"),
        "playlist.mp4": (b"#EXTM3U\nfile:///etc/passwd\n", "format"),
        "empty.mp4": (b"", "format"),
        "noise.webm": (b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 20, "damaged"),
    }
    for name, (data, rule) in wanted.items():
        (tmp_path / name).write_bytes(data)
        verdict = check_clip(tmp_path / name)
        assert (name, verdict.rule) == (name, f"image.{rule}")
        assert verdict.action is Action.REFUSE
    assert check_clip(tmp_path / "missing.mp4").rule == "image.unreadable"
    assert check_clip(tmp_path).rule == "image.unreadable"
