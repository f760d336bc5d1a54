"""`visavis avatar` as people and scripts call it."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avatar import load_rig
from server.faces import RIG_NAME
from speech.espeak import EspeakSynthesizer
from tests.avatar.landmarker import MODEL as LANDMARKER
from tests.avatar.landmarker import needs_landmarker
from tests.avatar.lip_models import lip_model
from tests.server import called
from tests.server.test_command import write_wav

CONSENT = "I agree that this company shows my face as its AI assistant. 21 November 2026"
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.e2e


run, document = partial(called.run, "avatar"), partial(called.document, "avatar")


def refusal(*arguments: str | Path, code: int) -> str:
    found, out, err = run(*arguments)
    assert found == code, err
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    return err


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("VISAVIS_MODELS", str(tmp_path / "models"))


def frames_of(clip: Path) -> np.ndarray:
    with av.open(str(clip)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_the_rigs_that_ship_are_listed_with_licence_and_consent() -> None:
    rigs = {rig["name"]: rig for rig in document("list")["rigs"]}
    assert len(rigs) >= 3
    for rig in rigs.values():
        assert rig["licence"]
        assert rig["consent"]
        assert rig["kind"] == "baked"


def test_a_face_says_a_text_with_captions_label_and_sound(tmp_path: Path) -> None:
    clip = tmp_path / "say.mp4"
    told = document("say", "Welcome! How can I help?", "--emotion", "happy", "--size", 128, "--out", clip)
    assert told["frames"] == round(told["duration_s"] * told["fps"])
    assert told["sentences"] == ["Welcome!", "How can I help?"]
    with av.open(str(clip)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (128, 128)
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(len(sound) / 48_000 - told["duration_s"]) < 0.05
    assert np.abs(sound).max() > 0.05
    plain = tmp_path / "plain.mp4"
    document(
        "say", "Welcome! How can I help?", "--emotion", "happy", "--size", 128, "--no-label", "--no-captions",
        "--out", plain,
    )  # fmt: skip
    middle = told["frames"] // 2
    differs = np.abs(frames_of(clip)[middle].astype(int) - frames_of(plain)[middle]) > 40
    assert differs[:20, -40:].any()
    assert differs[-30:].any()


def test_a_portrait_is_nine_by_sixteen_on_any_wall(tmp_path: Path) -> None:
    clip = tmp_path / "say.mp4"
    told = document(
        "say", "Hi.", "--framing", "portrait", "--size", 144, "--background", "#00ff00", "--no-label",
        "--out", clip,
    )  # fmt: skip
    assert (told["width"], told["height"]) == (144, 256)
    corner = frames_of(clip)[0][:12, :12].reshape(-1, 3).mean(0)
    assert corner[1] > 200
    assert corner[0] < 60


def test_a_face_speaks_a_recording_with_the_recordings_own_sound(tmp_path: Path) -> None:
    voice = EspeakSynthesizer()
    speech = voice.speak("Mama may bake me more bread.", language="en")
    voice.close()
    recording = write_wav(tmp_path / "recording.wav", speech.pcm, speech.sample_rate)
    clip = tmp_path / "say.mp4"
    told = document("say", "--audio", recording, "--size", 128, "--no-label", "--out", clip)
    assert abs(told["duration_s"] - speech.duration_s - 0.8) < 0.1
    shown = frames_of(clip).astype(int)
    assert np.abs(shown[1:] - shown[:-1]).max() > 20
    with_words = document(
        "say", "Mama may bake me more bread.", "--audio", recording, "--size", 128, "--out", clip
    )
    assert with_words["sentences"] == ["Mama may bake me more bread."]


def test_a_lip_model_redraws_the_mouth_and_nothing_else(tmp_path: Path) -> None:
    model = lip_model(tmp_path / "lips.onnx", "spot")
    plain, spoken = tmp_path / "plain.mp4", tmp_path / "spoken.mp4"
    for clip, options in ((plain, ()), (spoken, ("--lips", model))):
        told = document("say", "Hm.", "--size", 256, "--no-label", "--no-captions", *options, "--out", clip)
    assert told["engines"]["lips"].startswith("onnxruntime/")
    changed = np.abs(frames_of(plain).astype(int) - frames_of(spoken)).max(axis=(0, 3)) > 40
    rows, columns = changed.nonzero()
    assert rows.min() > 90
    assert columns.min() > 64
    assert columns.max() < 192
    assert "lips.txt" in refusal("say", "Hm.", "--lips", tmp_path / "lips.txt", "--out", plain, code=2)


def test_every_sheet_is_drawn_into_a_folder(tmp_path: Path) -> None:
    sheets = document("sheet", "mira", "--out", tmp_path / "sheets")["sheets"]
    kinds = {sheet["kind"] for sheet in sheets}
    assert {"visemes", "expressions", "blink", "gaze", "head", "gestures"} <= kinds
    for sheet in sheets:
        picture = cv2.imread(sheet["path"])
        assert picture.shape[:2] == (sheet["height"], sheet["width"])
        assert picture.std() > 20


def test_gestures_are_listed_and_played(tmp_path: Path) -> None:
    gestures = document("gestures")["gestures"]
    assert len(gestures) >= 12
    for gesture in gestures:
        assert gesture["about"]
        assert 0.3 < gesture["duration_s"] < 6
    still, nodding = tmp_path / "still.mp4", tmp_path / "nod.mp4"
    for clip, options in ((still, ()), (nodding, ("--gesture", "nod"))):
        document("say", "Yes, of course we can do that.", "--size", 128, "--no-label", "--no-captions",
                 *options, "--out", clip)  # fmt: skip
    assert np.abs(frames_of(still).astype(int) - frames_of(nodding)).mean() > 0.5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("say", "--out", "x.mp4"), "give some words"),
        (("say", "Hi", "--emotion", "furious"), "--emotion is one of"),
        (("say", "Hi", "--gesture", "dance"), "--gesture is one of"),
        (("say", "Hi", "--framing", "round"), "--framing is one of"),
        (("say", "Hi", "--intensity", "7"), "0 to 1"),
        (("say", "Hi", "--out", "x.gif"), "x.mp4"),
        (("say", "Hi", "--rig", "nobody"), "mira"),
        (("say", "Hi", "--size", "13"), "size"),
        (("say", "Hi", "--background", "nowhere.png"), "nowhere.png"),
        (("play", "nowhere.json"), "nowhere.json"),
        (("say", "--audio", "missing.wav"), "missing.wav"),
        (("sheet", "mira", "--kind", "feet"), "--kind is one of"),
        (("create", "a.jpg", "--name", "mira", "--consent", CONSENT), "choose another --name"),
        (("create", "a.jpg", "--name", "Anna K", "--consent", CONSENT), "small letters"),
        (("create", "a.jpg", "--name", "anna"), "I, Jane Roe, agree"),
        (("create", "a.jpg", "--name", "anna", "--consent", "yes"), "I, Jane Roe, agree"),
        (("create", "a.jpg", "--name", "anna", "--consent", CONSENT), "a.jpg is not there"),
        (
            ("create", __file__, "--name", "anna", "--consent", CONSENT, "--landmarker", "x.task"),
            "x.task is not",
        ),
        (("capture", "a.mp4", "--out", "track.txt"), "track.json"),
        (("capture", "a.mp4"), "a.mp4 is not there"),
        (("capture", __file__, "--landmarker", "x.task"), "x.task is not there"),
        (("capture", __file__, "--landmarker", __file__), "is no face landmarker"),
        (("capture", __file__, "--out", f"{__file__}/track.json"), "is a file"),
        (("say", "Hi", "--lips", "x.onnx"), "x.onnx is not there"),
        (("say", "Hi", "--lips", __file__), "is not an ONNX model"),
        (("say", "Hi", "--out", f"{__file__}/x.mp4"), "is a file"),
        (("play", __file__, "--audio", "x.wav"), "x.wav is not there"),
        (("play", __file__), "line 1 is not valid JSON"),
        (("sheet", "mira", "--out", f"{__file__}/sheets"), "is a file"),
    ],
)
def test_wrong_use_is_told_in_one_line(
    options: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in refusal(*options, code=2)
    assert [path.name for path in tmp_path.iterdir() if path.name != "state"] == []


def test_wrong_use_is_told_before_anything_heavy_is_loaded() -> None:
    wrong = [
        ("say", "Hi", "--lips", "x.onnx"),
        ("say", "--audio", "x.wav"),
        ("play", "x.json"),
        ("create", "a.jpg", "--name", "anna"),
        ("create", "a.jpg", "--name", "anna", "--consent", CONSENT),
        ("capture", "a.mp4"),
    ]
    heavy = ("numba", "cv2", "onnxruntime", "mediapipe", "av", "speech.espeak")
    code = (
        "import sys\n"
        "from server.command import app\n"
        f"for options in {wrong!r}:\n"
        "    sys.argv = ['visavis', 'avatar', *options]\n"
        "    try:\n        app()\n"
        "    except SystemExit as ended:\n        assert ended.code == 2, (options, ended.code)\n"
        f"    print([name for name in {heavy!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["[]"] * len(wrong)
    assert len(told.stderr.strip().splitlines()) == len(wrong)


def test_names_of_rigs_are_judged_as_the_maker_judges_them() -> None:
    from avatar.photo.create import SLUG

    assert RIG_NAME.pattern == SLUG.pattern


def test_consent_is_shown_as_required() -> None:
    _, out, _ = run("create", "--help")
    words = " ".join(out.replace("│", " ").split())
    about = words.split("--consent")[-1].split("--out")[0]
    assert about.rstrip().endswith("[required]")


def test_the_list_gives_each_rig_a_line_and_all_of_it_as_json() -> None:
    _, out, _ = run("list")
    rigs = document("list")["rigs"]
    for rig in rigs:
        (line,) = [one for one in out.splitlines() if one.startswith(rig["name"])]
        assert len(line) <= 80
        assert rig["kind"] in line
        assert rig["consent"][:20] in line
    assert max(len(rig["consent"]) for rig in rigs) > 50


def test_a_missing_landmarker_is_told_with_its_remedy(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.zeros((64, 64, 3), np.uint8))
    assert "visavis models pull face-landmarker" in refusal(
        "create", photo, "--name", "anna", "--consent", CONSENT, code=1
    )


def test_a_track_that_is_none_is_refused(tmp_path: Path) -> None:
    track = tmp_path / "track.json"
    track.write_text("{}")
    assert "track.json" in refusal("play", track, "--out", tmp_path / "x.mp4", code=2)
    assert not (tmp_path / "x.mp4").exists()


@needs_landmarker
def test_a_photo_becomes_a_rig_that_speaks_and_is_listed(tmp_path: Path) -> None:
    # The built-in face stands in for a photo: no real person's picture is kept here.
    photo = tmp_path / "photo.png"
    from avatar import Pose, load_renderer

    cv2.imwrite(str(photo), load_renderer(load_rig("mira"), size=1024).draw(Pose())[..., ::-1])
    made = document("create", photo, "--name", "anna", "--consent", CONSENT, "--landmarker", LANDMARKER)
    assert made["consent"].startswith(CONSENT)
    assert made["made"]["photo_sha256"]
    assert "anna" in {rig["name"] for rig in document("list")["rigs"] if rig["kind"] == "photo"}
    clip = tmp_path / "anna.mp4"
    document("say", "Hello.", "--rig", "anna", "--size", 256, "--out", clip)
    shown = frames_of(clip).astype(int)
    assert np.abs(shown[1:] - shown[:-1]).max() > 20
    again = refusal(
        "create", photo, "--name", "anna", "--consent", CONSENT, "--landmarker", LANDMARKER, code=2
    )
    assert "--overwrite" in again
    assert "consent" in refusal(
        "create", photo, "--name", "bea", "--consent", "", "--landmarker", LANDMARKER, code=2
    )
    shutil.rmtree(tmp_path / "state")


@needs_landmarker
def test_a_performance_is_captured_and_played_by_another_rig(tmp_path: Path) -> None:
    acted = tmp_path / "acted.mp4"
    document("say", "Mama, where are you?", "--size", 384, "--no-label", "--no-captions", "--out", acted)
    track = tmp_path / "track.json"
    told = document("capture", acted, "--out", track, "--landmarker", LANDMARKER)
    assert told["faces_found"] == told["frames"]
    clip = tmp_path / "play.mp4"
    other = next(rig["name"] for rig in document("list")["rigs"] if rig["name"] != "mira")
    played = document("play", track, "--rig", other, "--audio", acted, "--size", 128, "--out", clip)
    assert abs(played["duration_s"] - told["duration_s"]) < 0.1
    shown = frames_of(clip).astype(int)
    assert np.abs(shown[1:] - shown[:-1]).max() > 20
