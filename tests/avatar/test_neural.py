import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.framing import frame_of
from avatar.geometry import project
from avatar.neural import Face, LipModel, NeuralLips, quiet
from avatar.neural.blend import cut_face, lay_over, model_input, soft_mask
from avatar.neural.face import FaceFinder
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import Rig, load_rig
from tests.avatar.lip_models import SPOT_CENTRE, lip_model

ROOT = Path(__file__).parents[2]
SILENCE = np.zeros(16_000, np.float32)
POSES = [
    Pose({"mouthSmileLeft": 0.3, "mouthSmileRight": 0.3}),
    Pose({"jawOpen": 0.5}, head=(3, -2, 1), breath=0.5),
    Pose({"jawOpen": 0.2}, head=(11, 4, -6), breath=1.0),
    Pose({"mouthPucker": 0.8}, head=(-10, -6, 7)),
]


@pytest.fixture(scope="module")
def rig() -> Rig:
    return load_rig()


@pytest.fixture(scope="module")
def finder(rig: Rig) -> FaceFinder:
    return FaceFinder(rig)


def picture(seed: int, height: int, width: int) -> np.ndarray:
    """Soft, colourful clouds: a shift of half a pixel shows."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 9)
    return np.clip(128 + 40 * soft / soft.std(), 0, 255).astype(np.uint8)


def difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.abs(left.astype(int) - right.astype(int)).max(axis=-1)


# The model file.


def run_once(model: LipModel, count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    mel = rng.uniform(-4, 4, (count, 1, 80, 16)).astype(np.float32)
    face = rng.uniform(0, 1, (count, 6, model.size, model.size)).astype(np.float32)
    out = model(mel, face)
    assert out.shape == (count, 3, model.size, model.size)
    return np.abs(out - face[:, 3:]).max()


@pytest.mark.parametrize("size", [96, 192, 256, 288])
def test_models_of_any_face_size_are_read(tmp_path: Path, size: int) -> None:
    model = LipModel(lip_model(tmp_path / "m.onnx", size=size))
    assert model.size == size
    assert run_once(model, 3) == 0


def test_inputs_are_known_by_shape_not_by_name_or_order(tmp_path: Path) -> None:
    names = ("x2", "x1", "y")
    model = LipModel(lip_model(tmp_path / "m.onnx", face_first=True, names=names))
    assert run_once(model, 2) == 0


def test_a_model_that_leaves_the_face_open_gets_the_usual_size(tmp_path: Path) -> None:
    assert LipModel(lip_model(tmp_path / "m.onnx", open_size=True)).size == 96


@pytest.mark.parametrize("batch", [1, 4])
def test_a_fixed_batch_is_filled(tmp_path: Path, batch: int) -> None:
    model = LipModel(lip_model(tmp_path / "m.onnx", batch=batch))
    assert model.batch == batch
    assert run_once(model, 6) == 0
    assert len(model(np.zeros((0, 1, 80, 16), np.float32), np.zeros((0, 6, 96, 96), np.float32))) == 0


def test_half_precision_is_converted(tmp_path: Path) -> None:
    assert run_once(LipModel(lip_model(tmp_path / "m.onnx", half=True)), 2) < 1e-3


def test_the_engine_says_what_computes(tmp_path: Path) -> None:
    import onnxruntime

    engine = LipModel(lip_model(tmp_path / "sofia.onnx")).engine
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        assert engine == "onnxruntime/cpu sofia"
    assert engine in ("onnxruntime/cpu sofia", "onnxruntime/cuda sofia")


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match=r"no lip model at .*none\.onnx: give"):
        LipModel(tmp_path / "none.onnx")


def test_a_file_that_is_no_model_is_said(tmp_path: Path) -> None:
    path = tmp_path / "page.onnx"
    path.write_text("<html>404</html>")
    with pytest.raises(AvatarError, match=r"page\.onnx is not an ONNX model .*download or export it again"):
        LipModel(path)


@pytest.mark.parametrize("wrong", [{"mel_bands": 64}, {"face_channels": 3}])
def test_another_interface_is_refused_with_what_was_found(tmp_path: Path, wrong: dict[str, int]) -> None:
    path = lip_model(tmp_path / "m.onnx", **wrong)  # type: ignore[arg-type]
    with pytest.raises(AvatarError, match=r"expected mel float\[N, 1, 80, 16\].* found .*video_frames"):
        LipModel(path)


def test_a_model_with_a_third_input_is_refused(tmp_path: Path) -> None:
    import onnx

    model = onnx.load(lip_model(tmp_path / "m.onnx"))
    model.graph.input.append(onnx.helper.make_tensor_value_info("pose", onnx.TensorProto.FLOAT, ["n", 3]))
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(AvatarError, match=r"found .*pose tensor\(float\)"):
        LipModel(tmp_path / "m.onnx")


def test_a_model_that_gives_no_numbers_is_said(tmp_path: Path) -> None:
    model = LipModel(lip_model(tmp_path / "m.onnx", "nothing"))
    with pytest.raises(AvatarError, match="not finite"):
        run_once(model, 1)


# Where the face is.


def test_the_box_holds_the_face_as_the_detector_of_the_training_would(rig: Rig, finder: FaceFinder) -> None:
    camera = rig.manifest.camera
    view = (camera.y, camera.z, camera.focal)
    for pose in (Pose(), Pose({"jawOpen": 0.6})):
        left, top, right, bottom = finder.find(pose).box
        centres = np.array([eye.centre for eye in rig.manifest.eyes.values()], np.float32)
        eyes, _ = project(centres, view, 1)
        lips, _ = project(rig.vertices[rig.lips[0]], view, 1)
        assert (left < eyes[:, 0]).all()
        assert (eyes[:, 0] < right).all()
        eye_line, mouth = ((points[:, 1].mean() - top) / (bottom - top) for points in (eyes, lips))
        assert 0.30 < eye_line < 0.42
        assert 0.66 < mouth < 0.82
        assert 0.65 < (right - left) / (bottom - top) < 0.95


def test_the_lower_face_holds_the_lips_and_stays_below_the_eyes(rig: Rig, finder: FaceFinder) -> None:
    from avatar.geometry import BLENDSHAPE_INDEX

    camera = rig.manifest.camera
    opened = rig.vertices.copy()
    opened[rig.active] += rig.deltas[BLENDSHAPE_INDEX["jawOpen"]] * np.float32(0.5)
    points, _ = project(
        opened[np.concatenate([rig.lips[0], rig.lips[2]])], (camera.y, camera.z, camera.focal), 1
    )
    face = finder.find(Pose({"jawOpen": 0.5}))
    hull = face.lower[:, None]
    inside = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) for x, y in points]
    assert min(inside) > 0.01
    top = (face.lower[:, 1].min() - face.box[1]) / (face.box[3] - face.box[1])
    assert 0.42 < top < 0.6


def test_box_and_lower_face_go_with_the_head(finder: FaceFinder) -> None:
    rest, left, down = (finder.find(Pose(head=head)) for head in ((0, 0, 0), (10, 0, 0), (0, 8, 0)))
    assert left.lower[:, 0].mean() > rest.lower[:, 0].mean() + 0.01
    assert left.box[[0, 2]].mean() > rest.box[[0, 2]].mean()
    assert down.box[3] > rest.box[3]
    assert finder.find(Pose(breath=1.0)).box[1] < rest.box[1]


def test_the_box_does_not_jump_in_slow_motion(finder: FaceFinder) -> None:
    faces = [finder.find(Pose({"jawOpen": 0.5 * i / 100}, head=(i / 10, 0, 0))) for i in range(101)]
    steps = np.abs(np.diff(np.stack([face.box for face in faces]), axis=0)).max()
    assert steps * 512 < 1


def test_landmarks_show_the_same_face_as_the_rig(tmp_path: Path, rig: Rig, finder: FaceFinder) -> None:
    from avatar.photo.template import load_template

    template = load_template()
    y, z, focal = (float(value) for value in template.camera)
    points, _ = project(template.landmarks(template.vertices), (y, z, focal), 512)
    seen = Face.of_landmarks(points)
    known = finder.find(Pose()).scaled(512, (0, 0))
    assert np.abs(seen.box - known.box).max() < 0.08 * (known.box[3] - known.box[1])
    shapes = [np.rint(face.lower).astype(np.int32) for face in (seen, known)]
    filled = [cv2.fillConvexPoly(np.zeros((512, 512), np.uint8), shape, 1) > 0 for shape in shapes]
    assert (filled[0] & filled[1]).sum() > 0.8 * (filled[0] | filled[1]).sum()
    frame = picture(9, 512, 512)
    lips = NeuralLips(lip_model(tmp_path / "m.onnx", "spot"))
    (out,) = lips.speak([(frame, seen)], SILENCE, 16_000, 25)
    assert difference(out, frame).max() > 40
    outside = cv2.dilate(filled[0].astype(np.uint8), np.ones((3, 3))) == 0
    assert np.array_equal(out[outside], frame[outside])


# Cutting out and laying over.


@pytest.mark.parametrize("size", [96, 256])
def test_what_the_model_draws_lands_where_it_was_cut(size: int) -> None:
    box = np.array([140.3, 121.7, 318.9, 345.2], np.float32)
    hull = np.array([[160, 240], [300, 240], [290, 310], [230, 335], [170, 310]], np.float32)
    frame = picture(1, 512, 512)
    y, x = np.mgrid[:512, :512]
    other = frame.astype(np.float32)
    for at_x, at_y, deviation, tint in ((232, 282, 9, (-70, -50, 40)), (255, 296, 6, (50, 60, -40))):
        blob = np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * deviation**2))
        other += blob[..., None] * np.array(tint)
    other = np.clip(other, 0, 255).round().astype(np.uint8)
    spoken = model_input(cut_face(other, box, size))[3:]
    out = lay_over(frame, cut_face(frame, box, size), spoken, box, hull)
    within = cv2.fillConvexPoly(np.zeros((512, 512), np.uint8), hull.astype(np.int32), 1) > 0
    core = cv2.erode(within.astype(np.uint8), np.ones((61, 61))) > 0
    assert core.sum() > 1000
    # half a pixel off would show
    moved = cv2.warpAffine(other, np.float32([[1, 0, 0.5], [0, 1, 0.5]]), (512, 512))
    assert difference(moved, other)[core].max() > 5
    assert difference(out, other)[core].max() <= 3
    assert np.array_equal(out[~within], frame[~within])


def test_lines_of_the_old_mouth_do_not_shine_through_the_new_one() -> None:
    box = np.array([140.3, 121.7, 318.9, 345.2], np.float32)
    hull = np.array([[160, 240], [300, 240], [290, 310], [230, 335], [170, 310]], np.float32)
    frame = np.full((512, 512, 3), 170, np.uint8)
    y, x = np.mgrid[:512, :512]
    opened = np.exp(-(((x - 230) / 22) ** 2) - ((y - 285) / 14) ** 2)
    other = (170 - 90 * opened[..., None]).repeat(3, 2).round().astype(np.uint8)
    frame[284:286, 205:255] = 250
    spoken = model_input(cut_face(other, box, 96))[3:]
    out = lay_over(frame, cut_face(frame, box, 96), spoken, box, hull)
    assert difference(frame, other)[282:288, 208:252].max() > 90
    assert difference(out, other)[282:288, 208:252].max() < 8


def test_the_mask_is_soft_and_ends_inside_the_lower_face_and_the_box() -> None:
    mask = soft_mask(np.array([[0.1, 0.5], [0.9, 0.5], [0.8, 1.2], [0.2, 1.2]], np.float32))
    assert mask[96, 64] == 1
    assert mask[:63].max() == 0
    assert mask[-1].max() < 0.02
    assert np.abs(np.diff(mask, axis=0)).max() < 0.15


def test_the_model_is_shown_blue_first_and_the_lower_half_black() -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[...] = (255, 102, 51)
    shown = model_input(cut_face(frame, np.array([8, 8, 56, 56], np.float32), 96))
    assert shown.shape == (6, 96, 96)
    assert shown[3:, 50, 50] == pytest.approx([0.2, 0.4, 1.0], abs=1e-3)
    assert np.array_equal(shown[:3, :48], shown[3:, :48])
    assert shown[:3, 48:].max() == 0


@pytest.mark.parametrize("size", [512, 720])
def test_a_model_that_changes_nothing_leaves_the_picture(tmp_path: Path, rig: Rig, size: int) -> None:
    frames = load_renderer(rig, size=size).draw_many(POSES)
    lips = NeuralLips(lip_model(tmp_path / "m.onnx"), rig)
    assert difference(lips.apply(frames, POSES, SILENCE, 16_000, 25), frames).max() <= 1


def test_another_colour_of_the_model_leaves_no_seam(tmp_path: Path, rig: Rig) -> None:
    frames = load_renderer(rig, size=512).draw_many(POSES)
    lips = NeuralLips(lip_model(tmp_path / "m.onnx", "tinted"), rig)
    assert difference(lips.apply(frames, POSES, SILENCE, 16_000, 25), frames).max() <= 2


@pytest.mark.parametrize(("width", "framing"), [(512, "square"), (720, "square"), (360, "portrait")])
def test_the_spot_lies_at_the_mouth_of_every_pose_and_nowhere_else(
    tmp_path: Path, rig: Rig, finder: FaceFinder, width: int, framing: str
) -> None:
    view = frame_of(rig.manifest, width, framing)  # type: ignore[arg-type]
    lips = NeuralLips(lip_model(tmp_path / "m.onnx", "spot", size=256), rig)
    frame = picture(2, view.height, view.width)
    for pose in POSES:
        (out,) = lips.apply(frame[None], [pose], SILENCE, 16_000, 25, framing=framing)  # type: ignore[arg-type]
        face = finder.find(pose)
        left, top, right, bottom = face.box * view.scale + np.tile(view.origin, 2)
        changed = difference(out, frame)
        y, x = np.mgrid[: view.height, : view.width] + 0.5
        weight = changed * (changed > 20)
        at = (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
        assert at[0] == pytest.approx(left + SPOT_CENTRE[0] * (right - left), abs=1.5)
        assert at[1] == pytest.approx(top + SPOT_CENTRE[1] * (bottom - top), abs=1.5)
        hull = np.rint(face.lower * view.scale + view.origin).astype(np.int32)
        outside = cv2.fillConvexPoly(np.ones(changed.shape, np.uint8), hull, 0) > 0
        assert np.array_equal(out[outside], frame[outside])


def test_a_face_that_the_frame_cuts_off_is_no_trouble(tmp_path: Path, rig: Rig) -> None:
    from avatar.framing import Frame

    lips = NeuralLips(lip_model(tmp_path / "m.onnx", "spot"), rig)
    frame = picture(3, 128, 128)
    for left, top in ((0.45, 0.5), (0.3, 0.3), (3.0, 3.0)):
        view = Frame(128, 128, left, top, 1024.0)
        (out,) = lips.apply(frame[None], [Pose()], SILENCE, 16_000, 25, framing=view)
        assert out.shape == frame.shape
        assert (difference(out, frame).max() > 20) == (left == 0.45)


# In time.


@pytest.mark.parametrize("fps", [25.0, 30.0])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_the_lips_move_when_the_sound_does(tmp_path: Path, rig: Rig, fps: float, rate: int) -> None:
    at_s = (0.62, 1.46)
    pcm = np.zeros(int(2.0 * rate), np.float32)
    for moment in at_s:
        burst = np.random.default_rng(1).normal(0, 0.3, rate // 50)
        begin = round(moment * rate) - len(burst) // 2
        pcm[begin : begin + len(burst)] = burst
    count = int(2 * fps)
    frames = np.repeat(picture(4, 256, 256)[None], count, 0)
    lips = NeuralLips(lip_model(tmp_path / "m.onnx", "heard"), rig)
    out = lips.apply(frames, [Pose()] * count, pcm, rate, fps)
    moved = difference(out, frames).reshape(count, -1).max(axis=1)
    times = (np.arange(count) + 0.5) / fps
    for moment in at_s:
        near = np.abs(times - moment) < 0.2
        shown = (times * moved)[near].sum() / moved[near].sum()
        assert shown == pytest.approx(moment, abs=0.6 / fps)
        assert moved[near].max() > 20
    silent = np.all([np.abs(times - moment) > 0.1 for moment in at_s], axis=0)
    assert moved[silent].max() == 0


def test_a_stream_is_the_same_in_any_batch_and_reads_little_ahead(tmp_path: Path, rig: Rig) -> None:
    count = 23
    poses = [Pose({"jawOpen": 0.02 * i}, head=(i / 3, -i / 5, 0)) for i in range(count)]
    frames = [picture(i, 256, 256) for i in range(count)]
    pcm = np.random.default_rng(5).normal(0, 0.1, 16_000).astype(np.float32)
    path = lip_model(tmp_path / "m.onnx", "heard")
    whole = NeuralLips(path, rig, batch=64).apply(np.stack(frames), poses, pcm, 16_000, 25)
    taken = 0

    def moments() -> Iterator[tuple[np.ndarray, Pose]]:
        nonlocal taken
        for moment in zip(frames, poses, strict=True):
            taken += 1
            yield moment

    shown = 0
    for i, frame in enumerate(NeuralLips(path, rig, batch=4).apply_stream(moments(), pcm, 16_000, 25)):
        assert taken <= i + 4 + 2
        assert np.array_equal(frame, whole[i])
        shown += 1
    assert shown == count
    assert difference(whole, np.stack(frames)).max() > 20


def test_the_box_is_smooth_over_five_frames(tmp_path: Path, rig: Rig) -> None:
    poses = [Pose()] * 9
    poses[4] = Pose(head=(0, 0, 8))
    frames = np.repeat(picture(8, 256, 256)[None], 9, 0)
    lips = NeuralLips(lip_model(tmp_path / "m.onnx", "spot"), rig)
    changed = difference(lips.apply(frames, poses, SILENCE, 16_000, 25), frames)
    across = (changed * np.arange(256)).sum(axis=(1, 2)) / changed.sum(axis=(1, 2))
    assert across[2] == pytest.approx(across[6], abs=0.05)
    assert abs(across[2] - across[1]) > 5 * abs(across[1] - across[0])


def test_frames_are_not_written_to(tmp_path: Path, rig: Rig) -> None:
    frames = picture(6, 256, 256)[None]
    before = frames.copy()
    lips = NeuralLips(lip_model(tmp_path / "m.onnx", "spot"), rig)
    assert not np.array_equal(lips.apply(frames, [Pose()], SILENCE, 16_000, 25), before)
    assert np.array_equal(frames, before)


def test_no_frames_make_no_frames(tmp_path: Path, rig: Rig) -> None:
    lips = NeuralLips(lip_model(tmp_path / "m.onnx"), rig)
    assert lips.apply(np.zeros((0, 256, 256, 3), np.uint8), [], SILENCE, 16_000, 25).shape == (0, 256, 256, 3)


def test_a_quiet_pose_keeps_feeling_and_head_but_no_speech() -> None:
    pose = Pose(
        {"jawOpen": 0.4, "mouthPucker": 0.3, "mouthSmileLeft": 0.5, "eyeBlinkLeft": 1.0},
        (1, 2, 3),
        (4, 5),
        0.6,
    )
    rest = quiet(pose)
    assert rest.blendshapes == {"mouthSmileLeft": 0.5, "eyeBlinkLeft": 1.0}
    assert (rest.head, rest.gaze, rest.breath) == (pose.head, pose.gaze, pose.breath)


def test_what_does_not_fit_is_said(tmp_path: Path, rig: Rig) -> None:
    path = lip_model(tmp_path / "m.onnx")
    lips, frames = NeuralLips(path, rig), picture(7, 256, 256)[None]
    with pytest.raises(AvatarError, match="1 frames and 2 poses"):
        lips.apply(frames, [Pose(), Pose()], SILENCE, 16_000, 25)
    with pytest.raises(AvatarError, match="pass the framing"):
        lips.apply(frames, [Pose()], SILENCE, 16_000, 25, framing="portrait")
    with pytest.raises(AvatarError, match="frames a second"):
        lips.apply(frames, [Pose()], SILENCE, 16_000, 0)
    with pytest.raises(AvatarError, match="one channel"):
        lips.apply(frames, [Pose()], np.zeros((2, 100), np.float32), 16_000, 25)
    with pytest.raises(AvatarError, match="pass RGB uint8"):
        list(lips.speak([(frames[0, :, :, 0], FaceFinder(rig).find(Pose()))], SILENCE, 16_000, 25))
    with pytest.raises(AvatarError, match="know no rig"):
        NeuralLips(path).apply(frames, [Pose()], SILENCE, 16_000, 25)
    with pytest.raises(AvatarError, match="choose 1 or more"):
        NeuralLips(path, rig, batch=0)


def test_drawing_lips_leaves_no_telemetry_behind(tmp_path: Path) -> None:
    path = lip_model(tmp_path / "m.onnx")
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "HF_"))}
    # onnxruntime keeps still under CI on its own: that must not hide what it does elsewhere.
    for name in ("CI", "TF_BUILD", "GITHUB_ACTIONS"):
        environment.pop(name, None)
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    code = f"from avatar.neural.model import LipModel; LipModel({str(path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert [found.name for found in home.rglob("*") if found.is_file()] == []


def test_importing_costs_no_heavy_library() -> None:
    heavy = ("onnxruntime", "cv2", "av", "numba")
    code = f"import sys, avatar.neural; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
