"""A conversation in text: what is remembered of it, and what of it is kept."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field, replace

from agent.conversation_events import ConversationEvent
from agent.events import Ended, ErrandMoved, Event, Felt, Screened
from agent.history import History
from server.live.acting import ToolCalled
from server.live.desks import OpenDesk
from server.live.documents import DataDocument
from server.live.guest import Guest
from server.live.keeper import Keeper
from server.live.tokens import Tokens
from server.live.typed_turn import TypedTurn

CLIENT = "chat"
"""What operators see as the client of these conversations."""
DATA_S = 86_400.0
"""For how long its visitor may get or erase what is kept, seconds."""


@dataclass(slots=True)
class TypedTalk:
    """A conversation in text; used on the event loop.

    Clients may name conversations as they like, so that what is kept of one has a name of its own: under a
    name that somebody chose nobody gets at what others said.
    """

    opened: OpenDesk
    history: History
    origin: str = ""
    """Of the page that asks."""
    keeper: Keeper | None = None
    """Keeps what happens; None: nothing is kept."""
    name: str = ""
    """That this server made up for it, and what is kept has as well; empty: its client named it."""
    guest: Guest = field(init=False)
    """Under whose name it is kept."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Its questions are answered one after the other."""
    at_s: float = 0.0
    """When its last question came or was answered, seconds."""
    questions: int = 0
    """That are answered, or wait for it; while there are any it is not forgotten."""
    turns: int = 0
    """That were begun."""
    told: bool = False
    """Its visitor knows how to get at what is kept."""

    def __post_init__(self) -> None:
        self.guest = Guest(self.name or secrets.token_urlsafe(12), self.opened.id, self.origin, client=CLIENT)

    @property
    def talk(self) -> TypedTalk:
        """Itself: where the history is."""
        return self

    def take(self, event: Event, turn: TypedTurn) -> None:
        """Remember and keep what happens in a turn; before the turn itself takes it."""
        if isinstance(event, Screened) and not turn.begun:
            self.history.hear(turn.text, event.verdict, self.opened.engines.tools)
            self._begin(turn)
        elif isinstance(event, ErrandMoved):
            self.history.take(event.errand)
        elif isinstance(event, Felt):
            self.history.feel(event)
        elif isinstance(event, Ended):
            self.told = self.told or turn.data is not None  # who gave up, or waited too long, was not told
        for kept in turn.kept(event, self.turns):
            self._keep(kept)

    def acted(self, call: ToolCalled) -> None:
        """Keep that a business action was taken."""
        self._keep(replace(call, turn=self.turns))

    def end(self, turn: TypedTurn) -> None:
        """Remember and keep what came of a turn, if it began."""
        exchange, ended = turn.exchange(), turn.ended(self.turns)
        if exchange is not None and ended is not None:
            self.history.add(exchange)
            self._keep(ended)

    def tell(self, turn: TypedTurn, tokens: Tokens | None) -> None:
        """Tell its visitor with the first whole answer how to get at what is kept."""
        if self.keeper is None or tokens is None or self.told:
            return
        name, desk, origin = self.guest.session, self.guest.desk, self.origin
        token = tokens.issue(name, desk, origin, expires_s=DATA_S)
        turn.data = DataDocument(path=f"/v1/sessions/{name}/data", token=token)

    def close(self, reason: str) -> None:
        """It is over."""
        if self.keeper is not None and self.turns:
            self.keeper.ended(self, reason)

    def _begin(self, turn: TypedTurn) -> None:
        self.turns += 1
        if self.keeper is not None and self.turns == 1:
            self.keeper.opened(self)

    def _keep(self, event: ConversationEvent | ToolCalled) -> None:
        if self.keeper is not None:
            self.keeper.happened(self, event)
