import numpy as np
import pytest

from agent.caption import CUE_CHARS, cues_of
from agent.events import Spoken
from agent.sentence import Sentence
from speech.timeline import Phoneme, Speech, Word

LONG = (
    "You can send almost anything back within thirty days, as long as it is unused and in its box, "
    "and we pay for the return if the item arrived damaged or was not what you ordered."
)


def spoken(text: str, *, seconds: float = 8.0, words: bool = True) -> Spoken:
    parts = text.split() if " " in text else list(text)
    step = seconds / len(parts)
    times = tuple(Word(part, n * step, (n + 1) * step) for n, part in enumerate(parts)) if words else ()
    pcm = np.zeros(round((seconds + 0.4) * 22_050), np.float32)
    phonemes = (Phoneme("a", 0.0, seconds), Phoneme("", seconds, seconds + 0.4))
    return Spoken(Sentence(text), Speech(pcm, 22_050, phonemes, times, text), 2.0, 0.0)


@pytest.mark.parametrize("words", [True, False])
def test_a_long_sentence_becomes_cues_that_can_be_read(words: bool) -> None:
    cues = cues_of(spoken(LONG, words=words))
    assert len(cues) >= 3
    assert all(len(cue.text) <= CUE_CHARS for cue in cues)
    assert " ".join(cue.text for cue in cues) == LONG


@pytest.mark.parametrize("words", [True, False])
def test_cues_follow_each_other_within_the_sentence(words: bool) -> None:
    cues = cues_of(spoken(LONG, words=words))
    assert cues[0].start_s == 2.0
    assert cues[-1].end_s == pytest.approx(10.0)
    for one, two in zip(cues, cues[1:], strict=False):
        assert one.start_s < one.end_s == two.start_s


def test_a_cue_begins_with_its_first_word() -> None:
    cues = cues_of(spoken(LONG))
    words = LONG.split()
    said_before = len(cues[0].text.split())
    assert cues[1].start_s == pytest.approx(2.0 + said_before * 8.0 / len(words), abs=0.3)


def test_chinese_is_cut_without_spaces() -> None:
    text = (
        "您可以在收到商品后三十天内退货，商品须未使用并保留原包装，运费由我们承担，退款会在五个工作日内到账。"
    )
    cues = cues_of(spoken(text))
    assert "".join(cue.text for cue in cues) == text
    assert all(len(cue.text) <= 30 for cue in cues)


def test_a_short_sentence_is_one_cue() -> None:
    assert [cue.text for cue in cues_of(spoken("Yes, you can."))] == ["Yes, you can."]
