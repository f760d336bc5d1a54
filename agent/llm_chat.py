"""One answer's talk with a chat model: streamed, with tools, within deadlines."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from agent.errors import AnswererError
from agent.llm_tools import Toolbox
from agent.settings import Answering

if TYPE_CHECKING:
    from langchain_core.messages import (
        AIMessage,
        AIMessageChunk,
        BaseMessage,
        InvalidToolCall,
        ToolCall,
    )
    from langchain_core.runnables import Runnable
    from langchain_openai import ChatOpenAI

MAX_ANSWER_TOKENS = 400
"""About a minute and a half of speech: nobody listens longer."""
MOST_ROUNDS = 4
"""Times that the model is asked in one answer; in the last it may call no tool."""
SHORT_WAIT_S = 2.0
"""A server that asks to wait no longer than this is asked once more; a visitor does not wait longer."""
AFTER_FAULT_S = 0.2
"""Before a server that reported an error of its own is asked once more."""


class Chat:
    """Talks with a chat model for one answer."""

    def __init__(self, settings: Answering, engine: str) -> None:
        self._settings = settings
        self._engine = engine
        self.cut = False
        """The model was stopped by its limit, in the middle of a sentence."""

    async def pieces(
        self, messages: list[BaseMessage], toolbox: Toolbox, first: int
    ) -> AsyncGenerator[str, None]:
        """Yield the answer as it is written; tools that the model calls are run in between.

        Args:
            messages: of the request.
            toolbox: the tools; a wish that it holds afterwards was not carried out.
            first: number by which the first tool's result is cited.

        Raises:
            AnswererError: the endpoint cannot be reached, refuses, is too slow, or breaks off.
        """
        openai = await asyncio.to_thread(importlib.import_module, "openai")
        # Connections belong to the loop that opened them and end with the answer, whichever way it ends.
        async with openai.DefaultAsyncHttpxClient(timeout=self._settings.timeout_s) as client:
            model = await asyncio.to_thread(self._open, client)
            for number in range(1, MOST_ROUNDS + 1):
                asked: Runnable[Any, Any] = model
                if toolbox:
                    choice = "none" if number == MOST_ROUNDS else None
                    asked = model.bind_tools(toolbox.offered(), tool_choice=choice)
                whole: AIMessageChunk | None = None
                async with aclosing(self._patiently(asked, messages)) as chunks:
                    async for chunk in chunks:
                        whole = chunk if whole is None else whole + chunk
                        if chunk.text:
                            yield str(chunk.text)
                calls: list[ToolCall | InvalidToolCall] = []
                if whole is not None:
                    calls = [*whole.tool_calls, *whole.invalid_tool_calls]
                if whole is None or not calls or not toolbox or number == MOST_ROUNDS:
                    return
                yield "\n\n"  # what was said before the call is a sentence
                messages = [*messages, _as_called(whole), *await toolbox.run(calls, first)]
                if toolbox.wish is not None:
                    return

    async def _patiently(
        self, model: Runnable[Any, Any], messages: list[BaseMessage]
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """Ask, and once more where nothing came and the fault is a passing one."""
        for more in (True, False):
            anything = False
            try:
                async with aclosing(self._chunks(model, messages)) as chunks:
                    async for chunk in chunks:
                        anything = anything or bool(chunk.text or chunk.tool_call_chunks)
                        yield chunk
                return
            except _PassingFault as fault:
                if anything or not more:
                    raise
                await asyncio.sleep(fault.wait_s)

    async def _chunks(
        self, model: Runnable[Any, Any], messages: list[BaseMessage]
    ) -> AsyncGenerator[AIMessageChunk, None]:
        loop, seconds = asyncio.get_running_loop(), self._settings.timeout_s
        finish, count = "", 0
        try:
            stream = cast("AsyncGenerator[AIMessageChunk, None]", model.astream(messages))
            async with aclosing(stream):
                # Only words put the deadline off: a server may keep a connection busy without writing any.
                deadline = loop.time() + seconds
                while True:
                    try:
                        async with asyncio.timeout_at(deadline):
                            chunk = await anext(stream)
                    except StopAsyncIteration:
                        break
                    count += 1
                    finish = str(chunk.response_metadata.get("finish_reason") or finish)
                    yield chunk
                    if chunk.text or chunk.tool_call_chunks:
                        deadline = loop.time() + seconds
        except TimeoutError:
            raise AnswererError(
                f"{self._engine} was silent for {seconds:g} s; check the endpoint, "
                "or raise answering.timeout_s in desk.toml"
            ) from None
        except Exception as error:
            reason, wait_s = f"{self._engine} {_reason(error)}", _passes_in_s(error)
            raise (AnswererError(reason) if wait_s is None else _PassingFault(reason, wait_s)) from error
        if not count:
            raise AnswererError(
                f"{self._engine} sent nothing of the OpenAI protocol's streams; check answering.base_url, "
                "which mostly ends in /v1"
            )
        if not finish:
            # A connection that is cut ends the stream as quietly as a complete answer does.
            raise _PassingFault(
                f"{self._engine} was cut off in the middle; check the endpoint and the network", 0.0
            )
        if finish == "content_filter":
            raise AnswererError(f"{self._engine} withheld its answer; see that server's content filter")
        self.cut = finish == "length"

    def _open(self, client: Any) -> ChatOpenAI:
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        settings = self._settings
        return ChatOpenAI(
            model=settings.model,
            base_url=str(settings.base_url) if settings.base_url else None,
            api_key=SecretStr(os.environ.get(settings.api_key_env, "") or "none"),
            temperature=settings.temperature,
            max_completion_tokens=MAX_ANSWER_TOKENS,
            timeout=settings.timeout_s,
            max_retries=0,
            streaming=True,
            stream_usage=False,
            http_async_client=client,
        )


class _PassingFault(AnswererError):
    """A fault that may be gone in a moment."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def _as_called(whole: AIMessageChunk) -> AIMessage:
    """Return the model's turn as servers take it back: arguments that were no JSON are left out."""
    from langchain_core.messages import AIMessage, ToolCall

    calls = [
        ToolCall(
            name=one["name"] or "", args=one["args"] if isinstance(one["args"], dict) else {}, id=one["id"]
        )
        for one in [*whole.tool_calls, *whole.invalid_tool_calls]
    ]
    return AIMessage(str(whole.text), tool_calls=calls)


