"""Written words get the times of what is heard."""

from __future__ import annotations

from speech.spoken_text import spoken
from speech.timeline import Phoneme
from speech.word_times import Mark, share_out, word_times


def test_a_word_said_as_several_keeps_its_writing_and_all_their_time() -> None:
    written = "It costs $29 now"
    said = spoken(written, "en")
    assert said.text == "It costs 29 dollars now"
    marks = [Mark(0, 2, 0.0, 0.2), Mark(3, 5, 0.2, 0.5), Mark(9, 2, 0.5, 0.7), Mark(9, 2, 0.7, 0.9),
             Mark(12, 7, 0.9, 1.3), Mark(20, 3, 1.3, 1.6)]  # fmt: skip
    words = word_times(written, said, marks)
    assert [word.text for word in words] == ["It", "costs", "$29", "now"]
    assert (words[2].start_s, words[2].end_s) == (0.5, 1.3)


def test_words_that_the_engine_joins_share_the_time() -> None:
    said = spoken("in the shop", "en")
    words = word_times("in the shop", said, [Mark(0, 2, 0.0, 0.5), Mark(7, 4, 0.5, 1.0)])
    assert [word.text for word in words] == ["in", "the", "shop"]
    assert 0.0 < words[1].start_s < words[1].end_s <= 0.5


def test_what_is_not_heard_is_no_word() -> None:
    written = "fine 😀 — thanks"
    said = spoken(written, "en")
    marks = [Mark(0, 4, 0.0, 0.4), Mark(said.text.index("thanks"), 6, 0.5, 0.9)]
    assert [word.text for word in word_times(written, said, marks)] == ["fine", "thanks"]


def test_without_an_engines_marks_time_is_shared_out_and_skips_pauses() -> None:
    said = spoken("aaaa, bb", "en")
    timeline = [Phoneme("a", 0.0, 0.4), Phoneme("", 0.4, 0.6), Phoneme("b", 0.6, 0.8), Phoneme("", 0.8, 1.0)]
    words = word_times("aaaa, bb", said, share_out(said, timeline))
    assert [(word.text, round(word.start_s, 3), round(word.end_s, 3)) for word in words] == [
        ("aaaa,", 0.0, 0.4),
        ("bb", 0.6, 0.8),
    ]


def test_nothing_voiced_has_no_words() -> None:
    said = spoken("hello", "en")
    assert share_out(said, [Phoneme("", 0.0, 1.0)]) == ()
    assert word_times("hello", said, ()) == ()
