"""What a visitor feels, by their words."""

import json
import random
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from agent import detect_emotion, detect_emotions
from agent.emotion import Words
from agent.emotion_sources import made_of, own_texts
from agent.emotion_words import said
from agent.errors import AgentError
from evals.emotion import HELDOUT, measure
from moderation.feelings import FEELINGS


def found(text: str) -> set[tuple[str, bool]]:
    """Cues of a text, and whether each is denied."""
    return {(cue.name, cue.denied) for cue in said(text).cues}


@pytest.mark.parametrize(("text", "label"), [
    ("Where can I see the status of my order?", "neutral"),
    ("My parcel hasn't arrived, could you check where it is?", "neutral"),
    ("请问怎么修改收货地址？", "neutral"),
    ("I am furious, this is the third time nobody calls back!", "anger"),
    ("我受够了，你们这些骗子！", "anger"),
    ("Thank you so much, that's wonderful!", "joy"),
    ("太好了，真的很开心！", "joy"),
    ("My mother passed away and I miss her so much", "sadness"),
    ("我很难过，什么都没了", "sadness"),
    ("I'm really scared that somebody got into my account", "fear"),
    ("我好害怕，怎么办", "fear"),
    ("What?! No way, really?", "surprise"),
    ("天哪，真没想到！", "surprise"),
    ("Yuck, that is disgusting, there was mould in it", "disgust"),
    ("太恶心了，看着就想吐", "disgust"),
])  # fmt: skip
def test_plain_feelings_are_told(text: str, label: str) -> None:
    assert detect_emotion(text).label == label


@pytest.mark.parametrize(
    "text", ["I'm not angry, I only want to know the price", "我没有生气，就是问一下价格"]
)
def test_denied_anger_is_no_anger(text: str) -> None:
    assert detect_emotion(text).label != "anger"


@pytest.mark.parametrize("text", ["I'm not happy with it at all", "我一点也不高兴"])
def test_denied_joy_is_no_joy(text: str) -> None:
    assert detect_emotion(text).label in ("sadness", "anger")


def test_scores_name_every_feeling_and_the_label_is_the_highest() -> None:
    for emotion in detect_emotions(["I love it!", "Where is it?", "滚！", "?!?!", "Ω≈ç 123"]):
        assert set(emotion.scores) == set(FEELINGS)
        assert all(0.0 <= score <= 1.0 for score in emotion.scores.values())
        assert emotion.scores[emotion.label] == max(emotion.scores.values())
        assert 0.0 <= emotion.intensity <= 1.0


@pytest.mark.parametrize("text", ["", "   ", "\n\u200b", "12345", "\x00\x01"])
def test_what_has_no_words_tells_nothing(text: str) -> None:
    emotion = detect_emotion(text)
    assert (emotion.label, emotion.intensity) == ("neutral", 0.0)


def test_long_and_hostile_texts_are_read_in_bounds() -> None:
    for text in (
        "a" * 10_000_000,
        "!" * 100_000,
        "\u200b" * 10_000 + "hello",
        "\u202eolleh",
        "\ud800",
        "不" * 50_000,
    ):
        assert detect_emotion(text).label in FEELINGS


def test_words_of_force_make_a_feeling_stronger() -> None:
    plain, strong = detect_emotion("I am angry"), detect_emotion("I AM REALLY SO ANGRY!!")
    assert plain.label == strong.label == "anger"
    assert strong.intensity > plain.intensity
    assert detect_emotion("I am a bit angry").intensity < plain.intensity


def test_negation_ends_with_its_clause() -> None:
    assert ("anger", True) in found("I'm not angry, just tired")
    assert ("anger", False) in found("It's not here, I'm angry")
    assert ("joy", True) in found("我并不开心")
    assert ("anger", False) in found("没收到，气死我了")


def test_full_width_curly_and_stretched_letters_are_read() -> None:
    assert found("ＦＵＲＩＯＵＳ！") == {("anger", False)}
    assert ("anger", True) in found("I’m not angry")
    assert said("sooooo").tokens == said("sooo").tokens
    assert unicodedata.normalize("NFKC", "！") == "!"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a text"):
        detect_emotion(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="call detect_emotion"):
        detect_emotions("one text")


def test_damaged_weights_say_so(tmp_path: Path) -> None:
    path = tmp_path / "emotion.npz"
    with pytest.raises(AgentError, match="install the package again"):
        Words(path)
    path.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(AgentError, match="cannot be read"):
        Words(path)
    np.savez(path, used=np.zeros(3, np.int32))
    with pytest.raises(AgentError, match="cannot be read"):
        Words(path)


def test_patterns_make_texts_without_their_signs() -> None:
    examples = own_texts()
    assert {label for one in examples for label in one.labels} == set(FEELINGS)
    assert not [one.text for one in examples if re.search(r"[{}|]", one.text)]
    assert {one.part for one in examples} == {"train", "dev"}
    assert set(made_of("{I|We} wait{.|!}", random.Random(1))) >= {"I wait!", "We wait!"}


def test_held_out_lines_are_in_no_training_text() -> None:
    def folded(text: str) -> str:
        return re.sub(r"\W", "", text.lower())

    trained = {folded(one.text) for one in own_texts()}
    lines = [json.loads(line)["text"] for line in HELDOUT.read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 300
    assert [line for line in lines if len(folded(line)) > 6 and folded(line) in trained] == []


def test_held_out_service_talk_is_mostly_told_right() -> None:
    report = measure(None)["heldout"]
    assert report["en"]["macro_f1"] >= 0.7
    assert report["zh"]["macro_f1"] >= 0.7
    assert report["en"]["calm_kept"] >= 0.7
    assert report["zh"]["calm_kept"] >= 0.8
