"""espeak-ng's names of sounds become IPA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import speech.espeak
from speech.mnemonics import Segment, sound, switched_language
from speech.voice_worker import VoiceWorker

ENGLISH_TEXT = (
    "The quick brown fox jumps over the lazy dog. She sells shells; whose measure, vision, beige garage? "
    "Father thought the boy's coin joined our hour, fire, tired lawyer. Church judge, witch badge, action. "
    "Bottle, button, rhythm, little, water, better, city, butter, kitten, mountain, important. "
    "Near, here, beer, there, care, poor, tour, sure, cure, more, four, car, star, bird, nurse, worker. "
    "Singing long things, ink, anger. Yes, use, few, beauty, queue, music. Loch, uh-oh, hm, aha! "
    "Restaurant, genre, croissant, façade, naïve. I'm, you're, we've, they'd, it'll, won't. 1234567890. "
    "Go, so, low; now, how, loud; day, they, great; boy, noise; my, buy, high; law, saw, all, off, orange. "
    "Agreement, about, banana, sofa, the apple, the end, roses, wanted, business, women, minute, idea, area."
)
CHINESE_TEXT = (
    "八坡摸佛的特呢了哥科喝鸡七西知吃是日字词四一五鱼啊哦鹅爱杯包欧安恩昂灯东儿。"
    "家铁表九天林亮英瓜国怪水宽春黄翁用学元云女绿略全军雄穷虐一点儿花儿玩儿。"
    "您好，请问有什么可以帮您？我的订单号是一二三四五，请用 Visa 信用卡支付，谢谢！喂，嗯，哼，哟。"
    "虽然，旅行，居住，旋转，群众，熊猫，怀疑，快乐，会议，追逐，顺利，尊敬，村庄，损失。"
)


@pytest.fixture(scope="module")
def worker() -> Iterator[VoiceWorker]:
    script = Path(speech.espeak.__file__).with_name("espeak_worker.py")
    worker = VoiceWorker(script, name="espeak-ng", remedy="pip install espeakng-loader")
    yield worker
    worker.close()


@pytest.mark.parametrize(
    ("voice", "text", "at_least"),
    [("en-us", ENGLISH_TEXT, 58), ("gmw/en", ENGLISH_TEXT, 50), ("cmn", CHINESE_TEXT, 70)],
)
def test_every_sound_of_a_varied_text_is_known(
    worker: VoiceWorker, voice: str, text: str, at_least: int
) -> None:
    events = worker.ask({"text": text, "voice": voice}).header["phonemes"]
    names = {event[0].lstrip("',%=") for event in events}
    assert len(names) >= at_least, "the text has become too narrow to prove anything"
    language = voice
    unknown = set()
    for name, *_ in events:
        switched = switched_language(name)
        if switched is not None:
            language = voice if voice.startswith(switched) else switched
        elif not sound(name, language).known:
            unknown.add((language, name))
    assert unknown == set()


@pytest.mark.parametrize(
    ("mnemonic", "language", "symbols", "stress"),
    [
        ("p", "en-us", ["p"], 0),
        ("'aI", "en-us", ["a", "ɪ"], 2),
        (",oU", "en-us", ["o", "ʊ"], 1),
        ("oU", "gmw/en", ["ə", "ʊ"], 0),
        ("tS", "en-us", ["tʃ"], 0),
        ("'A@", "en-us", ["ɑ", "ɹ"], 2),
        ("3", "en-us", ["ɚ"], 0),
        ("3", "gmw/en", ["ə"], 0),
        ("a", "en-us", ["æ"], 0),
        ("a", "cmn", ["a"], 0),
        ("ts.h", "cmn", ["ʈʂʰ"], 0),
        ("tS;", "cmn", ["tɕ"], 0),
        ("iE", "cmn", ["i", "ɛ"], 0),
        ("'ong", "cmn", ["ʊ", "ŋ"], 1),
        ("uai", "cmn", ["u", "a", "i"], 0),
        ("X", "cmn", ["x"], 0),
        ("_:", "en-us", [""], 0),
        ("_|", "cmn", [""], 0),
        ("(en)", "cmn", [], 0),
    ],
)
def test_mnemonics_split_into_ipa_with_their_stress(
    mnemonic: str, language: str, symbols: list[str], stress: int
) -> None:
    found = sound(mnemonic, language)
    assert [segment.symbol for segment in found.segments] == symbols
    assert found.stress == stress
    assert found.known


def test_a_falling_diphthong_begins_long_and_a_rising_final_begins_short() -> None:
    assert sound("aI").segments == (Segment("a", 0.6), Segment("ɪ", 0.4))
    first, second = sound("uo", "cmn").segments
    assert first.share < second.share


@pytest.mark.parametrize("mnemonic", ["aI", "iou", "ong", "@L", "i@3", "zQx9", "&U~"])
def test_shares_of_a_sound_add_up(mnemonic: str) -> None:
    assert sum(segment.share for segment in sound(mnemonic, "cmn").segments) == pytest.approx(1.0)


def test_an_unknown_mnemonic_is_guessed_and_says_so() -> None:
    guessed = sound("bA7!", "en-us")
    assert not guessed.known
    assert [segment.symbol for segment in guessed.segments] == ["b", "ɑ"]
    assert [segment.symbol for segment in sound("7!", "en-us").segments] == ["ə"]


def test_a_change_of_language_is_recognised_even_cut_off() -> None:
    assert switched_language("(en)") == "en"
    assert switched_language("(en-gb-x"[:8]) == "en-gb-x"
    assert switched_language("p") is None
