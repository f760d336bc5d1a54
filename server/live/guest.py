"""Who a session was given to, and who is told of what happens in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.conversation_events import ConversationEvent
    from server.live.acting import ToolCalled
    from server.live.protocol import Report
    from server.live.records import TurnRated
    from server.live.session import Session


class Listener(Protocol):
    """Told what happens in every session: for the record of what was said."""

    def opened(self, session: Session) -> None:
        """A visitor has come."""

    def happened(self, session: Session, event: ConversationEvent | ToolCalled | Report | TurnRated) -> None:
        """Something happened, an action was taken, the browser measured something, or a reply was rated."""

    def ended(self, session: Session, reason: str) -> None:
        """The visitor has left."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who a session was given to."""

    session: str
    desk: str
    origin: str
    language: str = ""
    record: bool = False
    """The visitor agreed to a recording, and the desk makes them."""
    client: str = ""
