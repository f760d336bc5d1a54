"""An ONNX text classifier as an engine: a tiny model that is made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moderation import ModerationError, Policy
from moderation.engine_onnx import OnnxClassifier
from moderation.engine_settings import OnnxEngine
from moderation.engines import open_engines
from moderation.verdict import Direction

VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "hello": 2, "attack": 3, "slur": 4}
LABELS = {"0": "benign", "1": "jailbreak", "2": "toxic"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder whose model adds up, for each label, the weights of a text's words."""
    onnx = pytest.importorskip("onnx", reason="makes the test's model")
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path / "guard"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"id2label": LABELS}))
    weights = np.zeros((len(VOCABULARY), 3), np.float32)
    weights[:, 0] = [0, 1, 4, -4, -4]
    weights[3, 1] = weights[4, 2] = 6.0
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["each"]),
        helper.make_node("ReduceSum", ["each", "axis"], ["logits"], keepdims=0),
    ]
    given = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
        given,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(folder / "model.onnx"))
    return folder


def settings(folder: Path, **more: Any) -> OnnxEngine:
    categories = {"jailbreak": "injection", "toxic": "hate"}
    return OnnxEngine.model_validate({"path": folder.name, "categories": categories, **more})


def test_a_folder_with_a_model_judges_beside_the_policy(model: Path) -> None:
    path = model.parent / "policy.toml"
    path.write_text(
        '[engines]\nembedded = false\n[engines.onnx.prompts]\npath = "guard"\n'
        'categories = { jailbreak = "injection" }\n'
    )
    [engine] = open_engines(Policy.load(path))
    assert engine.categories == {"injection"}
    hello, attack = engine.ask(["hello hello", "attack"], Direction.INPUT)
    assert hello["injection"] < 0.01
    assert attack["injection"] > 0.9


def test_labels_exclude_each_other_or_hold_together(model: Path) -> None:
    text = ["attack slur"]
    [one] = OnnxClassifier("x", settings(model), model.parent).scores(text, Direction.INPUT)
    both = OnnxClassifier("x", settings(model, activation="sigmoid"), model.parent)
    [several] = both.scores(text, Direction.INPUT)
    assert one["hate"] == pytest.approx(0.5, abs=0.01)
    assert several["hate"] > 0.99
    assert several["injection"] > 0.99
    config = {"id2label": LABELS, "problem_type": "multi_label_classification"}
    (model / "config.json").write_text(json.dumps(config))
    [told] = OnnxClassifier("x", settings(model), model.parent).scores(text, Direction.INPUT)
    assert told == several


def test_any_text_can_be_read(model: Path) -> None:
    classifier = OnnxClassifier("x", settings(model, max_tokens=16), model.parent)
    rows = classifier.scores(["", "\ud800", "hello " * 5000, "\x00" * 100] + ["slur"] * 40, Direction.INPUT)
    assert len(rows) == 44
    assert rows[-1]["hate"] > 0.9


def test_what_is_missing_or_wrong_is_named_at_the_start(model: Path) -> None:
    def opened(**more: Any) -> OnnxClassifier:
        return OnnxClassifier("mine", settings(model, **more), model.parent)

    with pytest.raises(
        ModerationError, match=r"categories\.rude: the model has no such label; it has benign"
    ):
        opened(categories={"rude": "profanity"})
    with pytest.raises(ModerationError, match="categories: is empty"):
        opened(categories={})
    (model / "config.json").write_text(json.dumps({"id2label": {**LABELS, "3": "more"}}))
    with pytest.raises(ModerationError, match="4 labels; export the model again"):
        opened()
    (model / "config.json").write_text("{}")
    with pytest.raises(ModerationError, match="no id2label"):
        opened()
    (model / "config.json").write_text(json.dumps({"id2label": LABELS}))
    (model / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModerationError, match=r"engines\.onnx\.mine\.path: .* cannot be loaded"):
        opened()
    (model / "model.onnx").unlink()
    with pytest.raises(ModerationError, match=r"there is no model\.onnx"):
        opened()
