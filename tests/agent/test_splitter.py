from hypothesis import given
from hypothesis import strategies as st

from agent.splitter import SentenceSplitter, split_sentences


def fed(pieces: list[str]) -> list[str]:
    splitter = SentenceSplitter()
    return [sentence for piece in pieces for sentence in splitter.feed(piece)] + splitter.flush()


def test_a_sentence_is_handed_out_as_soon_as_the_next_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("Returns are free.") == []
    assert splitter.feed(" You have") == ["Returns are free."]


def test_chinese_punctuation_ends_a_sentence_at_once() -> None:
    splitter = SentenceSplitter(first_letters=4)
    assert splitter.feed("退货是免费的。您有") == ["退货是免费的。"]


def test_prices_hosts_and_abbreviations_stay_whole() -> None:
    text = "It costs 29.99 euros at shop.example. Ask Mr. Pine, e.g. by phone. Done."
    assert fed([text]) == ["It costs 29.99 euros at shop.example.", "Ask Mr. Pine, e.g. by phone.", "Done."]


def test_a_very_short_first_sentence_waits_for_the_next() -> None:
    assert fed(["Yes. You can return it. Bye."]) == ["Yes. You can return it.", "Bye."]


def test_a_number_at_the_end_of_a_sentence_ends_it() -> None:
    assert fed(["We reply within 5. Then we call."]) == ["We reply within 5.", "Then we call."]


def test_a_sentence_without_end_is_cut_at_a_clause() -> None:
    parts = fed(["word " * 40 + "here, " + "more " * 60])
    assert parts[0].endswith("here,")
    assert all(len(part) <= 300 for part in parts)


@given(st.lists(st.text(alphabet="ab .!?。，,\n12", max_size=30), max_size=12))
def test_no_letter_is_lost_and_pieces_do_not_matter(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert "".join(fed(pieces)).replace(" ", "").replace("\n", "") == whole.replace(" ", "").replace("\n", "")


def test_a_whole_text_is_split() -> None:
    assert split_sentences("One. Two! 三。四") == ["One.", "Two!", "三。", "四"]
