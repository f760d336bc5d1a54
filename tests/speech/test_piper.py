"""Piper voices, with a tiny one that the test builds: real loading and timing, noise for sound."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speech.errors import EngineUnavailable
from speech.piper import PiperSynthesizer
from speech.piper_phonemes import sentence_onsets
from speech.timeline import Speech

pytest.importorskip("onnx", reason="the extra [piper] is not installed")

SAMPLES_PER_FRAME = 256
FRAMES_PER_ID = 4.4
ALPHABET = ["_", "^", "$", " ", *"!'(),-.:;?abcdefhijklmnopqrstuvwxyzæðŋɐɑɔəɚɛɜɡɪɹɾʃʊʌʒˈˌːθᵻ1234567890χɕy"]


def build_voice(folder: Path, name: str, *, alignments: bool, language: str = "en-us") -> Path:
    """A Piper model: each phoneme id lasts `FRAMES_PER_ID` frames of noise, times the length scale."""
    import onnx
    from onnx import TensorProto, helper

    rounding = "Ceil" if alignments else "Round"  # piper finds the lengths by the graph's only Ceil
    nodes = [
        helper.make_node("Cast", ["input"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["ids", "zero"], ["nothing"]),
        helper.make_node("Gather", ["scales", "one"], ["length_scale"]),
        helper.make_node("Mul", ["length_scale", "frames"], ["length"]),
        helper.make_node("Add", ["nothing", "length"], ["lengths"]),
        helper.make_node(rounding, ["lengths"], ["w_ceil"]),
        helper.make_node("ReduceSum", ["w_ceil"], ["total"], keepdims=0),
        helper.make_node("Mul", ["total", "hop"], ["samples_float"]),
        helper.make_node("Cast", ["samples_float"], ["samples_scalar"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["samples_scalar", "minus_one"], ["samples"]),
        helper.make_node("Concat", ["ones", "samples"], ["shape"], axis=0),
        helper.make_node("ConstantOfShape", ["shape"], ["blank"]),
        helper.make_node("RandomNormalLike", ["blank"], ["output"], seed=1.0, scale=0.1),
    ]
    constants = [
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("frames", TensorProto.FLOAT, [], [FRAMES_PER_ID]),
        helper.make_tensor("hop", TensorProto.FLOAT, [], [float(SAMPLES_PER_FRAME)]),
        helper.make_tensor("minus_one", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("ones", TensorProto.INT64, [2], [1, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "voice",
        [
            helper.make_tensor_value_info("input", TensorProto.INT64, [1, "n"]),
            helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "t"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    path = folder / f"{name}.onnx"
    onnx.save(model, str(path))
    config: dict[str, Any] = {
        "audio": {"sample_rate": 22_050},
        "espeak": {"voice": language},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": {symbol: [index] for index, symbol in enumerate(ALPHABET)},
        "num_symbols": len(ALPHABET),
        "num_speakers": 1,
        "hop_length": SAMPLES_PER_FRAME,
    }
    Path(f"{path}.json").write_text(json.dumps(config), encoding="utf-8")
    return path


def needs_piper() -> None:
    from importlib.util import find_spec

    if find_spec("piper") is None:
        pytest.skip("the extra [piper] is not installed")


@pytest.fixture(scope="module", params=[True, False], ids=["with-alignments", "without-alignments"])
def voice(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PiperSynthesizer]:
    needs_piper()
    voice = PiperSynthesizer(build_voice(tmp_path_factory.mktemp("voice"), "noise", alignments=request.param))
    yield voice
    voice.close()


def symbols(speech: Speech) -> str:
    return "".join(phoneme.symbol for phoneme in speech.phonemes)


def test_a_sentence_has_sound_phonemes_and_words(voice: PiperSynthesizer) -> None:
    speech = voice.speak("Please put $5 in the shop.")
    assert speech.engine == "piper/noise"
    assert speech.sample_rate == 22_050
    assert speech.pcm.dtype == np.float32
    assert 0.05 < float(np.abs(speech.pcm).max()) <= 0.951
    assert symbols(speech).startswith("plizpʊt")
    assert symbols(speech).endswith("ʃɑp")
    assert [word.text for word in speech.words] == ["Please", "put", "$5", "in", "the", "shop."]
    assert speech.phonemes[0].start_s == 0.0
    assert speech.phonemes[-1].end_s == pytest.approx(speech.duration_s)
    assert all(a.end_s == b.start_s for a, b in zip(speech.phonemes, speech.phonemes[1:], strict=False))
    assert speech.phonemes[-1].symbol == ""
    assert any(phoneme.stress == 2 for phoneme in speech.phonemes)


def test_emotion_changes_the_length(voice: PiperSynthesizer) -> None:
    text = "I am looking into that for you."
    lengths = {e: voice.speak(text, emotion=e).duration_s for e in ("happy", "neutral", "thinking")}
    assert lengths["happy"] <= lengths["neutral"] < lengths["thinking"]


def test_sentences_of_one_text_follow_each_other(voice: PiperSynthesizer) -> None:
    one, two = voice.speak("It is here."), voice.speak("It is here. It is here.")
    assert symbols(two).count("ɪɾɪzhɪɹ") == 2
    assert two.duration_s > 2 * (one.duration_s - 0.25)
    assert [word.text for word in two.words] == ["It", "is", "here.", "It", "is", "here."]


@pytest.mark.parametrize("text", ["", "...", "😀"])
def test_what_has_nothing_to_say_is_a_short_silence(voice: PiperSynthesizer, text: str) -> None:
    speech = voice.speak(text)
    assert speech.duration_s < 0.5
    assert not speech.pcm.any()


def test_a_killed_worker_is_started_again(voice: PiperSynthesizer) -> None:
    voice.speak("hello")
    pid = voice.worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert symbols(voice.speak("shop")) == "ʃɑp"


def test_lengths_come_from_the_voice_where_it_tells_them(tmp_path: Path) -> None:
    needs_piper()
    voice = PiperSynthesizer(build_voice(tmp_path, "noise", alignments=True))
    try:
        reply = voice.worker.ask({"text": "shop"})
    finally:
        voice.close()
    (sentence,) = reply.header["sentences"]
    assert sentence["phonemes"] == ["^", "ʃ", "ˈ", "ɑ", "ː", "p", "$"]
    assert sum(sentence["lengths"]) == sentence["samples"] == len(reply.pcm)
    assert sentence["lengths"][1] == 2 * SAMPLES_PER_FRAME * np.ceil(FRAMES_PER_ID)


def test_marks_belong_to_the_sounds_beside_them() -> None:
    points = ["^", "tʃ"[0], "tʃ"[1], "ˈ", "ɑ", "ː", " ", "p", ".", "$"]
    pcm = np.zeros(1000, np.float32)
    onsets = sentence_onsets(points, [100] * 10, pcm, 1000, 0.5, "en")
    assert [(onset.symbol, round(onset.start_s, 3), onset.stress) for onset in onsets] == [
        ("", 0.5, 0), ("tʃ", 0.6, 0), ("ɑ", 0.8, 2), ("p", 1.2, 0), ("", 1.3, 0), ("", 1.4, 0), ("", 1.5, 0),
    ]  # fmt: skip


def test_chinese_makeshift_names_become_ipa() -> None:
    points = ["^", "t", "s", ".", "h", "u", "5", "t", "ɕ", "o", "n", "ɡ", "χ", "a", ".", "$"]
    onsets = sentence_onsets(points, [100] * 16, np.zeros(1600, np.float32), 1000, 0.0, "zh")
    assert [onset.symbol for onset in onsets if onset.symbol] == ["ʈʂʰ", "u", "tɕ", "o", "ŋ", "x", "a"]


def test_without_lengths_time_is_shared_by_kind_within_the_voiced_part() -> None:
    pcm = np.concatenate([np.zeros(500), np.ones(1000) * 0.5, np.zeros(500)]).astype(np.float32)
    onsets = sentence_onsets(["^", "ʃ", "ˈ", "ɑ", "ː", "p", ".", "$"], None, pcm, 1000, 0.0, "en")
    times = {onset.symbol: onset.start_s for onset in onsets if onset.symbol}
    assert times["ʃ"] == pytest.approx(0.5)
    assert times["p"] < 1.5
    assert times["p"] - times["ɑ"] > times["ɑ"] - times["ʃ"]


def test_a_missing_voice_or_configuration_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="visavis models pull"):
        PiperSynthesizer(tmp_path / "none.onnx")
    with pytest.raises(EngineUnavailable, match="0 .onnx files"):
        PiperSynthesizer(tmp_path)
    (tmp_path / "v.onnx").write_bytes(b"no model")
    with pytest.raises(EngineUnavailable, match=r"v\.onnx\.json is missing"):
        PiperSynthesizer(tmp_path)
    (tmp_path / "v.onnx.json").write_text("{")
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        PiperSynthesizer(tmp_path)
    (tmp_path / "v.onnx.json").write_text("[]")
    with pytest.raises(EngineUnavailable, match="no configuration"):
        PiperSynthesizer(tmp_path)


def test_a_damaged_model_is_reported_by_the_worker(tmp_path: Path) -> None:
    needs_piper()
    path = build_voice(tmp_path, "noise", alignments=True)
    path.write_bytes(b"no model")
    voice = PiperSynthesizer(path)
    try:
        with pytest.raises(EngineUnavailable, match="piper"):
            voice.speak("hello")
    finally:
        voice.close()


def test_the_language_is_read_from_the_configuration(tmp_path: Path) -> None:
    path = build_voice(tmp_path, "noise", alignments=True, language="cmn")
    assert PiperSynthesizer(tmp_path).language == "zh"
    config = json.loads(Path(f"{path}.json").read_text())
    config["language"] = {"code": "de_DE"}
    Path(f"{path}.json").write_text(json.dumps(config))
    assert PiperSynthesizer(tmp_path).language == "de"
