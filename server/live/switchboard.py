"""Visitors who are passed on to people: who waits, who has whose conversation, and what becomes of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agent.conversation_events import ConversationEvent, HandoffBegan, HandoffEnded, PersonTold, TurnEnded
from agent.errors import AgentError
from agent.handoff import elsewhere, message
from agent.history import History
from agent.particulars import hidden
from agent.staff import Staff
from agent.tasks import Tasks
from server.live.cases import OPEN, Case, stored
from server.live.errors import LiveError
from server.live.handoff_documents import EntryDocument, HandoffDocument, InboxDocument, SaidDocument, State
from server.live.operators import Operator, Operators
from server.live.protocol import Report
from server.live.records import TurnRated

if TYPE_CHECKING:
    from agent.attending import People
    from server.live.desks import OpenDesk
    from server.live.session import Session
    from server.live.store import EventStore

log = logging.getLogger("visavis.live")

OTHERS_S = 2.0
"""How often it is looked what other processes with the same store have."""
TICK_S = 1.0
"""How often it is looked who has waited for too long."""
CLOSED = 200
"""Cases that are over and are remembered without a store; and that are listed with one."""
EVENTS_WAITING = 256
"""Events that wait for somebody who does not read."""
Event = dict[str, object]


@runtime_checkable
class Attended(Protocol):
    """What passing on needs of `agent.conversation.Conversation`."""

    history: History
    people: People


class Watcher:
    """Somebody who is told what happens, over a WebSocket.

    Args:
        operator: who.
    """

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.events: asyncio.Queue[Event | None] = asyncio.Queue(EVENTS_WAITING)
        """None: too much waits; come again and ask for the whole."""

    def tell(self, event: Event) -> None:
        """Put an event to the others; never waits."""
        if self.events.full():
            while not self.events.empty():
                self.events.get_nowait()
            self.events.put_nowait(None)
        else:
            self.events.put_nowait(event)


class Switchboard:
    """Knows the visitors of one server who are passed on; a listener of its sessions, used on the event loop.

    Args:
        desks: name → open desk; filled while the server starts.
        operators: who may take conversations.
        store: where cases are kept, so that a killed server loses none; None: nowhere.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        desks: Mapping[str, OpenDesk],
        operators: Operators,
        store: EventStore | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.operators = operators
        self._desks, self._store, self._clock = desks, store, clock
        self._cases: OrderedDict[str, Case] = OrderedDict()
        self._sessions: dict[str, Session] = {}
        self._watchers: set[Watcher] = set()
        self._tasks = Tasks()
        self._elsewhere: dict[str, HandoffDocument] = {}
        """Who waits or is attended to in other processes, as it was when it was looked last."""

    # What happens in sessions

    def opened(self, session: Session) -> None:
        """Tell a conversation who could take it over."""
        talk = session.talk
        if isinstance(talk, Attended):
            self._sessions[session.guest.session] = session
            talk.people.staff = lambda: self.staff(session)

    def happened(self, session: Session, event: ConversationEvent | Report | TurnRated) -> None:
        """Follow a conversation."""
        name, at = session.guest.session, self._clock()
        case = self._cases.get(name)
        if isinstance(event, HandoffBegan):
            self._begin(session, event)
        elif case is None or not case.live:
            return
        elif isinstance(event, HandoffEnded) and case.state == "waiting":
            self._move(case, "withdrawn")
        elif not isinstance(event, Report | TurnRated):
            talk = session.talk
            line = case.take(event, at, talk.people.name if isinstance(talk, Attended) else "")
            if isinstance(event, PersonTold) and case.unanswered_at is None:
                case.unanswered_at = at
            if line is not None and case.open:
                case.changed_at = at
                self._keep(case)
                self._publish("line", case, line=line.model_dump(mode="json"))
            elif isinstance(event, TurnEnded) and case.open:
                self._keep(case)

    def ended(self, session: Session, reason: str) -> None:
        """A visitor has left: who has their conversation is told."""
        name = session.guest.session
        self._sessions.pop(name, None)
        case = self._cases.get(name)
        if case is None:
            return
        case.live = False
        if case.open:
            self._move(case, "left", reason=reason)
        while sum(not one.live for one in self._cases.values()) > CLOSED:
            del self._cases[next(each for each, one in self._cases.items() if not one.live)]

    def staff(self, session: Session) -> Staff:
        """Return who could take a conversation over now."""
        desk = session.guest.desk
        if not self.operators.look_after(desk):
            return Staff()
        case = self._cases.get(session.guest.session)
        waiting = case is not None and case.state == "waiting"
        since = case.asked_at if case is not None and waiting else self._clock()
        settings = self._desks[desk].desk.settings.handoff
        return Staff(True, settings.open, waiting, self._ahead(desk, since) + 1)

    # What people do

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

    async def case(self, operator: Operator, session: str) -> HandoffDocument:
        """Return one of them, with what was said.

        Raises:
            LiveError: "no_such_handoff".
        """
        if (case := self._cases.get(session)) is not None and operator.serves(case.desk):
            return case.document()
        found = await self._stored(session)
        if not found or not operator.serves(found[0].desk):
            raise _unknown()
        return found[0]

    async def take(self, operator: Operator, session: str) -> HandoffDocument:
        """Give somebody a visitor's conversation.

        Raises:
            LiveError: "no_such_handoff", "taken" by somebody else, or "visitor_left".
        """
        case, _, talk = await self._live(operator, session)
        if case.state == "taken":
            if case.by != operator.name:
                raise LiveError(
                    "taken",
                    f"{case.by} has this conversation",
                    "take another one, or ask them to hand it back",
                    status=409,
                )
            return case.document()
        case.by, case.unanswered_at = operator.name, self._clock()
        self._move(case, "taken")
        self._start(talk.people.join(operator.name), case, "joining")
        return case.document()

    async def say(self, operator: Operator, session: str, text: str) -> SaidDocument:
        """Have the avatar say somebody's words.

        Raises:
            LiveError: as `take`; "not_yours"; "visitor_away" while the connection is broken; "not_said": the
                guard does not let it through, or the avatar could not speak.
        """
        case, visit, talk = await self._live(operator, session)
        self._check_owner(case, operator)
        if not visit.joined:
            raise LiveError(
                "visitor_away",
                "the visitor's connection is broken",
                "wait until they are back, or hand the conversation back",
                status=409,
                retryable=True,
            )
        waited_since, case.unanswered_at = case.unanswered_at, None
        try:
            verdict = await talk.people.say(text)
        except AgentError as error:
            case.unanswered_at = waited_since
            raise LiveError("not_said", str(error), "say it again", status=409, retryable=True) from None
        if not verdict.passes:
            case.unanswered_at = waited_since
            raise LiveError(
                "not_said", f"the desk's policy stops this ({verdict.rule})", "put it differently", status=422
            )
        return SaidDocument(said=verdict.text)

    async def back(self, operator: Operator, session: str) -> HandoffDocument:
        """Hand a conversation back to the desk.

        Raises:
            LiveError: as `take`; "not_yours".
        """
        case, _, talk = await self._live(operator, session)
        self._check_owner(case, operator)
        self._give_back(case, talk, "given_back")
        return case.document()

    def watch(self, operator: Operator) -> Watcher:
        """Tell somebody what happens from now on, until `leave`."""
        watcher = Watcher(operator)
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Tell them no more."""
        self._watchers.discard(watcher)

    # Time

    async def run(self) -> None:
        """Look who has waited for too long, and what other processes have, until cancelled."""
        looked_s = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.tick()
                if time.monotonic() - looked_s >= OTHERS_S:
                    looked_s = time.monotonic()
                    await self.look_around()
            except Exception:
                log.exception("who waits for people could not be looked at; it goes on")

    def tick(self) -> None:
        """Look once."""
        now = self._clock()
        for case in [one for one in self._cases.values() if one.live and one.open]:
            session = self._sessions.get(case.session)
            if session is None or not isinstance(talk := session.talk, Attended):
                continue
            settings = self._desks[case.desk].desk.settings.handoff
            if case.state == "waiting" or case.unanswered_at is not None:
                session.wait_for_person()
            if case.state == "waiting" and now - case.asked_at > settings.wait_s:
                self._miss(case, talk)
            elif case.unanswered_at is not None and now - case.unanswered_at > settings.away_s:
                self._give_back(case, talk, "person_away")

    async def look_around(self) -> None:
        """Look what other processes with the same store have; tell whom it concerns."""
        if self._store is None:
            return
        there = {one.session: one for one in await self._stored(states=OPEN)}
        there = {name: one for name, one in there.items() if name not in self._cases}
        gone = [each for name in self._elsewhere.keys() - there for each in await self._stored(name)]
        for one in [*there.values(), *gone]:
            before = self._elsewhere.get(one.session)
            if before is None or before.changed_at != one.changed_at or before.state != one.state:
                self._announce("changed", entry_of(one))
        moved = _waiting(self._elsewhere.values()) != _waiting(there.values())
        self._elsewhere = there
        for case in self._cases.values() if moved else ():
            if case.live and case.state == "waiting":
                self._tell_visitor(case)

    async def close(self) -> None:
        """End what is under way."""
        await self._tasks.cancel()
        for watcher in self._watchers:
            watcher.tell({"type": "closing"})

    # Steps

    def _begin(self, session: Session, event: HandoffBegan) -> None:
        name, at, handoff = session.guest.session, self._clock(), event.handoff
        before = self._cases.get(name)
        if before is not None and before.open or not handoff.there and before is not None:
            return
        talk = session.talk
        history = talk.history if isinstance(talk, Attended) else History()

        def shown(text: str) -> str:
            if handoff.consent:
                return text
            return hidden(text, history.told, handoff.language, own=True)

        case = Case(name, session.guest.desk, handoff, at, at, shown)
        self._cases[name] = case
        self._cases.move_to_end(name)
        self._move(case, "waiting" if handoff.there else "nobody")

    def _move(self, case: Case, state: State, **more: object) -> None:
        """Change a case's state, and tell everybody whom it concerns."""
        was_waiting = case.state == "waiting"
        case.move(state, self._clock())
        self._keep(case)
        self._publish(state, case, **more)
        self._tell_visitor(case)
        if was_waiting and state != "waiting":
            for other in self._line(case.desk):
                self._tell_visitor(other)

    def _tell_visitor(self, case: Case) -> None:
        session = self._sessions.get(case.session)
        if session is None:
            return
        if case.state == "taken":
            session.tell_person("talking", name=case.by)
        elif case.state == "waiting":
            session.tell_person("waiting", ahead=self._ahead(case.desk, case.asked_at))
        else:
            session.tell_person("none")

    def _give_back(self, case: Case, talk: Attended, phrase: str) -> None:
        case.unanswered_at = None
        self._move(case, "back", reason="away" if phrase == "person_away" else "person")
        self._start(talk.people.leave(phrase), case, "handing back")

    def _miss(self, case: Case, talk: Attended) -> None:
        """Nobody came in time: say so, and take a message where the desk can."""
        opened = self._desks[case.desk]
        language = case.handoff.language
        phrases = opened.desk.phrases(language)
        line = elsewhere(opened.desk, phrases.nobody_free, language)
        question, errand = message(opened.desk, opened.engines.tools, phrases, language, time.monotonic())
        self._move(case, "missed")
        words = f"{line} {question}".strip()
        self._start(talk.people.say_own("nobody_free", line=words, errand=errand), case, "excusing")

    async def _live(self, operator: Operator, session: str) -> tuple[Case, Session, Attended]:
        case = self._cases.get(session)
        if case is None or not operator.serves(case.desk):
            await self.case(operator, session)  # who was passed on before this server began has left, too
        visit = self._sessions.get(session)
        if case is None or visit is None or not isinstance(talk := visit.talk, Attended):
            raise LiveError("visitor_left", "the visitor has left", "take another one", status=410)
        return case, visit, talk

    def _check_owner(self, case: Case, operator: Operator) -> None:
        if case.state != "taken" or case.by != operator.name:
            who = f"{case.by} has this conversation" if case.state == "taken" else "nobody has taken it"
            raise LiveError("not_yours", who, "take it first", status=409)

    def _line(self, desk: str) -> list[Case]:
        """Return who waits at a desk, the first first."""
        return [
            one for one in self._cases.values() if one.desk == desk and one.state == "waiting" and one.live
        ]

    def _ahead(self, desk: str, since: float) -> int:
        """Return how many have waited at a desk for longer than since then, in all processes."""
        here = sum(one.asked_at < since for one in self._line(desk))
        return here + sum(
            one.desk == desk and one.state == "waiting" and one.asked_at < since
            for one in self._elsewhere.values()
        )

    def _keep(self, case: Case) -> None:
        if self._store is not None:
            self._store.put_handoff(case.session, case.state, case.kept(words=self._store.keeps_words))

    def _publish(self, kind: str, case: Case, **more: object) -> None:
        self._announce(kind, case.entry(), **more)

    def _announce(self, kind: str, entry: EntryDocument, **more: object) -> None:
        told = {"type": kind, "entry": entry.model_dump(mode="json"), **more} if self._watchers else {}
        for watcher in self._watchers:
            if watcher.operator.serves(entry.desk):
                watcher.tell(told)

    async def _stored(self, session: str = "", states: Sequence[str] = ()) -> list[HandoffDocument]:
        """Read cases that are kept; those of other servers are among them."""
        if self._store is None:
            return []
        rows = await self._store.handoffs(session, states=states, limit=CLOSED)
        return await asyncio.to_thread(_read, rows)

    def _start(self, work: object, case: Case, what: str) -> None:
        def ended(error: BaseException | None) -> None:
            if error is not None:
                log.error("session %s: %s failed", case.session, what, exc_info=error)

        self._tasks.start(work, f"{what} {case.session}", ended)  # type: ignore[arg-type]


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


def _unknown() -> LiveError:
    return LiveError(
        "no_such_handoff", "no visitor of this name was passed on", "see GET /v1/inbox", status=404
    )


def entry_of(document: HandoffDocument) -> EntryDocument:
    """Return a document without what was said."""
    return EntryDocument.model_validate(document.model_dump(exclude={"transcript"}))
