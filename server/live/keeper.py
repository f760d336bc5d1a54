"""Writes every session's events into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.live.masking import SessionMask
from server.live.protocol import Report
from server.live.records import ClientReported, SessionClosed, SessionOpened, TurnRated
from server.live.store import EventStore

if TYPE_CHECKING:
    from agent.conversation_events import ConversationEvent
    from server.live.session import Session


class Keeper:
    """A listener that keeps what happens, without personal data.

    Args:
        store: where.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._masks: dict[str, SessionMask] = {}

    def opened(self, session: Session) -> None:
        """Keep that a visitor has come."""
        guest = session.guest
        self._masks[guest.session] = SessionMask(session.opened.masker)
        self._store.put(guest.session, SessionOpened(guest.desk, guest.language, guest.client, guest.record))

    def happened(self, session: Session, event: ConversationEvent | Report | TurnRated) -> None:
        """Keep what happened."""
        if isinstance(event, Report):
            measures = event.model_dump(exclude={"type", "turn"}, exclude_none=True)
            self._store.put(session.guest.session, ClientReported(measures, event.turn))
        else:
            self._store.put(session.guest.session, event, self._masks.get(session.guest.session))

    def ended(self, session: Session, reason: str) -> None:
        """Keep that the visitor has left."""
        self._masks.pop(session.guest.session, None)
        self._store.put(session.guest.session, SessionClosed(reason))
