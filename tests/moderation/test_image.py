from __future__ import annotations

import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation import Action, Category, ImageLimits, check_image
from moderation.errors import ModerationError
from moderation.image_file import read_picture_file
from moderation.image_model import OnnxImageClassifier
from tests.moderation.pictures import (
    chunk,
    encoded,
    exif,
    huge_png,
    noise,
    red_model,
    webp_of,
    with_chunk,
    with_segment,
)

SUFFIXES = (".jpg", ".png", ".webp")
WHOLE = {suffix: encoded(suffix) for suffix in SUFFIXES}


class Faces:
    def __init__(self, number: int) -> None:
        self.number = number

    def count(self, picture: np.ndarray) -> int:
        assert picture.dtype == np.uint8
        return self.number


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_ordinary_picture_passes_and_is_decoded(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / "named.whatever"
    file.write_bytes(encoded(suffix))
    verdict = check_image(file, consent=True)
    assert (verdict.action, verdict.rule, verdict.reasons) == (Action.ALLOW, "", ())
    assert verdict.size == (120, 80)
    assert verdict.format == {".jpg": "jpeg", ".png": "png", ".webp": "webp"}[suffix]
    assert verdict.picture is not None
    assert np.abs(verdict.picture[:, :50].astype(int) - (220, 20, 20)).max() < 40


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("run.py", "print()")
    return file.getvalue()


def _animated_png() -> bytes:
    return with_chunk(encoded(".png"), b"acTL", (3).to_bytes(4, "big") + bytes(4))


def _animated_webp() -> bytes:
    size = (119).to_bytes(3, "little") + (79).to_bytes(3, "little")
    return webp_of(
        (b"VP8X", b"\x02\0\0\0" + size), (b"ANIM", bytes(6)), (b"ANMF", bytes(24)), (b"ANMF", bytes(24))
    )


def _many_scans() -> bytes:
    whole = encoded(".jpg")
    at = whole.index(b"\xff\xda")
    return whole[:-2] + whole[at:-2] * 150 + b"\xff\xd9"


def _flipped_bit() -> bytes:
    whole = bytearray(encoded(".png"))
    whole[len(whole) // 2] ^= 1
    return bytes(whole)


BROKEN = {
    "no bytes at all": (b"", "format"),
    "a text": (b"hello, I am a photo", "format"),
    "a GIF": (b"GIF89a" + bytes(60), "format"),
    "a drawing that may hold scripts": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format"),
    "a program": (b"MZ\x90\0" + bytes(60), "format"),
    "a PNG cut short": (encoded(".png")[:-200], "truncated"),
    "a JPEG cut short": (encoded(".jpg")[:-200], "truncated"),
    "a WebP cut short": (encoded(".webp")[:-200], "truncated"),
    "a PNG with a flipped bit": (_flipped_bit(), "truncated"),
    "a PNG of 6.4 gigapixels": (huge_png(80_000, 80_000), "pixels"),
    "a PNG as long as a thread": (huge_png(50_000, 70), "ratio"),
    "a PNG that is larger than what it holds": (huge_png(2000, 2000), "damaged"),
    "a picture of a few pixels": (encoded(".png", noise(20, 20)), "small"),
    "an animated PNG": (_animated_png(), "animated"),
    "an animated WebP": (_animated_webp(), "animated"),
    "a JPEG of many scans": (_many_scans(), "bomb"),
    "a JPEG of many pieces": (encoded(".jpg")[:2] + b"\xff\xfe\0\2" * 25_000, "bomb"),
    "a JPEG of nothing but filling": (encoded(".jpg")[:3] + b"\xff" * 3_000_000, "truncated"),
    "a PNG of many pieces": (encoded(".png")[:33] + chunk(b"teSt", b"") * 25_000, "bomb"),
    "a picture with an archive behind it": (encoded(".jpg") + _zip(), "polyglot"),
    "a picture with a page behind it": (encoded(".png") + b"\n<html><script>x()</script>", "polyglot"),
    "a picture with a script in a comment": (
        with_segment(encoded(".jpg"), 0xFE, b"<?php x(); ?>"),
        "polyglot",
    ),
    "a picture with a script in its text": (with_chunk(encoded(".png"), b"tEXt", b"a\0<SCRIPT>"), "polyglot"),
    "a picture that is a document, too": (with_segment(encoded(".jpg"), 0xFE, b"%PDF-1.7"), "polyglot"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_safe_picture_is_refused_with_a_remedy(what: str) -> None:
    data, rule = BROKEN[what]
    verdict = check_image(data)
    assert (verdict.action, verdict.rule) == (Action.REFUSE, f"image.{rule}")
    assert verdict.picture is None
    assert any(word in verdict.reasons[0] for word in ("give", "export", "copy", "cut"))


def test_an_archive_that_hides_in_a_comment_is_found() -> None:
    hidden = with_segment(encoded(".jpg"), 0xFE, _zip())
    assert check_image(hidden).passes  # unpacking programs see no archive in it
    archive = bytearray(hidden)
    at = archive.index(b"PK\x05\x06")
    archive[at + 20 : at + 22] = (len(archive) - at - 22).to_bytes(2, "little")
    assert check_image(bytes(archive)).rule == "image.polyglot"


def test_what_phones_put_behind_a_photo_is_left_out_not_refused() -> None:
    verdict = check_image(encoded(".jpg") + bytes(4) + b"ftypmp42" + bytes(5000))
    assert verdict.passes


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pictures_are_turned_upright_and_lose_what_the_camera_wrote(suffix: str) -> None:
    data, told = encoded(suffix), exif(6, place=True)
    if suffix == ".jpg":
        data = with_segment(data, 0xE1, b"Exif\0\0" + told)
    elif suffix == ".png":
        data = with_chunk(data, b"eXIf", told)
    else:
        size = (119).to_bytes(3, "little") + (79).to_bytes(3, "little")
        data = webp_of((b"VP8X", b"\x08\0\0\0" + size), (data[12:16], data[20:]), (b"EXIF", told))
    verdict = check_image(data)
    assert verdict.passes, verdict.reasons
    assert verdict.metadata[:2] == ("exif", "place")
    assert verdict.size == (80, 120)
    assert verdict.picture is not None
    assert verdict.picture[:50].mean((0, 1))[0] > 190  # the red left half lies at the top


def test_a_file_is_never_read_beyond_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    file.write_bytes(encoded(".png"))
    assert check_image(file, limits=ImageLimits(max_bytes=500)).rule == "image.bytes"
    assert check_image("/dev/zero").rule == "image.unreadable"
    assert check_image(tmp_path / "missing.png").rule == "image.unreadable"
    assert check_image("nul\0byte").rule == "image.unreadable"
    assert check_image(tmp_path).rule == "image.unreadable"


def test_without_consent_nothing_is_allowed_and_every_reason_is_told() -> None:
    verdict = check_image(encoded(".png", noise(20, 20)), consent=False)
    assert verdict.rules == ("image.consent", "image.small")
    assert len(verdict.reasons) == 2
    assert check_image(encoded(".png"), consent=None).passes


def test_a_face_must_be_there_where_somebody_looks_for_one() -> None:
    assert check_image(encoded(".png")).faces is None
    assert check_image(encoded(".png"), faces=Faces(2)).faces == 2
    verdict = check_image(encoded(".png"), faces=Faces(0))
    assert (verdict.action, verdict.rule) == (Action.REFUSE, "image.no_face")


def test_pixels_are_judged_as_files_are() -> None:
    assert check_image(noise()).passes
    assert check_image(np.dstack([noise(), np.full((80, 120), 255, np.uint8)])).passes
    assert check_image(noise().astype(np.float32)).rule == "image.format"
    assert check_image(noise()[..., 0]).rule == "image.format"
    assert check_image(np.zeros((0, 0, 3), np.uint8)).rule == "image.small"
    assert check_image(noise(20, 20)).rule == "image.small"


def test_grey_palette_and_deep_pictures_are_decoded() -> None:
    for picture in (noise()[..., 0], noise().astype(np.uint16) * 257, np.dstack([noise(), noise()[..., :1]])):
        data = bytes(cv2.imencode(".png", picture)[1])
        verdict = check_image(data)
        assert verdict.passes
        assert verdict.picture is not None
        assert verdict.picture.shape == (80, 120, 3)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SUFFIXES), st.data())
def test_no_damage_raises_or_yields_other_sizes(suffix: str, data: st.DataObject) -> None:
    whole = bytearray(WHOLE[suffix])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(12, len(whole) - 1))] = data.draw(st.integers(0, 255))
    verdict = check_image(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    assert verdict.passes == (verdict.picture is not None)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\xff\xff\0\0WEBP"):
        assert read_picture_file(start + data).frames >= 1


@pytest.mark.parametrize("channels_first", [True, False])
def test_a_classifier_says_what_a_picture_shows(tmp_path: Path, channels_first: bool) -> None:
    classifier = OnnxImageClassifier(red_model(tmp_path, channels_first=channels_first))
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 255
    verdict = check_image(red, classifier=classifier)
    assert (verdict.action, verdict.rule) == (Action.REFUSE, "image.sexual")
    assert verdict.scores[Category.SEXUAL] > 0.9
    assert check_image(red[..., ::-1], classifier=classifier).passes


def test_what_shows_minors_goes_to_a_person(tmp_path: Path) -> None:
    labels = '{"labels": ["red", "other"], "categories": {"red": {"category": "sexual_minors"}}}'
    classifier = OnnxImageClassifier(red_model(tmp_path, labels=labels))
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 255
    assert check_image(red, classifier=classifier).action is Action.ESCALATE


LABELS = {
    "not json": "labels",
    '{"labels": ["red", "other"], "categories": {"blue": {"category": "sexual"}}}': "no such label",
    '{"labels": ["red", "other"], "categories": {"red": {"category": "nudity"}}}': "category",
    '{"labels": ["red", "other"], "categories": {}}': "empty",
    '{"labels": ["red", "other"], "categories": {"red": {"category": "sexual"}}, "size": 9}': "size",
    '{"labels": ["red"], "categories": {"red": {"category": "sexual"}}}': "outputs",
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_that_do_not_fit_are_told_at_start(labels: str, tmp_path: Path) -> None:
    with pytest.raises(ModerationError, match=LABELS[labels]):
        OnnxImageClassifier(red_model(tmp_path, labels=labels))


def test_a_corrupt_model_is_told_at_start(tmp_path: Path) -> None:
    folder = red_model(tmp_path)
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:100])
    with pytest.raises(ModerationError, match="corrupt"):
        OnnxImageClassifier(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(ModerationError, match="is not there"):
        OnnxImageClassifier(folder)
    with pytest.raises(ModerationError, match="cannot be read"):
        OnnxImageClassifier(tmp_path / "nowhere")


def test_a_classifier_that_fails_refuses() -> None:
    class Failing:
        def scores(self, picture: np.ndarray) -> dict[Category, float]:
            raise ModerationError("the model gives no numbers")

        def threshold(self, category: Category) -> float:
            return 0.5

    assert check_image(noise(), classifier=Failing()).rule == "image.classifier"
