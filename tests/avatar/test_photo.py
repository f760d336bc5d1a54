import json
import os
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar.errors import AvatarError
from avatar.geometry import BLENDSHAPE_INDEX, head_matrix
from avatar.lipcheck import lip_gap_mm
from avatar.photo import check_consent, check_photo, create_rig, read_photo
from avatar.photo.create import _replace
from avatar.photo.fit import Fit, fit_template
from avatar.photo.landmarks import (
    EYE_RIM,
    INNER_LOWER,
    INNER_UPPER,
    FoundFace,
    Landmarker,
    _hushed,
    head_angles,
)
from avatar.photo.margin import with_margin
from avatar.photo.matte import cut_out
from avatar.photo.template import load_template, weight_vector
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import Rig, load_rig
from avatar.viseme import VISEME_WEIGHTS, mirrored
from tests.avatar.landmarker import MODEL, needs_landmarker

CONSENT = "I, Test Person, agree that this face is animated in tests"
PX_PER_M = 2000.0


def synthetic(weights: dict[str, float] | None = None, scale: float = PX_PER_M) -> FoundFace:
    """The template's own landmarks as a tracker would find them in a picture of 900 px."""
    template = load_template()
    posed = template.landmarks(template.posed(weight_vector(weights or {})))
    middle = posed.mean(0)
    points = np.stack(
        [450 + (posed[:, 0] - middle[0]) * scale, 450 - (posed[:, 2] - middle[2]) * scale,
         (posed[:, 1] - middle[1]) * scale], 1,
    )  # fmt: skip
    irises = []
    for side in ("right", "left"):
        centre = points[list(EYE_RIM[side])].mean(0)
        reach = 0.0059 * scale
        irises += [
            centre + np.array([dx, dy, 0]) * reach for dx, dy in ((0, 0), (1, 0), (0, -1), (-1, 0), (0, 1))
        ]
    found = np.concatenate([points, irises]).astype(np.float32)
    return FoundFace(found, weight_vector(weights or {}), np.eye(4, dtype=np.float32))


@pytest.fixture
def picture() -> np.ndarray:
    """Soft shapes of a face's size with edges, as a sharp portrait has."""
    drawn = np.full((900, 900, 3), (200, 165, 145), np.uint8)
    for x, y, r in np.random.default_rng(0).integers((250, 250, 6), (650, 650, 30), (60, 3)):
        cv2.circle(drawn, (int(x), int(y)), int(r), (90, 60, 50), -1, cv2.LINE_AA)
    return drawn


def test_a_frontal_sharp_face_is_accepted(picture: np.ndarray) -> None:
    check = check_photo(picture, [synthetic()])
    assert check.face_px > 200
    assert check.mouth_opening < 0.01
    assert not check.notes


def test_a_photo_without_a_face_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(AvatarError, match="no face"):
        check_photo(picture, [])


def test_several_people_are_refused_but_a_small_face_behind_is_not(picture: np.ndarray) -> None:
    with pytest.raises(AvatarError, match="2 faces"):
        check_photo(picture, [synthetic(), synthetic(scale=1800)])
    check_photo(picture, [synthetic(), synthetic(scale=400)])


@pytest.mark.parametrize(
    ("head", "word"),
    [((32, 0, 0), "side"), ((-30, 0, 0), "side"), ((0, 27, 0), "up or down"), ((0, 0, 30), "tilted")],
)
def test_turned_heads_are_refused(picture: np.ndarray, head: tuple[float, float, float], word: str) -> None:
    change = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = change.T @ head_matrix(head) @ change
    assert head_angles(matrix) == pytest.approx(head, abs=1e-3)
    with pytest.raises(AvatarError, match=word):
        check_photo(picture, [replace(synthetic(), matrix=matrix)])


def test_a_head_whose_nose_hides_half_the_face_is_refused_whatever_its_angle(picture: np.ndarray) -> None:
    face = synthetic()
    middle = face.points[:468].mean(0)
    axes = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    matrix = axes @ head_matrix((35.0, 0, 0)) @ axes.T
    aside = replace(face, points=((face.points - middle) @ matrix.T + middle).astype(np.float32))
    with pytest.raises(AvatarError, match="turned to the side"):
        check_photo(picture, [aside])


