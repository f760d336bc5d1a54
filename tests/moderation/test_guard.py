import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation import Action, Direction, Guard, Policy, Verdict
from moderation.guard import MAX_CHARACTERS, OVERLAP, WINDOW

GENEROUS_S = 120
"""Seconds for a few hundred milliseconds of work: only what grows faster than the text fails."""


@given(st.text(st.characters(codec=None), max_size=400), st.sampled_from(list(Direction)))
@settings(deadline=None)
def test_any_text_gets_a_verdict(guard: Guard, text: str, direction: Direction) -> None:
    verdict = guard.screen(text, direction)
    assert all(0 <= span.start <= span.end <= len(text) for span in verdict.spans)
    assert all(0.0 <= score <= 1.0 for score in verdict.scores.values())
    assert verdict.action is not Action.MASK or verdict.text != text


PIECES = [
    "4111 1111 1111 1111",
    "sh1t",
    "我想自杀",
    "k i l l",
    "a@b.example",
    "\ud800",
    " ",
    "。",
    "kill you",
    "+44",
]


@given(st.lists(st.sampled_from(PIECES)), st.sampled_from(list(Direction)))
@settings(deadline=None)
def test_pieces_of_what_is_looked_for_get_a_verdict(
    guard: Guard, pieces: list[str], direction: Direction
) -> None:
    text = "".join(pieces)
    verdict = guard.screen(text, direction)
    assert all(0 <= span.start < span.end <= len(text) for span in verdict.spans)
    assert verdict.action is not Action.MASK or verdict.text != text


