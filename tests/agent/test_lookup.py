"""A desk answers several questions, and one behind a story, and says again what was not followed."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.desk import Desk
from agent.engines import Engines
from agent.events import Heard, Written
from agent.history import Exchange, Memory
from agent.lookup import Lookup
from agent.reply import reply
from agent.sentence import Outcome
from speech.recognizer import Transcript
from speech.scripted_voice import ScriptedSynthesizer

PAGES = {
    "gift.md": "# Gift wrapping\n\n## Price\n\nGift wrapping costs 3 euros for each item.\n\n"
    "## Message\n\nA gift message holds up to 200 characters, and we print it on a small card.",
    "stores.md": "# Our stores\n\n## Addresses\n\nThe Cork store is at 8 Coopers Row.\n\n"
    "## Opening hours\n\nOur stores are open from Monday to Saturday. On Sundays our stores are closed.",
    "complaints.md": "# Complaints\n\n## How to complain\n\nTo make a complaint, write to the manager.\n\n"
    "## What happens next\n\nYou get a reply to your complaint within one working day.",
    "delivery.md": "# Delivery\n\n## Time\n\nDelivery to Ireland takes 2 to 3 working days.",
    "礼品卡.md": "# 礼品卡\n\n## 退款\n\n礼品卡不能退，也不能兑换现金。",
}


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    folder: Path = tmp_path_factory.mktemp("desk")
    (folder / "desk.toml").write_text(
        'name = "Desk"\nlanguages = ["en", "zh"]\n[persona]\nname = "N"\ncompany = "C"\n'
    )
    (folder / "knowledge").mkdir()
    for name, text in PAGES.items():
        (folder / "knowledge" / name).write_text(text, encoding="utf-8")
    opened = Engines.open(Desk.load(folder), hearing=False)
    opened.synthesizer.close()
    opened.synthesizer = ScriptedSynthesizer()
    yield opened
    opened.close()


def said(engines: Engines, texts: Sequence[str], language: str = "en") -> list[str]:
    """Return the replies of a conversation."""

    async def go() -> list[str]:
        memory, replies = Memory(), []
        for text in texts:
            written = [
                event.sentence
                async for event in reply(Heard(Transcript(text, language, 1.0, "typed")), engines, memory)
                if isinstance(event, Written)
            ]
            replies.append(" ".join(one.text for one in written))
            done = Exchange(text, replies[-1], written[-1].outcome, False, language)
            memory = replace(memory, exchanges=(*memory.exchanges, done))
        return replies

    return asyncio.run(go())


def test_both_of_two_questions_are_answered(engines: Engines) -> None:
    (both,) = said(engines, ["What does gift wrapping cost, and where is your store in Cork?"])
    assert "3 euros" in both
    assert "8 Coopers Row" in both


def test_of_two_questions_the_one_without_an_answer_is_owned_up_to(engines: Engines) -> None:
    (one,) = said(engines, ["Where is your store in Cork? And do you sell helicopters?"])
    assert "8 Coopers Row" in one
    assert engines.desk.phrases("en").rest in one


def test_a_follow_up_may_go_on_from_either_question(engines: Engines) -> None:
    asked = "Where is your store in Cork? And what does gift wrapping cost?"
    memory = Memory((Exchange(asked, "x", Outcome.ANSWERED, False),))
    found = Lookup(memory, engines, "en").of("Is it open on Sundays?").whole
    assert "closed" in found.passages[0].text


def test_a_story_does_not_hide_the_question_behind_it(engines: Engines) -> None:
    story = "My sister gets married on Friday and my train leaves in five minutes"
    assert "2 to 3" in said(engines, [f"{story}, how long does delivery to Ireland take?"])[0]


def test_one_word_of_a_question_answers_nothing_that_was_told_before_it(engines: Engines) -> None:
    looked = Lookup(Memory(), engines, "en").of("My poem needs a title, what should I print?")
    alone = Lookup(Memory(), engines, "en").of("My parcel is late, how do I complain?")
    least = engines.desk.settings.knowledge.answer_from
    assert looked.whole.answerable < least < alone.whole.answerable


def test_who_does_not_follow_hears_it_again(engines: Engines) -> None:
    first, again = said(engines, ["Can I write a gift message?", "Sorry, I don't understand."])
    assert "200 characters" in first
    assert "200 characters" in again
    assert again != first


def test_a_short_question_is_about_what_was_asked_before(engines: Engines) -> None:
    replies = said(engines, ["How do I make a complaint?", "How long until I hear back?"])
    assert "one working day" in replies[1]


def test_traditional_characters_are_understood(engines: Engines) -> None:
    assert "不能退" in said(engines, ["禮品卡可以退嗎？"], "zh")[0]