def test_a_tiny_face_is_refused_and_a_small_one_is_noted(picture: np.ndarray) -> None:
    with pytest.raises(AvatarError, match="pixels wide"):
        check_photo(picture, [synthetic(scale=400)])
    notes = check_photo(picture, [synthetic(scale=1000)]).notes
    assert any("soft" in note for note in notes)


def test_a_blurred_face_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(AvatarError, match="blurred"):
        check_photo(np.asarray(cv2.GaussianBlur(picture, (0, 0), 14), np.uint8), [synthetic()])


def test_closed_eyes_and_a_wide_open_mouth_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(AvatarError, match="eyes"):
        check_photo(picture, [synthetic(mirrored({"eyeBlink_": 1.0}))])
    with pytest.raises(AvatarError, match="mouth"):
        check_photo(picture, [synthetic({"jawOpen": 1.0})])


def test_a_face_that_the_picture_cuts_off_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(AvatarError, match="cuts"):
        check_photo(picture[:, :480], [synthetic()])


@pytest.mark.parametrize("text", ["", "   ", "yes", "I agree", "okokokokokokokokokokokok"])
def test_consent_must_say_something(text: str) -> None:
    with pytest.raises(AvatarError, match="consent"):
        check_consent(text)


def test_a_contract_is_no_consent_statement() -> None:
    with pytest.raises(AvatarError, match="5000"):
        check_consent(CONSENT + " word" * 1000)


def test_consent_may_be_given_in_any_language() -> None:
    assert check_consent("  本人张伟同意将这张照片用于公司接待虚拟形象的制作 \n") == (
        "本人张伟同意将这张照片用于公司接待虚拟形象的制作"
    )


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_a_picture_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(png_of(60000, 60000))
    with pytest.raises(AvatarError, match="megapixels"):
        read_photo(file)


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a" + bytes(40), b"\xff\xd8\xff\xe0", png_of(8, 8)])
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(data)
    with pytest.raises(AvatarError, match="photo"):
        read_photo(file)
    with pytest.raises(AvatarError, match="cannot be read"):
        read_photo(tmp_path / "absent.jpg")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_photos_are_read_with_their_hash(tmp_path: Path, suffix: str) -> None:
    shade = np.zeros((40, 60, 3), np.uint8)
    shade[:, :30] = (0, 0, 255)
    file = tmp_path / f"photo.{suffix}"
    cv2.imwrite(str(file), shade)
    photo = read_photo(file)
    assert photo.picture.shape == (40, 60, 3)
    assert photo.picture[20, 10, 0] > 200 > 60 > photo.picture[20, 50].max()
    assert photo.sha256 == sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_a_cut_out_photo_stands_before_a_light_wall(tmp_path: Path, suffix: str) -> None:
    cut = np.zeros((40, 60, 4), np.uint8)
    cut[:, :30] = (0, 0, 255, 255)
    file = tmp_path / f"photo.{suffix}"
    cv2.imwrite(str(file), cut)
    seen = read_photo(file).picture
    assert seen[20, 50].min() > 200
    assert seen[20, 10, 0] > 200 > 60 > seen[20, 10, 2]


