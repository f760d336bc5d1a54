from pathlib import Path

import numpy as np
import pytest

from agent.endings import BUCKETS, LANGUAGES, WEIGHTS, buckets_of, whole_probability
from agent.heard_words import heard_words
from agent.train_endings import main, sentences, shop_texts


@pytest.mark.parametrize(
    ("begun", "whole", "language"),
    [
        ("can you help me activate", "can you help me activate my card", "en"),
        ("where can I see my", "where can I see my statement", "en"),
        ("我想取消我的", "我想取消我的订单", "zh"),
    ],
)
def test_a_whole_sentence_is_likelier_than_its_beginning(begun: str, whole: str, language: str) -> None:
    assert whole_probability(heard_words(begun), language) + 0.3 < whole_probability(
        heard_words(whole), language
    )


def test_numbers_are_all_alike() -> None:
    assert buckets_of(["order", "4711"]) == buckets_of(["order", "12"])


def test_weights_are_small_and_there_for_each_language() -> None:
    with np.load(WEIGHTS) as stored:
        assert {name for name in stored if not name.endswith("_bias")} == set(LANGUAGES)
        assert all(stored[language].shape == (BUCKETS,) for language in LANGUAGES)
    assert WEIGHTS.stat().st_size < 100_000


def test_texts_are_taken_apart_into_sentences() -> None:
    assert list(sentences(["Hello. Where is it? Yes"])) == [("where", "is", "it")]
    assert "where is my parcel" in shop_texts("en")
    assert "我想换手机" in shop_texts("zh")


def test_training_learns_how_sentences_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("parcels", "orders", "shoes")
    (tmp_path / "en.txt").write_text("\n".join(f"please bring all {word} today" for word in words * 20))
    (tmp_path / "zh.txt").write_text("\n".join(f"今天请拿{word}" for word in ("鞋子", "衣服") * 20))
    monkeypatch.setattr("agent.train_endings.shop_texts", lambda language: [])
    arguments = ["x", "--english", str(tmp_path / "en.txt"), "--chinese", str(tmp_path / "zh.txt")]
    monkeypatch.setattr("sys.argv", [*arguments, "--out", str(tmp_path / "out.npz")])
    main()
    with np.load(tmp_path / "out.npz") as stored:

        def total(text: str) -> float:
            return float(stored["en_bias"] + stored["en"][buckets_of(heard_words(text))].astype(float).sum())

        assert total("please bring all shoes today") > 0 > total("please bring all")
