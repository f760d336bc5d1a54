"""The cases of a server: those of its own visitors, those that are kept, and who waits in other processes."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from server.live import archive
from server.live.cases import OPEN, Case, orphaned, stored
from server.live.errors import LiveError
from server.live.handoff_documents import EntryDocument, HandoffDocument, InboxDocument
from server.live.operators import Operator

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from server.live.masking import SessionMask
    from server.live.store import EventStore

log = logging.getLogger("visavis.live")

CLOSED = 200
"""Cases that are over and are remembered without a store; and that are listed with one."""
CLOSED_S = 24 * 3600.0
"""How long they are remembered without a store."""
WRITTEN_S = 0.5
"""How long the store may take to write down what is over; else it is asked again."""


class Casebook:
    """Remembers who was passed on; used on the event loop.

    Args:
        store: where cases are kept, so that a killed server loses none; None: nowhere.
        mask_of: gives the mask of a desk for one conversation; None where the desk is not known.
    """

    def __init__(
        self, store: EventStore | None, mask_of: Callable[[str], SessionMask | None] = lambda desk: None
    ) -> None:
        self._store, self._mask_of = store, mask_of
        self._cases: OrderedDict[str, Case] = OrderedDict()
        self._elsewhere: dict[str, HandoffDocument] = {}
        """Who waits or is attended to in other processes, as it was when it was looked last."""

    # Of this server

    def of(self, session: str) -> Case | None:
        """Return the latest case of a session."""
        return self._cases.get(session)

    def add(self, case: Case) -> None:
        """Remember a case, in the place of an older one of its session."""
        self._cases[case.session] = case
        self._cases.move_to_end(case.session)

    def keep(self, case: Case) -> None:
        """Write a case down as it stands; once nobody has to do anything about it, without personal data."""
        if self._store is not None:
            self._store.put_handoff(case.session, case.state, case.kept())

    def drop(self, session: str) -> None:
        """Forget a case: its visitor had it erased."""
        self._cases.pop(session, None)
        self._elsewhere.pop(session, None)

    async def let_go(self, now: float) -> None:
        """Forget cases whose visitors have left: with a store it remembers them, for as long as it may.

        Args:
            now: seconds since 1970.
        """
        left = [each for each, one in self._cases.items() if not one.live]
        if not left:
            return
        store = self._store
        if store is not None and not store.status().trouble and await store.flush(WRITTEN_S):
            gone = left
        else:
            old = [each for each in left if now - self._cases[each].changed_at > CLOSED_S]
            gone = [*old, *left[: max(0, len(left) - CLOSED)]]
        for each in gone:
            self._cases.pop(each, None)

    def open_here(self) -> list[Case]:
        """Return the cases of visitors who are there, in which somebody has to do something."""
        return [one for one in self._cases.values() if one.live and one.open]

    def waiting(self, desk: str = "") -> list[Case]:
        """Return who waits here, at one desk or at all, the first first."""
        own = (one for one in self._cases.values() if one.state == "waiting" and one.live)
        return [one for one in own if not desk or one.desk == desk]

    def ahead(self, desk: str, since: float) -> int:
        """Return how many have waited at a desk for longer than since then, in all processes."""
        here = sum(one.asked_at < since for one in self.waiting(desk))
        return here + sum(
            one.desk == desk and one.state == "waiting" and one.asked_at < since
            for one in self._elsewhere.values()
        )

    # As people read it

    async def inbox(self, operator: Operator, desk: str = "") -> InboxDocument:
        """Return everybody who was passed on, at the desks that somebody looks after."""
        entries = {one.session: entry_of(one) for one in await self._stored()}
        entries |= {name: case.entry() for name, case in self._cases.items()}
        mine = [
            one for one in entries.values() if operator.serves(one.desk) and (not desk or one.desk == desk)
        ]
        closed = [one for one in mine if one.state not in OPEN]
        return InboxDocument(
            waiting=sorted((one for one in mine if one.state == "waiting"), key=lambda one: one.asked_at),
            taken=sorted((one for one in mine if one.state == "taken"), key=lambda one: one.asked_at),
            closed=sorted(closed, key=lambda one: -one.asked_at)[:CLOSED],
        )

    async def document(self, operator: Operator, session: str) -> HandoffDocument:
        """Return one of them, with what was said.

        Raises:
            LiveError: "no_such_handoff".
        """
        if (case := self._cases.get(session)) is not None and operator.serves(case.desk):
            return case.document(operator.name)
        found = await self._stored(session)
        if not found or not operator.serves(found[0].desk):
            raise LiveError(
                "no_such_handoff", "no visitor of this name was passed on", "see GET /v1/inbox", status=404
            )
        return found[0]

    # Of other processes

    async def look_around(self) -> tuple[list[EntryDocument], bool]:
        """Look what other processes with the same store have.

        Returns:
            The cases there that have changed since the last look, and whether others wait there now.
        """
        if self._store is None:
            return [], False
        there = {one.session: one for one in await self._stored(states=OPEN)}
        there = {name: one for name, one in there.items() if name not in self._cases}
        if any(one.state not in OPEN for one in there.values()):
            await self._store.change(self._mask_orphans)
        gone = [each for name in self._elsewhere.keys() - there for each in await self._stored(name)]
        changed = [entry_of(one) for one in (*there.values(), *gone) if self._is_new(one)]
        moved = _waiting(self._elsewhere.values()) != _waiting(there.values())
        self._elsewhere = there
        return changed, moved

    def _mask_orphans(self, connection: Connection) -> None:
        """Mask what killed servers have left while somebody had to read it in full."""
        for session, desk, text in archive.orphaned_handoffs(connection, OPEN):
            try:
                document = orphaned(text, self._mask_of(desk))
            except ValueError:
                continue  # it is told where it is read
            archive.change_handoff(connection, session, document.state, document.model_dump_json())

    def _is_new(self, document: HandoffDocument) -> bool:
        before = self._elsewhere.get(document.session)
        return before is None or before.changed_at != document.changed_at or before.state != document.state

    async def _stored(self, session: str = "", states: Sequence[str] = ()) -> list[HandoffDocument]:
        """Read cases that are kept; those of other servers are among them."""
        if self._store is None:
            return []
        rows = await self._store.handoffs(session, states=states, limit=CLOSED)
        return await asyncio.to_thread(_read, rows)


def entry_of(document: HandoffDocument) -> EntryDocument:
    """Return a document without what was said."""
    return EntryDocument.model_validate(document.model_dump(exclude={"transcript"}))


def _read(rows: Iterable[tuple[str, bool]]) -> list[HandoffDocument]:
    found = []
    for text, over in rows:
        try:
            found.append(stored(text, over=over))
        except ValueError:
            log.warning("a handoff in the store cannot be read; it is passed over")
    return found


def _waiting(documents: Iterable[HandoffDocument]) -> set[str]:
    return {one.session for one in documents if one.state == "waiting"}