def _passes_in_s(error: Exception) -> float | None:
    """Return after how many seconds to ask again; None where that would not help."""
    import openai

    if isinstance(error, openai.InternalServerError):
        return AFTER_FAULT_S
    if isinstance(error, openai.RateLimitError):
        try:
            wait_s = float(error.response.headers.get("retry-after", ""))
        except ValueError:
            return None
        return wait_s if 0 <= wait_s <= SHORT_WAIT_S else None
    return None


def _reason(error: Exception) -> str:
    """Say in one line what went wrong and what to do."""
    import openai

    advice: tuple[tuple[type[Exception], str], ...] = (
        (
            openai.APITimeoutError,
            "is too slow; check the endpoint, or raise answering.timeout_s in desk.toml",
        ),
        (openai.APIConnectionError, "cannot be reached; check answering.base_url and the network"),
        (openai.AuthenticationError, "refuses the key; check the variable that answering.api_key_env names"),
        (openai.PermissionDeniedError, "does not allow this key; use another key or model"),
        (openai.NotFoundError, "does not know this model or path; check answering.model and base_url"),
        (openai.RateLimitError, "is over its limit; wait, or use another key"),
        (openai.BadRequestError, "rejects the request; check answering.model"),
        (openai.InternalServerError, "reports an error of its own; look into that server's log"),
        (
            json.JSONDecodeError,
            "sends what is not the OpenAI protocol; check answering.base_url, and that server's log",
        ),
    )
    for kind, words in advice:
        if isinstance(error, kind):
            return words
    return f"broke off ({type(error).__name__}); look into that server's log"
