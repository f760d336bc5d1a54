from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from agent.desk import Desk, new_desk
from avatar.errors import InputError
from moderation import ModerationError, Policy
from server.picture import LandmarkerFaces, check_photo_file
from tests.moderation.pictures import encoded, huge_png, noise, red_model, with_segment
from tests.server.called import document, run

CONSENT = "I, Anna Kern, agree that this photo of me is animated as a test"


def test_screen_judges_pictures(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encoded(".jpg"))
    fine = document("screen", "--image", photo)
    assert {key: fine[key] for key in ("action", "rule", "text", "size", "format", "faces")} == {
        "action": "allow", "rule": "", "text": "", "size": [120, 80], "format": "jpeg", "faces": None,
    }  # fmt: skip
    assert document("screen", "--image", photo, "--no-consent")["rule"] == "image.consent"
    photo.write_bytes(with_segment(encoded(".jpg"), 0xFE, b"<?php x();"))
    refused = document("screen", "--image", photo, "--consent")
    assert (refused["action"], refused["rule"]) == ("refuse", "image.polyglot")
    code, out, _ = run("screen", "--image", photo)
    assert (code, out.splitlines()[0]) == (0, "refuse by image.polyglot")
    assert "export it again" in out


def test_screen_judges_clips(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    told = document("screen", "--image", clip)
    assert (told["action"], told["format"], told["frames"]) == ("allow", "mp4", 1)
    assert told["duration_s"] == pytest.approx(1.8, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("screen",), "--image"),
        (("screen", "hello", "--image", "a.png"), "one of both"),
        (("screen", "--image", "missing.png"), "missing.png is not there"),
    ],
)
def test_screen_is_told_what_to_look_at(arguments: tuple[str, ...], told: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert told in err


def test_the_desks_classifier_and_limits_judge(tmp_path: Path) -> None:
    photo = tmp_path / "red.png"
    photo.write_bytes(encoded(".png", np.full((80, 80, 3), (255, 0, 0), np.uint8)))
    red_model(tmp_path / "model")
    policy = tmp_path / "policy.toml"
    policy.write_text('[images]\nclassifier = "model"\nmax_megapixels = 0.008\n')
    with pytest.raises(InputError, match="shows sexual"):
        check_photo_file(photo, Policy.load(policy))
    photo.write_bytes(encoded(".png", noise(100, 100)))
    with pytest.raises(InputError, match="megapixels"):
        check_photo_file(photo, Policy.load(policy))
    check_photo_file(photo)


def test_a_corrupt_classifier_of_pictures_is_told_when_the_desk_opens(tmp_path: Path) -> None:
    new_desk(tmp_path / "desk", name="Mira", company="Kern")
    (tmp_path / "desk" / "policy.toml").write_text('[images]\nclassifier = "model"\n')
    red_model(tmp_path / "desk" / "model")
    Desk.load(tmp_path / "desk").guard()
    (tmp_path / "desk" / "model" / "model.onnx").write_bytes(b"\x08\x09not a model")
    with pytest.raises(ModerationError, match=r"model\.onnx: is no ONNX model"):
        Desk.load(tmp_path / "desk").guard()


def test_a_photo_that_is_not_safe_never_reaches_the_rigs_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reached(*_: object, **__: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("avatar.photo.create.read_photo", reached)
    landmarker = tmp_path / "face_landmarker.task"
    landmarker.write_bytes(bytes(200_000))
    photo = tmp_path / "photo.png"
    photo.write_bytes(huge_png(60_000, 60_000))
    out = tmp_path / "rig"
    code, _, err = run(
        "avatar",
        "create",
        photo,
        "--name",
        "anna",
        "--consent",
        CONSENT,
        "--landmarker",
        landmarker,
        "-o",
        out,
    )
    assert (code, out.exists()) == (2, False)
    assert "megapixels" in err


def test_faces_are_counted_by_the_avatars_landmarker() -> None:
    class Two:
        def search(self, picture: np.ndarray) -> list[str]:
            return ["a face", "another"]

    assert LandmarkerFaces(Two()).count(noise()) == 2  # type: ignore[arg-type]
