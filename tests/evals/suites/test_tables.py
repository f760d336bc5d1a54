from __future__ import annotations

from pathlib import Path

import pytest

from evals.suites.figures import SuiteDataError, macro_and_weighted_f1
from evals.suites.intents import left_out, measure_intents, read_intents
from evals.suites.tables import LABEL_NAMES, TEXT_NAMES, read_table


def _file(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "id,Query,Intent\n1,where is my card,card\n"),
        ("a.csv", '\ufefftext,label\n"where is my card",card\n'),
        ("a.tsv", "label\tutterance\ncard\twhere is my card\n"),
        ("a.csv", "where is my card,card\nand my pin,card\n"),
        ("a.jsonl", '{"text": "where is my card", "label": "card"}\n'),
        ("a.jsonl", '{"text": "where is my card", "label": "card", "more": "a\u2028b\x85"}\r\n'),
        ("a.json", '[{"question": "where is my card", "category": "card"}]'),
        ("a.json", '{"train": [["where is my card", "card"]]}'),
        ("a.json", '{"nlu": {"names": [], "examples": [{"text": "where is my card", "intent": "card"}]}}'),
        (
            "a.json",
            '{"features": [{"name": "x"}], "rows": [{"row": {"text": "where is my card", "label": "card"}}]}',
        ),
    ],
)
def test_texts_and_labels_are_found_in_files_as_they_are_published(
    tmp_path: Path, name: str, text: str
) -> None:
    table = read_table(_file(tmp_path, name, text))
    said, meant = table.column("", TEXT_NAMES, "", ""), table.column("", LABEL_NAMES, "", "")
    assert (table.rows[0].values[said], table.rows[0].values[meant]) == ("where is my card", "card")


@pytest.mark.parametrize(
    ("name", "text", "place", "remedy"),
    [
        ("a.csv", "text,label\nhello,greet\nhello, you,greet\n", "a.csv:3:", "quote texts"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text"\n', "a.jsonl:2:", "fetch it again"),
        ("a.json", "[1]", "a.json:1:", "write"),
        ("a.csv", "one,two,three\na,b,c\n", "a.csv:1:", "--text"),
        ("a.csv", "", "a.csv:", "right file"),
        ("a.pdf", "text", "a.pdf:", ".csv"),
    ],
)
def test_broken_tables_are_named_with_row_and_remedy(
    tmp_path: Path, name: str, text: str, place: str, remedy: str
) -> None:
    with pytest.raises(SuiteDataError) as raised:
        read_table(_file(tmp_path, name, text)).column("", TEXT_NAMES, "the texts", "--text")
    assert place in str(raised.value)
    assert remedy in str(raised.value)
    assert "\n" not in str(raised.value)


def test_f1_is_the_mean_over_labels_and_over_what_is_wanted() -> None:
    macro, weighted = macro_and_weighted_f1(["a", "a", "a", "b"], ["a", "a", "b", "b"])
    assert macro == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert weighted == pytest.approx((3 * 4 / 5 + 2 / 3) / 4)


KNOWN = {
    "card_lost": ("I lost my card", "my card is gone", "someone stole my card"),
    "opening": ("when do you open", "what are your opening hours", "are you open on sunday"),
    "parcel": ("where is my parcel", "track my package", "the delivery has not come"),
}


def _set(folder: Path) -> Path:
    train = "".join(f"{text},{label}\n" for label, texts in KNOWN.items() for text in texts)
    _file(folder, "train.csv", f"text,label\n{train}")
    asked = "I have lost my bank card,card_lost\nopening hours please,opening\nwhere is the package,parcel\n"
    _file(folder, "test.csv", f"text,label\n{asked}how tall is mount everest,oos\n")
    return folder


def test_the_label_found_by_the_knowledge_is_counted_and_foreign_texts_are_told(tmp_path: Path) -> None:
    found = measure_intents(read_intents(_set(tmp_path)))
    assert found.figures["known"] == 9
    assert found.figures["accuracy"] == found.figures["macro_f1"] == 1.0
    assert found.figures["out_of_scope"] == 1
    assert found.figures["out_of_scope_auroc"] == 1.0
    assert [row["given"] for row in found.rows[:3]] == ["card_lost", "opening", "parcel"]


def test_labels_that_are_left_out_are_asked_as_foreign(tmp_path: Path) -> None:
    one = left_out(read_intents(_set(tmp_path)), 0.3)
    assert len({each.label for each in one.known}) == 2
    assert len(one.asked) == 2
    assert len(one.outside) == 2


def test_without_a_split_a_fifth_of_each_label_is_asked(tmp_path: Path) -> None:
    rows = "".join(f"question {label} {number},{label}\n" for label in "ab" for number in range(10))
    one = read_intents(_file(tmp_path, "all.csv", f"text,label\n{rows}"))
    assert (len(one.known), len(one.asked)) == (16, 4)
    assert "every fifth" in one.how


def test_of_several_files_of_a_split_the_plain_one_is_read(tmp_path: Path) -> None:
    _set(tmp_path)
    _file(tmp_path, "train_5.csv", "text,label\nhello,greet\n")
    one = read_intents(tmp_path)
    assert len(one.known) == 9
    assert "train.csv" in one.how
    for split in ("train", "test"):
        (tmp_path / "lines" / split).mkdir(parents=True)
        _file(tmp_path / "lines" / split, "seq.in", f"good {split}\n")
        _file(tmp_path / "lines" / split, "label", "greet\n")
    assert read_intents(tmp_path / "lines").asked[0].text == "good test"


def test_an_intent_that_stands_in_several_scenarios_is_named_with_its_scenario(tmp_path: Path) -> None:
    asked = "What would you ask?"
    rows = [
        f"{where};query;{where} {number}?;{asked}\n" for where in ("alarm", "mail") for number in range(11)
    ]
    one = read_intents(_file(tmp_path, "all.csv", f"scenario;intent;answer;question\n{''.join(rows)}"))
    assert {each.label for each in one.known} == {"alarm_query", "mail_query"}
    assert one.known[0].text == "alarm 0?"


def test_a_set_with_nothing_to_ask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteDataError, match="nothing is left"):
        read_intents(_file(tmp_path, "all.csv", "text,label\nhello,greet\nbye,leave\n"))