def headshot(top: int, middle: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """A dark head on a patterned wall in a square of 600, cut off `top` px below its upper edge."""
    column = np.arange(600)
    wall = np.where((column // 60 % 2)[None, :, None], (150, 160, 170), (200, 120, 90))
    photo = np.ascontiguousarray(np.broadcast_to(wall, (600, 600, 3)), np.uint8)
    cv2.ellipse(photo, (300, middle), (110, 170), 0, 0, 360, (50, 40, 30), -1)
    cv2.rectangle(photo, (100, 480), (500, 600), (30, 40, 90), -1)
    turn = np.linspace(0, 2 * np.pi, 60)
    oval = np.stack([300 + 75 * np.sin(turn), middle + 50 - 100 * np.cos(turn)], 1)
    skull = np.stack([300 + 100 * np.sin(turn), middle - 160 * np.cos(turn)], 1)
    photo[:top] = photo[top]
    return photo, oval.astype(np.float32), skull.astype(np.float32)


def test_the_wall_above_a_photo_goes_on_as_it_was() -> None:
    crop, oval, skull = headshot(80, 330)
    made = with_margin(crop, (0.0, 80.0, 600.0, 600.0), oval, skull, None)
    assert not made.crown_cut
    assert (made.picture[82:] == crop[82:]).all()
    # the stripes of the wall, and no step at the photo's edge
    assert np.abs(made.picture[60].astype(int) - made.picture[90]).mean() < 12
    assert made.picture[60, 30, 0] > made.picture[60, 90, 0] + 20
    assert (made.opacity[:70] < 0.05).all()


def test_hair_that_the_upper_edge_cuts_off_ends_in_a_dome() -> None:
    crop, oval, skull = headshot(200, 330)
    made = with_margin(crop, (0.0, 200.0, 600.0, 600.0), oval, skull, None)
    assert made.crown_cut
    tall = (made.opacity[:200] > 0.5).sum(0)
    assert 15 < tall[300] < 100
    assert tall[300] > tall[250] > tall[215]
    assert tall[:190].max() == 0
    assert made.picture[190, 300].max() < 90
    assert made.picture[100, 300].min() > 80


def test_shoulders_that_the_photo_cuts_off_fall_beside_it() -> None:
    crop, oval, skull = headshot(80, 330)
    made = with_margin(crop, (150.0, 80.0, 450.0, 560.0), oval, skull, (crop.max(2) < 100).astype(np.float32))
    ends = [int(np.flatnonzero(made.opacity[:, x] > 0.5)[0]) for x in (140, 100, 60)]
    assert 475 < ends[0] < ends[1] < ends[2]
    assert (made.picture[590, 300] < made.picture[590, 300, 2] + 1).all()


def test_only_rigs_from_photos_are_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "rig"

    def make() -> None:
        create_rig(tmp_path / "x.jpg", "rig", CONSENT, out, landmarker=MODEL, overwrite=True)

    out.mkdir()
    (out / "rig.json").write_text('{"kind": "baked"}')
    with pytest.raises(AvatarError, match="not made from a photo"):
        make()
    (out / "rig.json").write_text('{"kind": "photo"}')
    (out / "thesis.odt").write_text("years of work")
    with pytest.raises(AvatarError, match=r"thesis\.odt"):
        make()
    assert {entry.name for entry in out.iterdir()} == {"rig.json", "thesis.odt"}


def test_the_old_rig_stays_until_the_new_one_is_in_its_place(tmp_path: Path) -> None:
    out = tmp_path / "rig"
    out.mkdir()
    (out / "rig.json").write_text('{"kind": "photo"}')
    with pytest.raises(OSError, match="absent"):
        _replace(out, tmp_path / "absent", tmp_path / "old")
    assert (out / "rig.json").is_file()
    new = tmp_path / "new"
    new.mkdir()
    (new / "rig.json").write_text('{"kind": "photo", "name": "new"}')
    _replace(out, new, tmp_path / "old")
    assert "new" in (out / "rig.json").read_text()


def test_chatter_is_kept_from_stderr_and_errors_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    with _hushed():
        os.write(2, b"W0000 00:00:1 1 feedback.cc:1] Feedback manager requires a model\nE0000 1 broken\n")
    assert capfd.readouterr().err == "E0000 1 broken\n"


@pytest.mark.model
@needs_landmarker
def test_a_face_that_is_small_in_its_photo_is_found_once_and_in_its_place() -> None:
    portrait = load_renderer(load_rig(), 320).draw(Pose())
    photo = np.full((2400, 1800, 3), 200, np.uint8)
    photo[310:630, 720:1040] = portrait
    with Landmarker(MODEL, faces=4) as finder:
        assert finder.find(photo) == []
        (face,) = finder.search(photo)
        (alone,) = finder.find(portrait)
        assert finder.search(np.full((900, 900, 3), 200, np.uint8)) == []
    assert np.abs(face.points[:468, :2] - [720, 310] - alone.points[:468, :2]).mean() < 4


@needs_landmarker
def test_the_landmarker_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with Landmarker(MODEL) as finder:
        finder.find(np.zeros((64, 64, 3), np.uint8))
    assert capfd.readouterr().err == ""


def test_the_camera_s_rotation_is_honoured(tmp_path: Path) -> None:
    lying = np.zeros((40, 60, 3), np.uint8)
    lying[:, :30] = 255
    jpeg = cv2.imencode(".jpg", lying)[1].tobytes()
    entry = struct.pack("<HHII", 0x0112, 3, 1, 6)  # orientation 6: turn by 90° clockwise
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + bytes(4)
    exif = b"Exif\0\0" + tiff
    file = tmp_path / "phone.jpg"
    file.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    upright = read_photo(file).picture
    assert upright.shape == (60, 40, 3)
    assert upright[10].mean() > 200 > 60 > upright[50].mean()


def landmarks_of(fit: Fit, weights: dict[str, float]) -> np.ndarray:
    template = load_template()
    posed = fit.neutral.copy()
    posed[template.active] += np.tensordot(weight_vector(weights), fit.deltas, 1)
    return template.landmarks(posed)


def test_the_template_fits_itself() -> None:
    face = synthetic()
    fit = fit_template(load_template(), face.points, face.blendshapes)
    assert fit.similarity.scale == pytest.approx(PX_PER_M, rel=0.01)
    off = np.linalg.norm(load_template().landmarks(fit.shown)[:, :2] - face.points[:468, :2], axis=1)
    assert np.percentile(off, 95) < 1.0


def test_an_open_smile_is_closed_in_the_neutral_face() -> None:
    face = synthetic(
        mirrored({"jawOpen": 0.25, "mouthSmile_": 0.8, "mouthUpperUp_": 0.4, "mouthLowerDown_": 0.3})
    )
    opening = (face.points[list(INNER_LOWER), 1] - face.points[list(INNER_UPPER), 1]).max()
    fit = fit_template(load_template(), face.points, face.blendshapes)
    neutral = landmarks_of(fit, {})
    closed = (neutral[list(INNER_LOWER), 1] - neutral[list(INNER_UPPER), 1]).max()
    assert opening > 15
    assert closed < 0.12 * opening
    # what the photo shows stays where the photo shows it
    shown = load_template().landmarks(fit.shown)
    assert np.percentile(np.abs(shown[:, :2] - face.points[:468, :2]).max(1), 95) < 1.5


def test_lids_of_another_shape_still_close() -> None:
    face = synthetic()
    points = face.points.copy()
    for side in ("left", "right"):
        rim = points[list(EYE_RIM[side])]
        rim[:, 1] = rim[:, 1].mean() + 0.65 * (rim[:, 1] - rim[:, 1].mean())
        points[list(EYE_RIM[side])] = rim
    fit = fit_template(load_template(), points, face.blendshapes)
    for side, name in (("left", "eyeBlinkLeft"), ("right", "eyeBlinkRight")):
        upper, lower = list(EYE_RIM[side][3:6]), list(EYE_RIM[side][11:14])
        before = landmarks_of(fit, {})
        after = landmarks_of(fit, {name: 1.0})
        gap = before[lower, 1].mean() - before[upper, 1].mean()
        assert gap > 8
        assert after[lower, 1].mean() - after[upper, 1].mean() < 0.25 * gap


def test_the_cut_follows_an_outline_that_can_be_seen() -> None:
    scene = np.full((512, 512, 3), (190, 200, 210), np.uint8)
    truth = np.zeros((512, 512), np.uint8)
    cv2.ellipse(truth, (256, 230), (95, 130), 0, 0, 360, 1, -1)
    cv2.rectangle(truth, (215, 330), (297, 430), 1, -1)
    cv2.ellipse(truth, (256, 520), (200, 110), 0, 0, 360, 1, -1)
    scene[truth > 0] = (150, 90, 60)
    scene = np.clip(scene + np.random.default_rng(1).normal(0, 5, scene.shape), 0, 255).astype(np.uint8)
    face = np.zeros((512, 512), np.uint8)
    cv2.ellipse(face, (256, 240), (75, 100), 0, 0, 360, 1, -1)
    angles = np.linspace(0, 2 * np.pi, 80)
    head = [(256 + r * 85 * np.cos(a), 230 + r * 120 * np.sin(a)) for a in angles for r in (0.3, 0.6, 1.0)]
    person, trust = cut_out(scene, face > 0, np.array(head, np.float32))
    assert trust > 0.9
    assert np.abs(person - truth).mean() < 0.02


def test_nothing_is_written_without_consent_or_a_proper_name(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="consent"):
        create_rig(tmp_path / "x.jpg", "x", "", tmp_path / "x", landmarker=MODEL)
    with pytest.raises(AvatarError, match="name"):
        create_rig(tmp_path / "x.jpg", "../x", CONSENT, tmp_path / "x", landmarker=MODEL)
    assert not list(tmp_path.iterdir())


def test_a_missing_landmarker_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="models pull"):
        Landmarker(tmp_path / "face_landmarker.task")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, tuple[str, ...]]:
    folder = tmp_path_factory.mktemp("photo")
    photo = folder / "portrait.png"
    cv2.imwrite(str(photo), load_renderer(load_rig(), size=720).draw(Pose())[:, :, ::-1])
    report = create_rig(photo, "twin", CONSENT, folder / "rigs" / "twin", landmarker=MODEL)
    return photo, report.path, report.notes


@pytest.mark.model
@needs_landmarker
def test_a_rig_from_a_photo_looks_like_the_photo(made: tuple[Path, Path, tuple[str, ...]]) -> None:
    rig = load_rig(made[1])
    drawn = load_renderer(rig, size=rig.manifest.texture_size).draw(Pose())
    backdrop = cv2.imread(str(made[0]))[:, :, ::-1]
    with Landmarker(MODEL) as finder:
        (own,), (theirs,) = finder.find(drawn), finder.find(np.ascontiguousarray(backdrop))
    a, b = (face.points[:, :2] - face.points[:468, :2].mean(0) for face in (own, theirs))
    a, b = a / np.ptp(a[:, 1]), b / np.ptp(b[:, 1])
    assert np.abs(a - b).max() < 0.05
    assert np.abs(a - b).mean() < 0.008


@pytest.mark.model
@needs_landmarker
def test_a_rig_from_a_photo_keeps_consent_date_and_hash(made: tuple[Path, Path, tuple[str, ...]]) -> None:
    photo, folder, _ = made
    manifest = json.loads((folder / "rig.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "photo"
    assert load_rig(folder).manifest.head_limit_deg == (6, 6, 7)
    assert manifest["consent"] == CONSENT
    assert manifest["made"]["photo_sha256"] == sha256(photo.read_bytes()).hexdigest()
    assert (
        abs((datetime.now(UTC).date() - datetime.fromisoformat(manifest["made"]["consent_date"]).date()).days)
        <= 1
    )
    with pytest.raises(AvatarError, match="exists"):
        create_rig(photo, "twin", CONSENT, folder, landmarker=MODEL)


@pytest.mark.model
@needs_landmarker
def test_a_rig_from_a_photo_speaks_and_blinks(made: tuple[Path, Path, tuple[str, ...]]) -> None:
    rig: Rig = load_rig(made[1])
    shut, wide = lip_gap_mm(rig, [Pose(VISEME_WEIGHTS["PP"]), Pose(VISEME_WEIGHTS["aa"])])
    assert shut < 0.3
    assert wide > 6
    renderer = load_renderer(rig, size=512)
    with Landmarker(MODEL) as finder:
        rest = finder.find(renderer.draw(Pose()))[0]
        round_mouth = finder.find(renderer.draw(Pose(VISEME_WEIGHTS["ou"])))[0]
        blink = finder.find(renderer.draw(Pose(mirrored({"eyeBlink_": 1.0}))))[0]
        aside = finder.find(renderer.draw(Pose(gaze=(18, 0))))[0]

    def width(face: FoundFace) -> float:
        return float(np.linalg.norm(face.points[61, :2] - face.points[291, :2]))

    def of(face: FoundFace, name: str) -> float:
        return float(face.blendshapes[BLENDSHAPE_INDEX[name]])

    assert width(round_mouth) < 0.82 * width(rest)
    assert of(blink, "eyeBlinkLeft") > of(rest, "eyeBlinkLeft") + 0.3
    assert of(blink, "eyeBlinkRight") > of(rest, "eyeBlinkRight") + 0.3
    assert of(aside, "eyeLookOutLeft") > of(rest, "eyeLookOutLeft") + 0.2


@pytest.mark.model
@needs_landmarker
def test_the_background_stands_still_while_the_head_turns(made: tuple[Path, Path, tuple[str, ...]]) -> None:
    renderer = load_renderer(load_rig(made[1]), size=512)
    straight, turned = (renderer.draw(Pose(head=h)).astype(int) for h in ((0, 0, 0), (6, 3, 3)))
    change = np.abs(straight - turned).max(2)
    assert change[:, :20].max() <= 2
    assert change[:, -20:].max() <= 2
    assert change[150:300, 200:312].mean() > 3
