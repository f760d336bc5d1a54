"""What a visitor has done over turns: asked for, read back, corrected, confirmed, left."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest

from agent.beginning import Act, Aside, Say, Step
from agent.errands import next_step
from agent.history import Memory
from agent.phrases import CHINESE, ENGLISH
from agent.sentence import Outcome
from agent.slots import LAPSES_S, Errand, Stage
from agent.tools import Slot, Tool, load_tools, run_tool, tool

NUMBER = Slot(r"(?<!\d)(\d{4})(?!\d)", ask={"en": "What is your order number?", "zh": "请问订单号是多少？"})


@tool(about=r"order|订单")
def look(number: Annotated[str, NUMBER], *, language: str, state_dir: Path) -> str:
    """Look up an order."""
    return number


@tool(
    about=r"cancel|取消",
    changes=True,
    confirm={"en": "Shall I cancel order {number}?", "zh": "要取消订单 {number} 吗？"},
)
def cancel(number: Annotated[str, NUMBER], *, language: str, state_dir: Path) -> str:
    """Cancel an order."""
    return number


@tool(about=r"\bticket\b|工单", changes=True)
def ticket(
    problem: Annotated[str, Slot(r"(.+)", ask={"en": "What is it about?", "zh": "是什么问题？"})],
    *,
    language: str,
    state_dir: Path,
) -> str:
    """Open a ticket."""
    return problem


TOOLS = (look, cancel, ticket)


def talk(
    *said: str, language: str = "en", tools: Sequence[Tool] = TOOLS, spoken: bool = False, each_s: float = 1.0
) -> list[Step]:
    """Return the steps of a conversation; everything that is put sounds."""
    memory, steps = Memory(), []
    for at, text in enumerate(said):
        phrases = CHINESE if language == "zh" else ENGLISH
        now_s = 100.0 + at * each_s
        step = next_step(text, memory, tools, phrases, language=language, now_s=now_s, spoken=spoken)
        steps.append(step)
        memory = replace(memory, errand=step.errand)
    return steps


def last(*said: str, language: str = "en", spoken: bool = False) -> Step:
    return talk(*said, language=language, spoken=spoken)[-1]


def acted(step: Step) -> dict[str, str]:
    assert isinstance(step, Act), step
    return dict(step.values)


def line(step: Step) -> str:
    assert isinstance(step, Say), step
    return step.line


@pytest.mark.parametrize(
    "text", ["Where is my order?", "check my order please", "I want to know where my order is"]
)
def test_a_missing_slot_is_asked_for(text: str) -> None:
    step = last(text)
    assert line(step) == "What is your order number?"
    assert isinstance(step, Say)
    assert step.outcome is Outcome.CLARIFIED


@pytest.mark.parametrize(
    "text",
    ["How do I change an order?", "what is an order confirmation", "Can I change an order?", "怎么下订单？"],
)
def test_a_general_question_is_not_met_with_a_question_for_a_number(text: str) -> None:
    assert isinstance(last(text), Aside)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("4117", "4117"),
        ("it's 4 1 1 7", "4117"),
        ("four one one seven", "4117"),
        ("double four one seven", "4417"),
        ("forty-one seventeen", "4117"),
        ("41 17", "4117"),
        ("um, four one, one seven", "4117"),
        ("四一一七", "4117"),
        ("幺幺 四七", "1147"),
        ("no wait, four one one eight", "4118"),
    ],
)
def test_an_answer_fills_the_slot_and_is_read_back_digit_by_digit(answer: str, value: str) -> None:
    step = last("Where is my order?", answer)
    assert acted(step) == {"number": value}
    assert isinstance(step, Act)
    assert " ".join(value) in step.first


def test_what_is_dictated_in_pieces_is_put_together() -> None:
    steps = talk("Where is my order?", "four one", "one seven")
    assert "4 1" in line(steps[1])
    assert acted(steps[2]) == {"number": "4117"}


@pytest.mark.parametrize(
    ("language", "answer"),
    [("en", "no, four one one eight"), ("en", "sorry, I meant 4118"), ("zh", "不对，是四一一八")],
)
def test_a_number_that_was_understood_wrongly_is_corrected_after_the_look_up(
    language: str, answer: str
) -> None:
    asked = "Where is my order?" if language == "en" else "我的订单在哪里？"
    assert acted(last(asked, "4117", answer, language=language)) == {"number": "4118"}


def test_who_says_that_it_was_wrong_is_asked_again() -> None:
    assert "order number" in line(last("Where is my order?", "4117", "no, that's wrong"))


def test_it_gives_up_after_two_answers_that_do_not_help() -> None:
    steps = talk("Where is my order?", "blue", "a big one")
    assert "What is your order number?" in line(steps[1])
    assert isinstance(steps[2], Say)
    assert steps[2].outcome is Outcome.HANDOFF
    assert steps[2].errand is None


def test_who_does_not_have_it_is_not_asked_again() -> None:
    step = last("Where is my order?", "I don't have it")
    assert isinstance(step, Say)
    assert step.outcome is Outcome.HANDOFF


@pytest.mark.parametrize("text", ["one moment please", "let me look", "等一下"])
def test_who_looks_it_up_is_given_time(text: str) -> None:
    steps = talk("Where is my order?", text, text, text, "4117")
    assert acted(steps[-1]) == {"number": "4117"}


@pytest.mark.parametrize("text", ["never mind", "forget it", "no thanks"])
def test_it_is_left_where_the_visitor_does_not_want_it_any_more(text: str) -> None:
    step = last("Where is my order?", text)
    assert isinstance(step, Say)
    assert step.errand is None


@pytest.mark.parametrize(
    "text",
    ["How long does delivery take?", "what does it cost", "thank you, bye", "I want to talk to a person"],
)
def test_another_question_is_answered_and_the_number_may_still_come(text: str) -> None:
    steps = talk("Where is my order?", text, "4117")
    assert isinstance(steps[1], Aside)
    assert acted(steps[2]) == {"number": "4117"}


def test_after_two_other_questions_it_is_forgotten() -> None:
    steps = talk("Where is my order?", "How long does delivery take?", "Do you sell tents?", "4117")
    assert isinstance(steps[3], Aside)


def test_a_change_is_asked_about_first_with_its_number_digit_by_digit() -> None:
    steps = talk("Please cancel order 4117", "yes please")
    assert line(steps[0]) == "Shall I cancel order 4 1 1 7?"
    assert acted(steps[1]) == {"number": "4117"}


@pytest.mark.parametrize(
    "yes", ["yes", "Yeah, go ahead", "yes, cancel it", "ok do it please", "yes, cancel order 4117"]
)
def test_yes_in_english(yes: str) -> None:
    assert acted(last("cancel order 4117", yes)) == {"number": "4117"}


@pytest.mark.parametrize("yes", ["是的", "好的", "对，取消吧", "可以", "确认", "嗯，麻烦您了", "没错", "行"])
def test_yes_in_chinese(yes: str) -> None:
    assert acted(last("帮我取消订单4117", yes, language="zh")) == {"number": "4117"}


@pytest.mark.parametrize(
    ("no", "language"),
    [
        ("no", "en"),
        ("No, don't", "en"),
        ("never mind", "en"),
        ("don't do it", "en"),
        ("不", "zh"),
        ("不要", "zh"),
        ("算了", "zh"),
        ("别取消", "zh"),
    ],
)
def test_no_changes_nothing(no: str, language: str) -> None:
    asked = "cancel order 4117" if language == "en" else "取消订单4117"
    steps = talk(asked, no, "yes" if language == "en" else "是的", language=language)
    assert line(steps[1]) in (ENGLISH.left, CHINESE.left)
    assert not isinstance(steps[2], Act)


@pytest.mark.parametrize(
    "answer",
    ["yes but not today", "maybe", "yes or no", "I already did, yes", "well, what happens then?", "not yes"],
)
def test_what_is_neither_yes_nor_no_does_nothing(answer: str) -> None:
    assert not isinstance(last("cancel order 4117", answer), Act)


def test_two_unclear_answers_end_it() -> None:
    steps = talk("cancel order 4117", "blue", "green")
    assert "yes or no" in line(steps[1])
    assert steps[2].errand is None


@pytest.mark.parametrize("answer", ["no, four one one eight", "yes, 4118", "4118"])
def test_a_corrected_number_is_asked_about_anew(answer: str) -> None:
    steps = talk("cancel order 4117", answer, "yes")
    assert line(steps[1]) == "Shall I cancel order 4 1 1 8?"
    assert acted(steps[2]) == {"number": "4118"}


def test_a_yes_to_a_question_that_did_not_sound_has_it_put_again() -> None:
    (step,) = talk("cancel order 4117")
    assert step.errand is not None
    unheard = step.errand.as_heard("Shall I")
    memory = Memory(errand=unheard)
    again = next_step("yes", memory, TOOLS, ENGLISH, language="en", now_s=101.0)
    assert line(again) == "Shall I cancel order 4 1 1 7?"
    heard = step.errand.as_heard("Shall I cancel order 4 1 1")
    assert acted(next_step("yes", Memory(errand=heard), TOOLS, ENGLISH, language="en", now_s=101.0))


def test_a_yes_after_another_question_has_it_put_again() -> None:
    steps = talk("cancel order 4117", "How long does a refund take?", "yes", "yes")
    assert isinstance(steps[1], Aside)
    assert line(steps[2]) == "Shall I cancel order 4 1 1 7?"
    assert acted(steps[3]) == {"number": "4117"}


def test_a_confirmation_lapses() -> None:
    steps = talk("cancel order 4117", "yes", each_s=LAPSES_S + 1)
    assert not isinstance(steps[1], Act)


def test_a_yes_alone_never_does_anything() -> None:
    assert isinstance(last("yes"), Aside)
    assert not isinstance(last("cancel order 4117", "yes", "yes"), Act)


@pytest.mark.parametrize(
    "text",
    [
        "How do I cancel an order?",
        "Can I cancel an order?",
        "I cancelled my order yesterday",
        "don't cancel my order",
        "怎么取消订单？",
        "订单可以取消吗？",
        "我不想取消订单",
    ],
)
def test_who_only_asks_about_a_change_does_not_begin_it(text: str) -> None:
    step = last(text)
    assert step.errand is None or step.errand.tool != "cancel"


def test_words_of_ones_own_fill_a_slot_only_as_an_answer() -> None:
    steps = talk("open a ticket", "my lamp flickers at night", "yes")
    assert line(steps[0]) == "What is it about?"
    assert "my lamp flickers at night" in line(steps[1])
    assert acted(steps[2]) == {"problem": "my lamp flickers at night"}


def test_a_number_that_was_heard_is_read_back_even_in_one_breath() -> None:
    step = last("where is order four one one seven", spoken=True)
    assert isinstance(step, Act)
    assert "4 1 1 7" in step.first
    typed = last("where is order 4117")
    assert isinstance(typed, Act)
    assert typed.first == ""


def test_an_errand_of_a_tool_that_is_gone_is_forgotten() -> None:
    errand = Errand("gone", Stage.CONFIRM, "en", 100.0)
    step = next_step("yes", Memory(errand=errand), TOOLS, ENGLISH, language="en", now_s=101.0)
    assert step == Aside(None)


@tool(about=r"cancel.{0,20}(?:order|\d{4})|取消.{0,8}(?:订单|\d{4})", changes=True)
def stop_order(number: Annotated[str, NUMBER], *, language: str, state_dir: Path) -> str:
    """Cancel an order."""
    return number


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("Cancel it.", "en"),
        ("Can you cancel that order, please?", "en"),
        ("OK, please cancel", "en"),
        ("I want to cancel this one", "en"),
        ("那帮我取消它", "zh"),
        ("取消这个订单", "zh"),
        ("请取消吧", "zh"),
    ],
)
def test_it_is_what_was_just_looked_up(wish: str, language: str) -> None:
    asked, done = talk("Where is order 4117?", wish, language=language, tools=(look, stop_order))
    assert acted(asked) == {"number": "4117"}
    assert "4 1 1 7" in line(done)
    assert acted(talk("order 4117?", wish, "yes", language=language, tools=(look, stop_order))[-1])


@pytest.mark.parametrize(
    "wish", ["Cancel my other order", "cancel another one please, an order", "取消另一个订单"]
)
def test_another_one_is_not_what_was_just_looked_up(wish: str) -> None:
    step = talk("Where is order 4117?", wish, tools=(look, stop_order))[-1]
    assert line(step) == "What is your order number?"


@pytest.mark.parametrize(
    "text", ["Can I still cancel it?", "Don't cancel it", "I cancelled it", "What is it?"]
)
def test_who_only_speaks_of_it_changes_nothing(text: str) -> None:
    assert isinstance(talk("Where is order 4117?", text, tools=(look, stop_order))[-1], Aside)


def test_a_number_that_is_said_counts_before_the_one_that_was_looked_up() -> None:
    step = talk("Where is order 4117?", "Cancel order 5228", tools=(look, stop_order))[-1]
    assert "5 2 2 8" in line(step)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Open a ticket: my tent leaks and the pole is broken.", "my tent leaks and the pole is broken"),
        ("Please open a ticket. No water comes out.", "No water comes out"),
        ("Open a ticket - I received no pegs", "I received no pegs"),
        ("帮我开个工单，帐篷漏水", "帐篷漏水"),
    ],
)
def test_what_follows_a_wish_is_what_it_is_about(text: str, problem: str) -> None:
    step = last(text, language="zh" if "工" in text else "en")
    assert isinstance(step, Say)
    assert step.errand is not None
    assert (step.errand.stage, step.errand.values) == (Stage.CONFIRM, {"problem": problem})


@pytest.mark.parametrize(
    "text", ["Open a ticket, please.", "Open a ticket: yes please", "Please open a ticket."]
)
def test_courtesy_behind_a_wish_is_not_what_it_is_about(text: str) -> None:
    step = last(text)
    assert not isinstance(step, Act)
    assert step.errand is None or not step.errand.values


@pytest.mark.parametrize("text", ["yes", "ok, sure", "Yes please."])
def test_a_yes_tells_nothing(text: str) -> None:
    assert line(last("Please open a ticket.", text)).endswith("What is it about?")


def test_a_yes_before_the_words_that_were_asked_for_is_left_out() -> None:
    step = last("Please open a ticket.", "yes please, my tent leaks")
    assert step.errand is not None
    assert step.errand.values == {"problem": "my tent leaks"}


def test_a_hesitating_no_leaves_everything_as_it_is() -> None:
    for no in ("actually no", "no, leave it"):
        for wish in ("Cancel my order 4117", "Please open a ticket."):
            step = last(wish, no)
            assert line(step) == ENGLISH.left
            assert step.errand is None


def test_the_tool_in_the_readme_asks_confirms_and_books_once(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    block = next(one for one in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "TOOLS" in one)
    (tmp_path / "tools.py").write_text(block, encoding="utf-8")
    tools = load_tools(tmp_path / "tools.py")
    day, guests, asked, done = talk(
        "I would like to book a table please", "on Friday", "four people", "yes please", tools=tools
    )
    assert [isinstance(step, Say) and step.line for step in (day, guests)] == [
        "On which day?",
        "For how many people?",
    ]
    assert isinstance(asked, Say)
    assert asked.line == "Shall I book a table for 4 on Friday?"
    assert isinstance(done, Act)
    line = run_tool(done.tool, done.values, language="en", state_dir=tmp_path)
    assert line == "Your table for 4 on Friday is booked."
    assert (tmp_path / "tables.csv").read_text() == "Friday,4\n"
    (idle,) = talk("Do you have tables for six people?", tools=tools)
    assert not isinstance(idle, Act)


def test_a_question_before_an_answer_is_none() -> None:
    step = last("Please open a ticket.", "yes, but first what does it cost")
    assert isinstance(step, Aside)
    assert step.asked == "what does it cost"
    assert step.errand is not None
    assert (step.errand.question, step.errand.values) == ("What is it about?", {})
