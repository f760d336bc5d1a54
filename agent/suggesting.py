"""The suggestions of one conversation: what was suggested, what was taken up, whether they are wanted."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.conversation_events import ConversationEvent, QuestionsSuggested, SuggestionPicked
from agent.recommend import Recommender
from agent.suggestion import About, topic_of

if TYPE_CHECKING:
    from agent.engines import Engines
    from agent.history import History
    from agent.live_turn import LiveTurn

LOOKS, LOOK_S = 250, 0.02
"""How often, and how many seconds apart, it is looked whether a reply sounds: until then it goes first."""
KEPT = 20
"""Turns whose suggestions may still be taken up."""
TOPICS = 50
"""Topics of a conversation that are remembered; a kiosk may run all day."""


class Suggesting:
    """Suggests questions after answers; used on the event loop.

    Args:
        engines: the desk's.
        on_event: told what was suggested and taken up.
    """

    def __init__(self, engines: Engines, on_event: Callable[[ConversationEvent], None]) -> None:
        self.wanted = True
        """Whether the visitor wants suggestions."""
        self._engines, self._on_event = engines, on_event
        self._shown: OrderedDict[int, QuestionsSuggested] = OrderedDict()
        self._passed: list[str] = []
        self._topics: list[str] = []

    @property
    def on(self) -> bool:
        """Whether anything is suggested: the desk and the visitor want it."""
        return self.wanted and self._engines.desk.settings.recommending.on

    async def after(self, turn: LiveTurn, history: History, latest: Callable[[], int]) -> None:
        """Suggest what may be asked after a turn whose answer is on its way.

        Args:
            turn: whose sentences are all written.
            history: the conversation before it.
            latest: tells which turn is the latest: suggestions that come too late are not shown.
        """
        ended = turn.ended("", interrupted=False)
        before = tuple(self._topics)
        cited = [one for one in ended.citations if not one.source.startswith("tool:")]
        self._topics = [*self._topics, *(topic_of(one.source, one.title) for one in cited)][-TOPICS:]
        if not (self.on and turn.question and turn.spoken) or history.errand is not None:
            return
        about = About(
            turn.question,
            turn.spoken[-1].sentence.language,
            turn.outcome,
            ended.citations,
            tuple(one.question for one in history.exchanges),
            before,
            tuple(self._passed),
        )
        if not await _sounds(turn):
            return
        recommender = Recommender.of(self._engines)
        heading, suggestions = await asyncio.to_thread(recommender.recommend, about, self._engines)
        if not suggestions or latest() != turn.number or not self.on:
            return
        shown = QuestionsSuggested(turn.number, heading, suggestions)
        self._shown[turn.number] = shown
        self._passed = [*self._passed, *(one.topic for one in suggestions)][-TOPICS:]
        while len(self._shown) > KEPT:
            self._shown.popitem(last=False)
        self._on_event(shown)

    def pick(self, turn: int, number: int) -> str:
        """Take a suggestion up; returns what to ask, "" where there is no such suggestion.

        Args:
            turn: after which it was made.
            number: its place, from 0.
        """
        shown = self._shown.get(turn)
        if shown is None or not 0 <= number < len(shown.suggestions):
            return ""
        picked = shown.suggestions[number]
        self._passed = [topic for topic in self._passed if topic != picked.topic]
        self._on_event(SuggestionPicked(turn, number, picked))
        return picked.text


async def _sounds(turn: LiveTurn) -> bool:
    """Wait for a reply's first sound; False where it has ended, or takes too long, without one."""
    for _ in range(LOOKS):
        if turn.sounded or turn.over:
            break
        await asyncio.sleep(LOOK_S)
    return turn.sounded
