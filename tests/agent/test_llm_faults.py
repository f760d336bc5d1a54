"""A language model's server that is slow, broken, or gone."""

import asyncio
from contextlib import aclosing

import pytest

from agent.errors import AnswererError
from agent.sentence import Outcome
from tests.agent.test_llm import QUESTION, answerer, said
from tests.openai_server import Behaviour, openai_server

FINE = "You have thirty days [1]. "


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "rejects"),
        (401, "key"),
        (403, "allow"),
        (404, "model"),
        (429, "limit"),
        (500, "error"),
        (503, "error"),
    ],
)
async def test_a_refusing_endpoint_is_named_with_a_remedy(status: int, words: str) -> None:
    with pytest.raises(AnswererError, match=words):
        await said(Behaviour(status=status))


async def test_a_server_that_is_over_its_limit_for_a_moment_is_asked_once_more() -> None:
    behaviour = Behaviour(status=429, headers={"Retry-After": "0.1"}, then=[Behaviour([FINE])])
    (sentence,) = await said(behaviour)
    assert sentence.outcome is Outcome.ANSWERED
    assert len(behaviour.requests) == 2


async def test_a_server_that_asks_for_a_long_wait_is_not_waited_for() -> None:
    behaviour = Behaviour(status=429, headers={"Retry-After": "60"}, then=[Behaviour([FINE])])
    with pytest.raises(AnswererError, match="limit"):
        await said(behaviour)
    assert len(behaviour.requests) == 1


async def test_a_fault_of_the_server_is_asked_once_more_and_no_more() -> None:
    behaviour = Behaviour(status=500, then=[Behaviour([FINE])])
    assert len(await said(behaviour)) == 1
    behaviour = Behaviour(status=502)
    with pytest.raises(AnswererError):
        await said(behaviour)
    assert len(behaviour.requests) == 2


async def test_a_silent_endpoint_times_out() -> None:
    with pytest.raises(AnswererError, match="timeout_s"):
        await said(Behaviour(["late"], first_pause_s=1.0), timeout_s=0.3)


async def test_a_slow_first_word_is_waited_for() -> None:
    assert len(await said(Behaviour([FINE], first_pause_s=0.4), timeout_s=3.0)) == 1


async def test_a_server_that_is_busy_writing_nothing_times_out() -> None:
    with pytest.raises(AnswererError, match="timeout_s"):
        await said(Behaviour([""] * 30, pause_s=0.1), timeout_s=0.5)


async def test_a_stall_in_the_middle_times_out_after_what_was_said() -> None:
    behaviour = Behaviour([FINE, "We refund", " within five days."], stall_after=2)
    with openai_server(behaviour) as url:
        sentences = answerer(url, timeout_s=0.5).answer(QUESTION)
        assert (await anext(sentences)).text == "You have thirty days."
        with pytest.raises(AnswererError, match="silent"):
            await anext(sentences)


async def test_an_endpoint_that_dies_in_the_middle_is_an_error_after_what_it_said() -> None:
    behaviour = Behaviour([FINE, "And ", "more."], die_after=2)
    with openai_server(behaviour) as url:
        sentences = answerer(url).answer(QUESTION)
        assert (await anext(sentences)).text == "You have thirty days."
        with pytest.raises(AnswererError, match="cut off"):
            await anext(sentences)
    assert len(behaviour.requests) == 1


async def test_a_stream_that_dies_before_its_first_word_is_asked_for_once_more() -> None:
    behaviour = Behaviour([""], die_after=1, then=[Behaviour([FINE])])
    assert len(await said(behaviour)) == 1
    assert len(behaviour.requests) == 2


async def test_an_unreachable_endpoint_is_an_error_with_a_remedy() -> None:
    with pytest.raises(AnswererError, match="base_url"):
        async for _ in answerer("http://127.0.0.1:9/v1").answer(QUESTION):
            pass


@pytest.mark.parametrize("pieces", [[" "], [], ["<think>What now?</think>"], ["<think>Never ends"]])
async def test_an_empty_answer_is_an_error(pieces: list[str]) -> None:
    with pytest.raises(AnswererError, match="nothing"):
        await said(Behaviour(pieces))


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(raw="data: {not json\n\n"),
        Behaviour(raw='data: {"choices": [{"index": 0, "delta": {"content": "You ha\n\n'),
        Behaviour(raw="<html><body>Welcome</body></html>", content_type="text/html"),
        Behaviour(raw='{"choices": []}', content_type="application/json"),
        Behaviour(raw=""),
    ],
)
async def test_what_is_not_the_protocol_is_an_error_with_a_remedy(behaviour: Behaviour) -> None:
    with pytest.raises(AnswererError, match=r"base_url|log|endpoint"):
        await said(behaviour)


async def test_an_error_in_the_stream_is_an_error() -> None:
    with pytest.raises(AnswererError):
        await said(Behaviour(raw='data: {"error": {"message": "out of memory", "code": 500}}\n\n'))


async def test_a_sentence_that_the_models_limit_cut_is_not_said() -> None:
    (sentence,) = await said(Behaviour([FINE, "We refund within five"], finish="length"))
    assert sentence.text == "You have thirty days."


async def test_an_answer_that_the_server_withheld_is_an_error() -> None:
    with pytest.raises(AnswererError, match="withheld"):
        await said(Behaviour([], finish="content_filter"))


async def test_closing_the_reply_ends_the_request() -> None:
    behaviour = Behaviour([FINE] + ["And more. "] * 200, pause_s=0.02)
    with openai_server(behaviour) as url:
        async with aclosing(answerer(url).answer(QUESTION)) as sentences:
            await anext(sentences)
        assert await asyncio.to_thread(behaviour.disconnected.wait, 5)


async def test_cancelling_the_reply_while_the_server_stalls_ends_the_request() -> None:
    behaviour = Behaviour([FINE, "And more."], stall_after=1)
    with openai_server(behaviour) as url:

        async def listen() -> None:
            async with aclosing(answerer(url, timeout_s=30.0).answer(QUESTION)) as sentences:
                async for _ in sentences:
                    pass

        task = asyncio.create_task(listen())
        assert await asyncio.to_thread(behaviour.arrived.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(behaviour.disconnected.wait, 5)
