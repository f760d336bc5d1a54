"""Writes every session's events into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agent.conversation_events import TurnEnded
from server.live.contacts import hashes_of
from server.live.masking import SessionMask
from server.live.protocol import Report
from server.live.records import ClientReported, SessionClosed, SessionOpened, TurnRated
from server.live.store import EventStore

if TYPE_CHECKING:
    from agent.conversation_events import ConversationEvent
    from agent.history import History
    from server.live.acting import ToolCalled
    from server.live.desks import OpenDesk
    from server.live.guest import Guest


class Visited(Protocol):
    """What is to be known of a conversation that is kept, whether it is held live or in text."""

    @property
    def guest(self) -> Guest:
        """Whose it is."""

    @property
    def opened(self) -> OpenDesk:
        """At which desk."""

    @property
    def talk(self) -> object:
        """Where its history is, if anywhere."""


class Keeper:
    """A listener that keeps what happens, without personal data.

    Args:
        store: where.
        secret: with which contacts are hashed, so that a visitor's conversations are found by them; empty:
            they are not.
    """

    def __init__(self, store: EventStore, secret: bytes = b"") -> None:
        self._store, self._secret = store, secret
        self._contacts: dict[str, tuple[str, ...]] = {}
        self._masks: dict[str, SessionMask] = {}

    def opened(self, session: Visited) -> None:
        """Keep that a visitor has come."""
        guest = session.guest
        self._masks[guest.session] = SessionMask(session.opened.masker)
        self._store.put(guest.session, SessionOpened(guest.desk, guest.language, guest.client, guest.record))

    def happened(self, session: Visited, event: ConversationEvent | ToolCalled | Report | TurnRated) -> None:
        """Keep what happened."""
        if isinstance(event, Report):
            measures = event.model_dump(exclude={"type", "turn"}, exclude_none=True)
            self._store.put(session.guest.session, ClientReported(measures, event.turn))
        else:
            self._store.put(session.guest.session, event, self._masks.get(session.guest.session))
            if isinstance(event, TurnEnded):
                self._keep_contacts(session)

    def ended(self, session: Visited, reason: str) -> None:
        """Keep that the visitor has left."""
        self._masks.pop(session.guest.session, None)
        self._contacts.pop(session.guest.session, None)
        self._store.put(session.guest.session, SessionClosed(reason))

    def _keep_contacts(self, session: Visited) -> None:
        """Keep hashes of how the visitor said to be reached."""
        mask = self._masks.get(session.guest.session)
        history: History | None = getattr(session.talk, "history", None)
        if not self._secret or history is None or mask is None or mask.settings.keep == "none":
            return
        hashes = hashes_of(history.told, self._secret)
        if hashes and hashes != self._contacts.get(session.guest.session):
            self._contacts[session.guest.session] = hashes
            self._store.put_contacts(session.guest.session, hashes)
