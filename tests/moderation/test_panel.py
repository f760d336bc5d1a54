"""Engines that judge together: each within its time, whatever it does, and with what was said before."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest

from moderation import Guard, Policy
from moderation.errors import EngineError
from moderation.panel import CALLS, WINDOW, Engine
from moderation.verdict import Direction


class Scripted:
    """Scores what it is told to: text in a text → category → score."""

    def __init__(self, name: str = "scripted", **found: Mapping[str, float]) -> None:
        self.name = name
        self.categories = frozenset(("hate", "profanity", "self_harm"))
        self.read: list[list[str]] = []
        self._found = found

    def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
        self.read.append(list(texts))
        return [
            {key: score for word, row in self._found.items() if word in text for key, score in row.items()}
            for text in texts
        ]


class Hanging(Scripted):
    """Answers only when the test is over."""

    def __init__(self, *categories: str) -> None:
        super().__init__("hanging")
        self.categories = frozenset(categories)
        self.over = threading.Event()
        self.under_way = 0

    def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
        self.under_way += 1
        self.over.wait(30)
        return super().scores(texts, direction)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    engine = Hanging("self_harm", "profanity")
    yield engine
    engine.over.set()


def guard(*engines: Engine | Scripted, **table: object) -> Guard:
    return Guard(Policy.from_table({"engines": {"closed": ["self_harm"]}, **table}), classifiers=engines)


def test_an_engine_that_hangs_closes_what_may_not_fail_and_flags_the_rest(hanging: Hanging) -> None:
    closed = guard(Engine(hanging, budget_s=0.02)).screen("Good morning.", "output")
    hanging.categories = frozenset(("profanity",))
    open_ = guard(Engine(hanging, budget_s=0.02)).screen("Good morning.", "output")
    assert (closed.action, closed.rule, closed.category) == ("refuse", "engine.timeout", "engine")
    assert (open_.action, open_.rule, open_.failed) == ("allow", "engine.timeout", ("hanging.timeout",))


def test_an_engine_that_hangs_holds_a_few_threads_and_no_queue(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moderation.panel.FAILURES", 1000)
    judging = guard(Engine(hanging, budget_s=0.01))
    before = threading.active_count()
    for _ in range(3 * CALLS):
        assert judging.screen("Good morning.", "output").rule == "engine.timeout"
    assert hanging.under_way == CALLS
    assert threading.active_count() == before + CALLS
    hanging.over.set()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}, {}],
        [{"hate": float("nan")}],
        [None],
        [{"hate": "much"}],
        RuntimeError("boom"),
        EngineError("no"),
    ],
    ids=str,
)
def test_whatever_an_engine_returns_or_raises_is_an_outcome(rows: object) -> None:
    class Broken(Scripted):
        def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
            if isinstance(rows, Exception):
                raise rows
            return rows  # type: ignore[return-value]

    for engine in (Engine(Broken()), Engine(Broken(), inline=True)):
        verdict = guard(engine).screen("Good morning.", "output")
        assert (verdict.action, verdict.rule) == ("refuse", "engine.error")


def test_the_strictest_word_counts_and_the_highest_score_is_told() -> None:
    judging = guard(
        Scripted("mild", damn={"profanity": 0.7}),
        Scripted("stern", damn={"hate": 0.6, "profanity": 0.9}),
        Scripted("odd", damn={"toxicity": 1.0, "hate": 7.0}),
    )
    verdict = judging.screen("where is my damn order")
    assert (verdict.action, verdict.rule) == ("refuse", "hate.odd")
    assert verdict.scores == {"hate": 1.0, "profanity": pytest.approx(0.9)}
    assert {"hate.stern", "profanity.mild", "profanity.stern"} <= set(verdict.rules)
    assert judging.engine == "rules+mild+stern+odd"


def test_an_engine_has_its_own_thresholds_and_actions() -> None:
    table = {
        "engines": {"thresholds": {"openai": {"hate": 0.8}}},
        "rules": {"hate.openai": {"input": "soften"}},
    }
    judging = guard(Scripted("openai", strange={"hate": 0.7}, vile={"hate": 0.9}), **table)
    assert judging.screen("something strange").action == "allow"
    assert judging.screen("something vile").action == "soften"
    assert judging.screen("something vile", "output").action == "refuse"


def test_an_engine_may_have_a_threshold_for_one_direction() -> None:
    table = {"engines": {"thresholds": {"openai": {"hate": 0.6, "hate.document": 0.8}}}}
    judging = guard(Scripted("openai", strange={"hate": 0.7}), **table)
    assert judging.screen("something strange").rule == "hate.openai"
    assert judging.screen("something strange", "document").rule == ""


def test_an_engine_is_asked_only_about_its_directions() -> None:
    engine = Scripted()
    judging = guard(Engine(engine, directions=(Direction.OUTPUT,)))
    judging.screen("hello")
    assert not engine.read
    assert (judging.judges("input"), judging.judges("output")) == (False, True)
    assert (judging.budget_s("input"), judging.budget_s("output") > 0) == (0.0, True)


def test_engines_read_no_personal_data() -> None:
    engine = Scripted()
    verdict = guard(engine).screen("I want it, my card is 4111 1111 1111 1111")
    assert engine.read == [["I want it, my card is …"]]
    assert verdict.action == "mask"


def test_the_end_of_a_long_text_is_judged_too() -> None:
    judging = guard(Scripted(vile={"hate": 0.9}))
    assert judging.screen("a lamp, " * (WINDOW // 2) + "something vile", "document").rule == "hate.scripted"


def test_harm_that_is_spread_over_two_sentences_is_found_by_rules() -> None:
    judging = guard()
    assert judging.screen("kill yourself", "output", context="You should go").rule
    first, second = "Nobody needs you here, so just go and kill", "yourself right now."
    assert judging.screen(first, "output").passes
    assert judging.screen(second, "output").passes
    assert not judging.screen(second, "output", context=first).passes
    card = judging.screen("1111 1111 is my card", context="it is 4111 1111")
    assert (card.rule, card.text) == ("pii.card", "[card number] is my card")


def test_what_was_said_before_does_not_count_again() -> None:
    judging = guard(Scripted(vile={"hate": 0.9}))
    for before in ("I want to kill myself.", "something vile", "my card is 4111 1111 1111 1111"):
        assert judging.screen("Where is my order?", context=before).action == "allow"


def test_harm_that_only_both_sentences_hold_is_found_by_engines() -> None:
    class Both(Scripted):
        def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
            return [{"hate": 0.9 if "those" in text and "vermin" in text else 0.1} for text in texts]

    judging = guard(Both())
    assert judging.screen("They are vermin.", "output").action == "allow"
    assert (
        judging.screen("They are vermin.", "output", context="Look at those people.").rule == "hate.scripted"
    )
    seen = "those people are vermin"
    assert judging.screen("Good morning.", "output", context=seen).action == "allow"
