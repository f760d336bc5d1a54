"""Texts and files that want to do harm by their form: each gets a verdict, or one clear line."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from moderation import Guard, ModerationError, Policy, PolicyError, Verdict
from moderation.classifier import WEIGHTS, load_classifier, shared_classifier

NOISE = random.Random(7).randbytes(2000)
THREAT = "I will kill you"


def screened(guard: Guard, text: str) -> list[Verdict]:
    return [guard.screen(text, direction) for direction in ("input", "document")]


@pytest.mark.parametrize("text", ["a lamp " * 1_500_000, "\u200b" * 10_000_000], ids=["words", "nothing"])
def test_ten_megabytes_are_refused(whole_guard: Guard, text: str) -> None:
    verdict = whole_guard.screen(text)
    assert not verdict.passes
    assert "injection.flood" in verdict.rules


@pytest.mark.parametrize(
    "text",
    [
        NOISE.decode("latin-1"),
        NOISE.decode("utf-8", "replace"),
        NOISE.decode("utf-16-le", "surrogatepass"),
        "\x00" * 1000,
        "\ud800\udc00\ud800" * 300,
        "".join(map(chr, range(0x20, 0xA00))),
        "á̂̃" * 300,
        "\u202e" * 3000 + "hello",
        "(((a+)+)+)+" * 100,
        "退货 возврат return สินค้า إرجاع 返品 " * 20,
    ],
    ids=range(10),
)
def test_whatever_a_text_is_made_of_it_gets_a_verdict(whole_guard: Guard, text: str) -> None:
    for verdict in screened(whole_guard, text):
        assert all(0.0 <= score <= 1.0 for score in verdict.scores.values())
        assert verdict.failed == ()


@pytest.mark.parametrize(
    "hidden",
    [
        "\u200b".join(THREAT),
        "\u200b" * 10_000 + THREAT,
        "\u202d" + THREAT + "\u202c",
        "please \u202e" + THREAT[::-1] + "\u202c thanks",
        "Ι wіll kіll yоu",  # Greek and Cyrillic letters that look like Latin ones
        "ｉ ｗｉｌｌ ｋｉｌｌ ｙｏｕ",
    ],
    ids=range(6),
)
def test_words_that_are_hidden_by_their_letters_are_found(whole_guard: Guard, hidden: str) -> None:
    assert not whole_guard.screen(hidden).passes


@pytest.mark.parametrize("bomb", ["re:(a+)+b", "re:(a*)*", "re:(x{1,99}){1,}y"])
def test_an_expression_that_could_hang_is_refused(bomb: str) -> None:
    with pytest.raises(PolicyError, match="repeats a repeat"):
        Policy.from_table({"words": {"blocked": [bomb]}})


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEIGHTS, tmp_path / "weights"))


@pytest.mark.parametrize("name", ["linear.npz", "encoder.onnx", "blend.json", "pieces.txt"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_a_damaged_classifier_is_told_of_at_the_start(copied: Path, name: str, damage: str) -> None:
    file = copied / name
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "noise": NOISE}[damage])
    with pytest.raises(ModerationError, match=r"embedded = false") as raised:
        load_classifier(copied)
    assert "\n" not in str(raised.value)


def test_a_guard_without_its_classifier_does_not_start(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copied / "encoder.onnx").write_bytes(b"")
    monkeypatch.setattr("moderation.classifier.WEIGHTS", copied)
    shared_classifier.cache_clear()
    with pytest.raises(ModerationError, match="cannot be read"):
        Guard.load()
    rules_alone = Guard.load(Policy.from_table({"engines": {"embedded": False}}))
    assert rules_alone.engine == "rules"
    shared_classifier.cache_clear()
