import asyncio
from contextlib import aclosing

import pytest
from pydantic import HttpUrl

from agent.answerer import Question
from agent.errors import AnswererError
from agent.llm import OpenAIAnswerer, endpoint_is_set
from agent.phrases import ENGLISH
from agent.sentence import Outcome, Sentence
from agent.settings import Answering, Persona
from knowledge.passage import Passage
from tests.openai_server import Behaviour, openai_server

PASSAGES = (
    Passage("1", "en/returns.md", "Returns", "You have thirty days.", 0.9),
    Passage("2", "en/refunds.md", "Refunds", "We refund within five days.", 0.7),
)
QUESTION = Question("How long may I return it?", "en", PASSAGES, 0.9, ENGLISH)


def answerer(url: str, timeout_s: float = 5.0) -> OpenAIAnswerer:
    settings = Answering(engine="openai", base_url=HttpUrl(url), model="test", timeout_s=timeout_s)
    return OpenAIAnswerer(settings, Persona(company="Acme"))


async def said(behaviour: Behaviour, timeout_s: float = 5.0) -> list[Sentence]:
    with openai_server(behaviour) as url:
        return [sentence async for sentence in answerer(url, timeout_s).answer(QUESTION)]


async def test_sentences_carry_emotion_and_citations() -> None:
    behaviour = Behaviour(["[happy] You have thirty", " days [1]. We re", "fund within five days [2]."])
    first, second = await said(behaviour)
    assert first.text == "You have thirty days."
    assert first.emotion.label == "happy"
    assert [c.source for c in first.citations] == ["en/returns.md"]
    assert second.text == "We refund within five days."
    assert [c.source for c in second.citations] == ["en/refunds.md"]


@pytest.mark.parametrize(
    "pieces",
    [
        ["You have thirty days. [1] We refund within five days. [2]"],
        ["You have thirty days.", " ", "[", "1", "]", " We refund", " within five days.", " [2]"],
        ["You have thirty days. [1]", " We refund within five days.[2]"],
    ],
)
async def test_a_number_behind_the_full_stop_belongs_to_the_sentence_before(pieces: list[str]) -> None:
    first, second = await said(Behaviour(pieces))
    assert (first.text, second.text) == ("You have thirty days.", "We refund within five days.")
    assert [c.source for c in first.citations] == ["en/returns.md"]
    assert [c.source for c in second.citations] == ["en/refunds.md"]


def test_one_answerer_serves_several_event_loops() -> None:
    async def once(one: OpenAIAnswerer) -> list[str]:
        return [sentence.text async for sentence in one.answer(QUESTION)]

    with openai_server(Behaviour(["You have thirty days [1]."])) as url:
        one = answerer(url)
        for _ in range(3):
            assert asyncio.run(once(one)) == ["You have thirty days."]


async def test_a_server_that_is_busy_writing_nothing_times_out() -> None:
    with pytest.raises(AnswererError, match="timeout_s"):
        await said(Behaviour([""] * 30, pause_s=0.1), timeout_s=0.5)


async def test_the_model_is_told_persona_passages_and_rules() -> None:
    behaviour = Behaviour(["You have thirty days [1]."])
    await said(behaviour)
    system, user = behaviour.requests[0]["messages"]
    assert "Acme" in system["content"]
    assert "We refund within five days." in system["content"]
    assert user["content"] == QUESTION.text
    assert behaviour.requests[0]["stream"] is True


async def test_the_first_sentence_comes_before_the_stream_ends() -> None:
    behaviour = Behaviour(["You have thirty days [1]. ", "And then", " some more."], pause_s=0.3)
    with openai_server(behaviour) as url:
        async with aclosing(answerer(url).answer(QUESTION)) as sentences:
            first = await anext(sentences)
            assert first.text == "You have thirty days."
            assert not behaviour.disconnected.is_set()


async def test_closing_the_reply_ends_the_request() -> None:
    behaviour = Behaviour(["You have thirty days [1]. "] + ["And more. "] * 200, pause_s=0.02)
    with openai_server(behaviour) as url:
        async with aclosing(answerer(url).answer(QUESTION)) as sentences:
            await anext(sentences)
        assert await asyncio.to_thread(behaviour.disconnected.wait, 5)


@pytest.mark.parametrize(
    ("mark", "outcome"), [("[unknown]", Outcome.ABSTAINED), ("[handoff]", Outcome.HANDOFF)]
)
async def test_marks_become_the_desks_own_lines(mark: str, outcome: Outcome) -> None:
    (sentence,) = await said(Behaviour([mark]))
    assert sentence.outcome is outcome
    assert sentence.text in (ENGLISH.unknown, ENGLISH.handoff)


async def test_a_question_back_is_marked_as_such() -> None:
    (sentence,) = await said(Behaviour(["[clarify] Do you mean the lamp, or the chair?"]))
    assert sentence.outcome is Outcome.CLARIFIED
    assert sentence.text == "Do you mean the lamp, or the chair?"


async def test_citations_of_passages_that_do_not_exist_are_dropped() -> None:
    (sentence,) = await said(Behaviour(["You have thirty days [7]."]))
    assert sentence.citations == ()


@pytest.mark.parametrize(("status", "words"), [(401, "key"), (404, "model"), (429, "limit"), (500, "error")])
async def test_a_refusing_endpoint_is_named_with_a_remedy(status: int, words: str) -> None:
    with pytest.raises(AnswererError, match=words):
        await said(Behaviour(status=status))


async def test_a_silent_endpoint_times_out() -> None:
    with pytest.raises(AnswererError, match="timeout_s"):
        await said(Behaviour(["late"], pause_s=3.0), timeout_s=0.3)


async def test_an_endpoint_that_dies_in_the_middle_is_an_error_after_what_it_said() -> None:
    behaviour = Behaviour(["You have thirty days [1]. ", "And ", "more."], die_after=2)
    with openai_server(behaviour) as url:
        sentences = answerer(url).answer(QUESTION)
        assert (await anext(sentences)).text == "You have thirty days."
        with pytest.raises(AnswererError, match="cut off"):
            await anext(sentences)


async def test_an_unreachable_endpoint_is_an_error_with_a_remedy() -> None:
    with pytest.raises(AnswererError, match="base_url"):
        async for _ in answerer("http://127.0.0.1:9/v1").answer(QUESTION):
            pass


async def test_an_empty_answer_is_an_error() -> None:
    with pytest.raises(AnswererError, match="nothing"):
        await said(Behaviour([" "]))


def test_an_endpoint_is_set_by_key_or_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert not endpoint_is_set(Answering())
    assert endpoint_is_set(Answering(base_url=HttpUrl("http://127.0.0.1:1/v1")))
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert endpoint_is_set(Answering())
