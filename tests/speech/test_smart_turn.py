from pathlib import Path

import numpy as np
import pytest

from speech.audio import load_audio
from speech.errors import EngineUnavailable
from speech.smart_turn import BANDS, FRAMES, features, load_smart_turn, smart_turn_file

pytest.importorskip("onnx", reason="the extra [piper] is not installed")

FIXTURES = Path(__file__).resolve().parents[2].parent / "shared" / "data"

SECOND = 16_000


def model(path: Path, *, frames: int = FRAMES) -> Path:
    """A model as Smart Turn's, whose logit is the loudness of the last tenth of a second."""
    import onnx
    from onnx import TensorProto, helper

    starts = helper.make_tensor("starts", TensorProto.INT64, [1], [frames - 10])
    ends = helper.make_tensor("ends", TensorProto.INT64, [1], [frames])
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [2])
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 1])
    nodes = [
        helper.make_node("Slice", ["input_features", "starts", "ends", "axes"], ["last"]),
        helper.make_node("ReduceMean", ["last"], ["mean"], axes=[1, 2], keepdims=1),
        helper.make_node("Sigmoid", ["mean"], ["sure"]),
        helper.make_node("Reshape", ["sure", "shape"], ["logits"]),
    ]
    given = helper.make_tensor_value_info("input_features", TensorProto.FLOAT, ["n", BANDS, frames])
    told = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1])
    graph = helper.make_graph(nodes, "turn", [given], [told], [starts, ends, axes, shape])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(made, path)
    return path


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * SECOND)).astype(np.float32)


def test_features_are_whispers_of_eight_seconds_with_the_sound_at_their_end() -> None:
    heard = features(noise(1.0))
    assert heard.shape == (BANDS, FRAMES)
    assert heard.dtype == np.float32
    assert heard[:, -90:].mean() > heard[:, :690].mean() + 0.5
    assert features(noise(30.0)).shape == (BANDS, FRAMES)


def test_loudness_does_not_matter() -> None:
    assert np.allclose(features(noise(2.0)), features(0.2 * noise(2.0)), atol=0.01)


def test_the_model_hears_the_end_of_the_sound(tmp_path: Path) -> None:
    turn = load_smart_turn(model(tmp_path / "turn.onnx"))
    assert turn is not None
    silence = np.zeros(SECOND // 2, np.float32)
    assert 0.0 <= turn(np.concatenate([noise(2.0), silence])) < turn(noise(2.0)) <= 1.0
    assert 0.0 <= turn(np.zeros(0, np.float32)) <= 1.0


def test_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no Smart Turn"):
        load_smart_turn(model(tmp_path / "other.onnx", frames=3000))


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(EngineUnavailable, match="copy the model again"):
        load_smart_turn(tmp_path / "broken.onnx")


def test_the_packaged_model_hears_whether_people_go_on() -> None:
    pytest.importorskip("pipecat", reason="the extra [turn] is not installed")
    if not FIXTURES.is_dir():
        pytest.skip("recorded speech is not here: put the folder shared beside the project")
    turn = load_smart_turn()
    assert turn is not None
    sound = load_audio(FIXTURES / "jfk" / "jfk.flac")
    halfway, over = sound[: int(4.6 * SECOND)], sound[: int(10.7 * SECOND)]
    assert turn(halfway) < 0.2 < 0.8 < turn(over)
    chinese = load_audio(FIXTURES / "cosyvoice_zh" / "zero_shot_prompt.wav")
    assert turn(chinese[: 2 * SECOND]) < 0.5 < turn(chinese)


def test_it_is_looked_for_in_the_model_cache_and_then_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVIS_MODELS", str(tmp_path))
    assert smart_turn_file() is None or "pipecat" in smart_turn_file().parts  # type: ignore[union-attr]
    mine = model(tmp_path / "smart-turn" / "mine.onnx")
    assert smart_turn_file() == mine
    assert load_smart_turn() is not None
