"""What a visitor feels shapes words, voice and face of the reply."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.answerer import Question
from agent.events import Event, Felt, Screened, Written
from agent.history import Exchange, Memory
from agent.llm_prompt import conversation
from agent.manner import Manner, manner_of
from agent.manner_settings import DEFAULTS, Feelings
from agent.manner_shape import Shaping, mannered
from agent.phrases import ENGLISH
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.settings import Persona
from avatar import gesture_names
from avatar.expression import expression
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.gesture import GESTURES
from moderation.verdict import Action, Verdict

ANGRY, GLAD, SAD, CALM = Emotion("anger", 0.8), Emotion("joy", 0.8), Emotion("sadness", 0.8), Emotion()
HAPPY = Emotion("happy", 0.7)


def verdict_on(text: str, category: str = "", action: Action = Action.ALLOW) -> Verdict:
    return Verdict(action, "", text, category=category)


def manner(felt: Emotion, text: str = "Where is it?", memory: Memory | None = None) -> Manner:
    found = manner_of(felt, verdict_on(text), memory or Memory(), Feelings(), "en")
    assert found is not None
    return found


def said(felt: Emotion, *lines: str | Sentence, text: str = "Where is it?") -> list[Sentence]:
    shaping = Shaping(manner(felt, text), ENGLISH.upset)
    sentences = [Sentence(line) if isinstance(line, str) else line for line in lines]
    return [shaped for sentence in sentences for shaped in shaping.shape(sentence)]


def heard(reply: str, question: str = "What is that?", outcome: Outcome = Outcome.ANSWERED) -> Exchange:
    return Exchange(question, reply, outcome, interrupted=False)


def smile(sentence: Sentence) -> float:
    weights = expression(sentence.emotion.label, sentence.emotion.intensity)
    return float(weights[BLENDSHAPE_INDEX["mouthSmileLeft"]])


def test_who_is_angry_hears_an_apology_calm_and_slow() -> None:
    opening, answer = said(ANGRY, "It is on its way.")
    assert opening.text == "I am sorry about that."
    assert (opening.emotion.label, opening.gesture) == ("apologetic", "apologise")
    assert answer.text == "It is on its way."
    assert opening.pace == answer.pace < 1.0
    assert 0 < answer.emotion.intensity < opening.emotion.intensity


def test_the_apology_is_said_once_in_a_conversation() -> None:
    memory = Memory((heard("I am sorry about that. It is on its way."),))
    again = manner(ANGRY, "That does not help at all!", memory)
    assert again.opening == ""
    assert again.row.reply == "apologetic"
    assert "do not do it again" in again.told()


def test_who_apologises_already_is_not_made_to_twice() -> None:
    for line, rest in (("I am sorry, I do not know.", "I do not know."), ("抱歉，我不知道。", "我不知道。")):
        shaped = said(ANGRY, Sentence(line, outcome=Outcome.ABSTAINED))
        assert [one.text for one in shaped] == ["I am sorry about that.", rest]
    (only,) = said(ANGRY, Sentence("I am so sorry for the long wait."))
    assert only.text == "I am so sorry for the long wait."
    opening, answer = said(ANGRY, "It is on its way.", ENGLISH.upset)
    assert (opening.text, answer.text) == ("I am sorry about that.", "It is on its way.")


def test_a_desks_own_opening_is_said_also_where_it_knows_no_answer_and_before_what_a_tool_did() -> None:
    table = Feelings.model_validate({"anger": {"opening": {"en": "You are right to complain."}}})
    found = manner_of(ANGRY, verdict_on("I am furious!"), Memory(), table, "en")
    assert found is not None
    by_tool = Sentence("It is on its way.", citations=(Citation("tool:order", "Order", "", 1.0),))
    for sentence in (Sentence("I am sorry, I do not know.", outcome=Outcome.ABSTAINED), by_tool):
        shaped = Shaping(found).shape(sentence)
        assert [one.text for one in shaped] == ["You are right to complain.", sentence.text]


def test_who_does_not_follow_is_promised_no_steps_where_nothing_is_known() -> None:
    unknown = Sentence("I am sorry, I do not know.", outcome=Outcome.ABSTAINED)
    assert [one.text for one in said(CALM, unknown, text="I don't understand")] == [unknown.text]


def test_nobody_apologises_in_words_to_who_is_only_a_little_cross() -> None:
    assert manner(Emotion("anger", 0.4)).opening == ""
    assert manner(Emotion("anger", 0.4)).feeling == "anger"
    assert manner(Emotion("anger", 0.2)).feeling == "neutral"


@pytest.mark.parametrize("felt", [ANGRY, SAD, Emotion("fear", 0.8), Emotion("disgust", 0.8)])
def test_a_models_smile_does_not_meet_a_troubled_visitor(felt: Emotion) -> None:
    shaped = said(felt, Sentence("It is on its way.", emotion=HAPPY, gesture="welcome"))
    assert {one.emotion.label for one in shaped} <= {"apologetic", "empathetic", "concerned"}
    assert all(one.gesture != "welcome" for one in shaped)


def test_a_models_own_emotion_wins_within_the_limits() -> None:
    (asked,) = said(CALM, Sentence("Good question.", emotion=HAPPY))
    assert asked.emotion == HAPPY
    *_, answer = said(ANGRY, Sentence("Let me see.", emotion=Emotion("thinking", 0.7)))
    assert answer.emotion.label == "thinking"


def test_joy_is_met_with_warmth_but_not_where_nothing_is_known() -> None:
    assert said(GLAD, "It arrives tomorrow.")[-1].emotion.label == "happy"
    unknown = Sentence("I do not know that.", emotion=HAPPY, outcome=Outcome.ABSTAINED)
    assert said(GLAD, unknown)[-1].emotion.label == "apologetic"


@pytest.mark.parametrize(
    "bad",
    ["The tent is sold out.", "Your refund was declined.", "很抱歉，这款已经售罄。", "这个商品无法退货。"],
)
def test_bad_news_is_not_said_with_a_smile(bad: str) -> None:
    for felt in (CALM, GLAD):
        for emotion in (HAPPY, Emotion()):
            assert smile(said(felt, Sentence(bad, emotion=emotion))[-1]) < smile(Sentence("")) / 2


def test_good_news_is_said_with_a_smile_unless_the_visitor_is_troubled() -> None:
    good = "Good news: your refund has been approved."
    assert said(CALM, good)[-1].emotion.label == "happy"
    assert said(ANGRY, good)[-1].emotion.label == "apologetic"


def test_a_condition_is_no_bad_news() -> None:
    assert said(CALM, "If it is sold out, we tell you by mail.")[-1].emotion == Emotion()


@pytest.mark.parametrize(
    ("text", "category", "action"),
    [
        ("My mother died, I want to close her account.", "", Action.ALLOW),
        ("我父亲去世了，怎么注销他的账户？", "", Action.ALLOW),
        ("I want to end it all", "self_harm", Action.ESCALATE),
    ],
)
def test_nobody_smiles_at_a_death_or_at_despair(text: str, category: str, action: Action) -> None:
    found = manner_of(GLAD, verdict_on(text, category, action), Memory(), Feelings(), "en")
    assert found is not None
    shaped = Shaping(found).shape(Sentence("We can do that.", emotion=HAPPY, gesture="welcome"))
    assert max(map(smile, shaped)) < smile(Sentence("")) / 4
    for one in shaped:
        assert not any("Smile" in name for key in GESTURES[one.gesture].keys for name in key.weights)


def test_nobody_is_sorry_for_what_has_not_happened() -> None:
    sorry = Sentence("You may return it.", emotion=Emotion("apologetic", 0.6))
    assert said(CALM, sorry, text="What if my lamp arrives broken?")[0].emotion.label == "neutral"
    assert said(CALM, sorry, text="如果收到时坏了怎么办？")[0].emotion.label == "neutral"
    assert said(CALM, sorry, text="My lamp arrived broken.")[0].emotion.label == "apologetic"


def test_who_does_not_follow_is_led_step_by_step_in_short_sentences() -> None:
    long = "Delivery takes three to five days, and you get an e-mail when it leaves; the link is in it."
    shaped = said(CALM, Sentence(long, citations=(Citation("a", "b", "c", 1.0),)), text="I don't understand")
    assert [one.text for one in shaped] == [
        "Let us go through it step by step.",
        "Delivery takes three to five days.",
        "And you get an e-mail when it leaves.",
        "The link is in it.",
    ]
    assert all(one.citations for one in shaped[1:])
    assert {one.pace for one in shaped} == {DEFAULTS["confused"]["pace"]}


def test_who_has_no_time_gets_two_sentences_and_whatever_must_not_be_missed() -> None:
    lines = ("It takes a day.", "It comes by post.", "It is wrapped.", "But it cannot be changed then.")
    shaped = said(CALM, *lines, text="Quick question, I'm in a hurry: how long does it take?")
    assert [one.text for one in shaped] == [*lines[:2], lines[3]]


def test_what_a_tool_did_is_told_whole() -> None:
    cited = (Citation("tool:order", "Order", "", 1.0),)
    lines = [Sentence(f"Step {number} is done.", citations=cited) for number in range(4)]
    assert len(said(CALM, *lines, text="I'm in a hurry, cancel all four")) == 4


def test_a_persons_words_are_theirs() -> None:
    words = Sentence("Hi there, lovely day.", emotion=HAPPY, person="Anna")
    assert said(ANGRY, words) == [words]


def test_what_is_refused_is_refused_without_an_opening() -> None:
    line = Sentence("I cannot help with that.", outcome=Outcome.REFUSED)
    assert [one.text for one in said(ANGRY, line)] == [line.text]


def test_a_model_is_told_the_feeling_in_one_bounded_line() -> None:
    for name in DEFAULTS:
        text = (
            "I don't understand" if name == "confused" else "I am in a hurry" if name == "hurried" else "Hm"
        )
        told = manner(Emotion(name, 0.9), text).told()
        assert "\n" not in told
        assert len(told) < 500
    question = Question("Where?", "en", (), 0.9, ENGLISH, manner=manner(ANGRY).told())
    system = str(conversation(question, Persona(company="Acme"), tools=False)[0].content)
    assert "The visitor sounds angry." in system
    assert "do not argue" in system


def test_a_desk_that_switches_it_off_answers_everybody_alike() -> None:
    assert manner_of(ANGRY, verdict_on("Grr"), Memory(), Feelings(on=False), "en") is None


async def test_a_reply_is_shaped_by_the_first_feeling_told() -> None:
    async def events() -> object:
        yield Screened(verdict_on("Where is it?"))
        yield Felt(ANGRY, ANGRY)
        yield Felt(GLAD, GLAD)
        yield Written(Sentence("On its way."), 5.0)

    found = mannered(events(), Memory(), Feelings(), ENGLISH, "en")  # type: ignore[arg-type]
    shaped: list[Event] = [event async for event in found]
    texts = [one.sentence.text for one in shaped if isinstance(one, Written)]
    assert texts == ["I am sorry about that.", "On its way."]


async def test_what_nobody_understood_is_answered_as_ever() -> None:
    async def events() -> object:
        yield Written(Sentence("I did not catch that.", outcome=Outcome.CLARIFIED), 5.0)

    found = mannered(events(), Memory(), Feelings(), ENGLISH, "en")  # type: ignore[arg-type]
    (only,) = [event async for event in found]
    assert isinstance(only, Written)
    assert only.sentence == replace(only.sentence, emotion=Emotion(), pace=1.0)


def test_every_gesture_that_is_named_here_is_there() -> None:
    from agent.manner_shape import _BEAMING

    assert {*_BEAMING, "nod", "apologise"} <= set(gesture_names())