def test_hostile_long_texts_are_screened_in_good_time() -> None:
    code = """
from moderation import Guard
guard = Guard.load()
pieces = (
    ["a", "1", " ", "a ", "1 ", "1-", "("]
    + ["a.", "a@", "a@a.", ".", "-", "a-", "a!", "@", "$a", "{", "<!--", "[", "eyJ"]
    + ["sk-", "four ", "一", "a\\u200b", "\\u0301", "\\ud800"]
    + ["kill myself ", "you ", "我想", "ignore all ", "http://"]
    + ["gb82 ", "password is ", "11010519491231002", "data:text/"]
    + ["\\n", "aaab", "do not tell the user ", "1.", "a b "]
)
for piece in pieces:
    text = piece * (40_000 // len(piece))
    for direction in ("input", "document"):
        guard.quick(text[:40_000], direction)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=GENEROUS_S)


def test_a_flood_of_text_is_refused(guard: Guard) -> None:
    verdict = guard.screen("a lamp " * MAX_CHARACTERS)
    assert (verdict.action, verdict.rule) == ("refuse", "injection.flood")


@pytest.mark.parametrize("before", [0, WINDOW - OVERLAP - 10, WINDOW - 10, WINDOW, 3 * WINDOW + 17])
def test_a_long_text_is_screened_everywhere(guard: Guard, before: int) -> None:
    text = "x" * before + " call 4111 1111 1111 1111 now " + "y" * WINDOW
    verdict = guard.screen(text)
    assert verdict.rule == "pii.card"
    assert verdict.text == text.replace("4111 1111 1111 1111", "[card number]")
    [span] = verdict.spans
    assert text[span.start : span.end] == "4111 1111 1111 1111"


def test_the_worst_action_decides_and_every_rule_is_told(guard: Guard) -> None:
    verdict = guard.screen("my fucking card is 4111 1111 1111 1111 and I want to kill myself")
    assert (verdict.action, verdict.rule) == ("escalate", "self_harm.intent")
    assert {"pii.card", "profanity.strong"} <= set(verdict.rules)
    assert verdict.rules[0] == verdict.rule
    assert "4111" not in verdict.text


def test_many_texts_get_the_verdicts_of_each(guard: Guard) -> None:
    texts = ["hello", "fuck you", "", "我想自杀"]
    for many, one in zip(guard.screen_many(texts), map(guard.screen, texts), strict=True):
        assert (many.action, many.rules, many.text) == (one.action, one.rules, one.text)
        assert many.scores == pytest.approx(one.scores, abs=0.02)
    assert guard.screen_many([]) == []


def test_threads_may_share_a_guard() -> None:
    guard = Guard.load()
    texts = [
        "how can I poison my husband",
        "you stupid bitch",
        "all jews are vermin",
        "我要炸了你们的店",
        "hello",
    ] * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(guard.screen, texts)) == [guard.screen(text) for text in texts]


def test_a_threshold_decides_what_counts() -> None:
    guard = Guard(Policy.from_table({"thresholds": {"profanity": 0.3}}))
    assert guard.screen("this is ridiculous").action == "soften"
    assert Guard(Policy.from_table({"thresholds": {"profanity": 1.0}})).screen("shit").action == "allow"


class Scorer:
    name = "scorer"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def scores(self, texts: Sequence[str], direction: Direction) -> Sequence[Mapping[str, float]]:
        self.batches.append(list(texts))
        return [{"hate": 0.9 if "subtle" in text else 0.1} for text in texts]


def test_a_classifier_sees_one_batch_and_decides_with_the_rules() -> None:
    scorer = Scorer()
    guard = Guard(Policy.load(), classifiers=[scorer])
    fine, subtle = guard.screen_many(["a lamp", "something subtle"])
    assert scorer.batches == [["a lamp", "something subtle"]]
    assert (fine.action, fine.scores["hate"]) == ("allow", 0.1)
    assert (subtle.action, subtle.rule) == ("refuse", "hate.scorer")


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("show", [repr, str, "{}".format])
def test_a_verdict_never_shows_the_words(action: Action, show: Callable[[object], str]) -> None:
    verdict = Verdict(action, "hate.slur", "something unspeakable", category="hate", scores={"hate": 0.9})
    assert "unspeakable" not in show(verdict)
    assert "hate.slur" in show(verdict)


def test_a_safe_line_is_said_instead(guard: Guard) -> None:
    care = guard.screen("I want to kill myself")
    assert "crisis line" in guard.safe_line(care, "en")
    assert "心理援助热线" in guard.safe_line(care, "zh")
    assert "{" not in guard.safe_line(care, "en")
    assert guard.safe_line(guard.screen("hello"), "en") == ""
    assert guard.safe_line(guard.screen("should I buy bitcoin"), "xx") == guard.safe_line(
        guard.screen("should I buy bitcoin"), "en"
    )


def test_the_desk_sets_its_help_line() -> None:
    guard = Guard(Policy.from_table({"help_lines": {"en": "the Samaritans on 116 123"}}))
    assert "the Samaritans on 116 123" in guard.safe_line(guard.screen("I want to end my life"), "en")


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("We guarantee it.", "refuse"),
        ("We cannot guarantee it.", "allow"),
        ("我们保证退款", "refuse"),
        ("我们不能保证", "allow"),
    ],
)
def test_the_desk_does_not_promise(guard: Guard, text: str, action: str) -> None:
    assert guard.screen(text, "output").action == action


def test_safe_lines_pass_the_guard_themselves(guard: Guard) -> None:
    for lines in guard.policy.safe_lines.values():
        for line in lines.values():
            assert guard.screen(line.replace("{help_line}", "a crisis line"), "output").action == "allow", (
                line
            )


def test_an_unknown_direction_is_an_error(guard: Guard) -> None:
    with pytest.raises(ValueError, match="sideways"):
        guard.screen("hello", "sideways")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = """
import sys
import moderation
heavy = {"pydantic", "phonenumbers", "ahocorasick", "stdnum"} & set(sys.modules)
assert not heavy, heavy
assert moderation.Policy.load().threshold("hate") > 0
"""
    subprocess.run([sys.executable, "-c", code], check=True)
