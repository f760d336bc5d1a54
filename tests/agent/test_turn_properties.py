"""Whatever happens in whatever order, turn taking keeps its promises."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.turn import TurnTaker
from agent.turn_commands import (
    Cancel,
    Command,
    Commit,
    Discard,
    Ignore,
    Pause,
    Prepare,
    Recognize,
    Resume,
    ShowState,
    TurnState,
)
from agent.turn_settings import TurnSettings

TEXTS = [
    "",
    "where is my order",
    "I want to",
    "mm-hm",
    "stop",
    "嗯",
    "等一下",
    "怎么退货",
    "yes",
    "???",
    "4 7 1",
]

HAPPENINGS = st.one_of(
    st.tuples(st.just("started"), st.floats(0.0, 0.5)),
    st.tuples(st.just("ended"), st.floats(0.0, 0.5)),
    st.tuples(st.just("words"), st.sampled_from(TEXTS)),
    st.tuples(st.just("old words"), st.sampled_from(TEXTS)),
    st.tuples(st.just("unsure words"), st.sampled_from(TEXTS)),
    st.tuples(st.just("began"), st.just(0.0)),
    st.tuples(st.just("over"), st.just(0.0)),
    st.tuples(st.just("lasts"), st.floats(-1.0, 20.0)),
    st.tuples(st.just("last"), st.floats(-1.0, 20.0)),
    st.tuples(st.just("typed"), st.sampled_from(TEXTS)),
    st.tuples(st.just("stop"), st.just(0.0)),
    st.tuples(st.just("dictation"), st.booleans()),
    st.tuples(st.just("tick"), st.floats(0.0, 1.0)),
)
SCRIPTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.02, 0.1, 0.3, 1.0, 3.0, 9.0, 40.0]), HAPPENINGS), max_size=60
)


def happen(taker: TurnTaker, now_s: float, what: str, value: object) -> list[Command]:
    match what:
        case "started":
            return taker.speech_started(now_s, now_s - float(value))  # type: ignore[arg-type]
        case "ended":
            return taker.speech_ended(now_s, now_s - float(value))  # type: ignore[arg-type]
        case "words":
            return taker.words(now_s, str(value), 0.9, "en")
        case "unsure words":
            return taker.words(now_s, str(value), 0.1, "en")
        case "old words":
            return taker.words(now_s, str(value), 0.9, "en", asked=1)
        case "began":
            return taker.reply_began(now_s)
        case "over":
            return taker.reply_ended(now_s)
        case "lasts" | "last":
            return taker.reply_lasts(now_s, now_s + float(value), last=what == "last")  # type: ignore[arg-type]
        case "typed":
            return taker.typed(now_s, str(value))
        case "stop":
            return taker.stop(now_s)
        case "dictation":
            taker.expect_dictation(bool(value))
            return []
        case _:
            return taker.tick(now_s, float(value))  # type: ignore[arg-type]


def play(script: Sequence[tuple[float, tuple[str, object]]]) -> tuple[TurnTaker, float, list[list[Command]]]:
    taker, now_s, told = TurnTaker(), 0.0, []
    for wait_s, (what, value) in script:
        now_s += wait_s
        told.append(happen(taker, now_s, what, value))
    return taker, now_s, told


@settings(max_examples=150, deadline=None)
@given(SCRIPTS)
def test_left_alone_it_always_comes_back_to_listening(script: list[tuple[float, tuple[str, object]]]) -> None:
    taker, now_s, told = play(script)
    limits = TurnSettings()
    longest = (
        limits.longest_s + limits.words_timeout_s + limits.longest_reply_s + limits.answer_timeout_s + 60.0
    )
    until_s = now_s + longest + limits.longest_s
    while now_s < until_s:
        now_s += 0.25
        told.append(taker.tick(now_s))
    assert taker.state is TurnState.LISTENING
    assert taker._utterance is None


@settings(max_examples=150, deadline=None)
@given(SCRIPTS)
def test_it_is_never_paused_for_long_without_a_word(script: list[tuple[float, tuple[str, object]]]) -> None:
    taker, now_s, _ = play(script)
    limits = TurnSettings()
    if taker.state is not TurnState.PAUSED:
        return
    bound_s = limits.longest_s + limits.words_timeout_s + limits.slow_end_s
    for _ in range(int(bound_s / 0.25) + 2):
        now_s += 0.25
        taker.tick(now_s)
        if taker.state is not TurnState.PAUSED:
            return
    raise AssertionError("it stays paused")


@settings(max_examples=150, deadline=None)
@given(SCRIPTS)
def test_what_it_commands_makes_sense(script: list[tuple[float, tuple[str, object]]]) -> None:
    taker, now_s, told = play(script)
    for _ in range(900):
        now_s += 0.25
        told.append(taker.tick(now_s))
    replying = held = False
    committed = asked = 0
    prepared: int | None = None
    shown = TurnState.LISTENING
    happened = [what for _, (what, _) in script] + ["tick"] * 900
    for what, commands in zip(happened, told, strict=True):
        if what == "began":
            replying = True
        elif what == "over":
            replying = held = False
        for command in commands:
            match command:
                case Recognize():
                    assert command.asked > asked
                    asked = command.asked
                case Commit():
                    assert command.utterance > committed
                    assert command.text
                    assert replying == command.joined
                    committed, replying, held, prepared = command.utterance, True, False, None
                case Pause():
                    assert replying
                    assert not held
                    held = True
                case Resume():
                    assert held
                    held = False
                case Cancel():
                    assert replying
                    replying = held = False
                case Prepare():
                    assert command.utterance > committed
                    prepared = command.utterance
                case Discard():
                    assert prepared == command.utterance
                    prepared = None
                case Ignore():
                    assert prepared is None
                case ShowState():
                    assert command.state is not shown
                    shown = command.state
        assert (shown is TurnState.PAUSED) == held
        assert (shown is TurnState.LISTENING) == (not replying)


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_the_same_happenings_give_the_same_commands(script: list[tuple[float, tuple[str, object]]]) -> None:
    assert play(script)[2] == play(script)[2]
