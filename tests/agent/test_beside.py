"""What is seen beside a sentence is judged as if it were said; what a visitor gave may be said back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from agent.doing import told
from agent.events import Event, Shown, Written
from agent.gate import Gate
from agent.scripted import ScriptedAnswerer
from agent.sentence import Citation, Sentence
from moderation import Guard, Policy
from tests.agent.scripted import scripted_engines

RESULT = "Here it is:\n- Order 40123\n- anna.b@gmail.com\n- card 4111 1111 1111 1111\n- you stupid bitch"


@pytest.fixture(scope="module")
def guard() -> Guard:
    policy = {"engines": {"embedded": False}, "words": {"promises": ["money back guaranteed"]}}
    return Guard(Policy.from_table(policy))


async def released(
    folder: Path, guard: Guard, sentences: Sequence[Sentence], given: Sequence[str] = ()
) -> list[Event]:
    engines = scripted_engines(folder, ScriptedAnswerer([]))
    engines.guard = guard

    async def written() -> AsyncGenerator[Event, None]:
        for one in told(sentences, given, lambda: 0.0):
            yield one

    return [event async for event in Gate(engines, lambda: 0.0).release(written())]


async def test_a_card_shows_nothing_that_may_not_be_said(tmp_path: Path, guard: Guard) -> None:
    cited = Citation("tool:order", "Order", RESULT, 1.0)
    events = await released(tmp_path, guard, [Sentence("Here it is.", citations=(cited,))])
    [card] = [event.card for event in events if isinstance(event, Shown)]
    assert card.items == ("Order 40123", "[e-mail address]", "card [card number]")
    [sentence] = [event.sentence for event in events if isinstance(event, Written)]
    assert sentence.citations[0].text == "\n- ".join(("Here it is:", *card.items))


async def test_a_source_shows_its_contacts_and_no_promise_that_is_not_made(
    tmp_path: Path, guard: Guard
) -> None:
    text = "Ask us:\n- returns@acme.example\n- 020 7946 0958\n- Money back guaranteed, always"
    cited = Citation("en/returns.md", "Returns", text, 0.9)
    events = await released(tmp_path, guard, [Sentence("Ask us.", citations=(cited,))])
    [card] = [event.card for event in events if isinstance(event, Shown)]
    assert card.items == ("returns@acme.example", "020 7946 0958")
    [sentence] = [event.sentence for event in events if isinstance(event, Written)]
    assert "guaranteed" not in sentence.citations[0].text


@pytest.mark.parametrize(
    ("given", "line", "said"),
    [
        ("900", "Call +44 7700 900123.", "Call [phone number]."),
        ("900", "Call +44 7700 900 123.", "Call [phone number]."),
        ("+44 7700 900123", "Shall we call +44 7700 900123?", "Shall we call +44 7700 900123?"),
        ("40123", "Order 40123 went to anna.b@gmail.com.", "Order 40123 went to [e-mail address]."),
    ],
)
async def test_only_what_a_visitor_gave_is_said_back(
    tmp_path: Path, guard: Guard, given: str, line: str, said: str
) -> None:
    events = await released(tmp_path, guard, [Sentence(line)], [given])
    assert [event.sentence.text for event in events if isinstance(event, Written)] == [said]
