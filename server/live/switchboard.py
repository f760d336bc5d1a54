"""Visitors who are passed on to people: who waits, who has whose conversation, and what becomes of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from agent.conversation_events import ConversationEvent, HandoffBegan, HandoffEnded, PersonTold, TurnEnded
from agent.errors import AgentError
from agent.handoff import elsewhere, message
from agent.history import History
from agent.particulars import hidden
from agent.staff import Staff
from agent.tasks import Tasks
from server.live.acting import ToolCalled
from server.live.casebook import Casebook
from server.live.cases import Case
from server.live.errors import LiveError
from server.live.handoff_documents import HandoffDocument, SaidDocument, State
from server.live.masking import SessionMask
from server.live.operators import Operator, Operators
from server.live.protocol import Report
from server.live.records import TurnRated
from server.live.talk import Attended
from server.live.watchers import Watchers

if TYPE_CHECKING:
    from server.live.desks import OpenDesk
    from server.live.session import Session
    from server.live.store import EventStore

log = logging.getLogger("visavis.live")

OTHERS_S = 2.0
"""How often it is looked what other processes with the same store have."""
TICK_S = 1.0
"""How often it is looked who has waited for too long."""


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
        self.cases = Casebook(store, lambda desk: SessionMask(desks[desk].masker) if desk in desks else None)
        self.watchers = Watchers(operators)
        self._desks, self._clock = desks, clock
        self._sessions: dict[str, Session] = {}
        self._tasks = Tasks()

    # What happens in sessions

    def opened(self, session: Session) -> None:
        """Tell a conversation who could take it over."""
        talk = session.talk
        if isinstance(talk, Attended):
            self._sessions[session.guest.session] = session
            talk.people.staff = lambda: self.staff(session)

    def happened(self, session: Session, event: ConversationEvent | ToolCalled | Report | TurnRated) -> None:
        """Follow a conversation."""
        name, at = session.guest.session, self._clock()
        case = self.cases.of(name)
        if isinstance(event, HandoffBegan):
            if not session.rehearsed:
                self._begin(session, event)
        elif case is None or not case.live:
            return
        elif isinstance(event, HandoffEnded) and case.state == "waiting":
            self._move(case, "withdrawn")
        elif not isinstance(event, Report | TurnRated | ToolCalled):
            talk = session.talk
            line = case.take(event, at, talk.people.name if isinstance(talk, Attended) else "")
            if isinstance(event, PersonTold) and case.unanswered_at is None:
                case.unanswered_at = at
            if line is not None and case.open:
                case.changed_at = at
                self.cases.keep(case)
                own, others = line.model_dump(mode="json"), case.masked(line).model_dump(mode="json")
                self.watchers.announce("line", case.entry(), {"line": others}, own={"line": own})
            elif isinstance(event, TurnEnded) and case.open:
                self.cases.keep(case)

    def ended(self, session: Session, reason: str) -> None:
        """A visitor has left: who has their conversation is told."""
        name = session.guest.session
        self._sessions.pop(name, None)
        case = self.cases.of(name)
        if case is None:
            return
        case.live = False
        if case.open:
            self._move(case, "left", reason=reason)
        case.forget()

    def staff(self, session: Session) -> Staff:
        """Return who could take a conversation over now."""
        desk = session.guest.desk
        if not self.operators.look_after(desk):
            return Staff()
        case = self.cases.of(session.guest.session)
        waiting = case is not None and case.state == "waiting"
        since = case.asked_at if case is not None and waiting else self._clock()
        settings = self._desks[desk].desk.settings.handoff
        place = self.cases.ahead(desk, since) + 1
        return Staff(known=True, there=settings.open, waiting=waiting, place=place)

    # What people do

    async def take(self, operator: Operator, session: str) -> HandoffDocument:
        """Give somebody a visitor's conversation.

        Raises:
            LiveError: "no_such_handoff", "taken" by somebody else, or "visitor_left".
        """
        case, _, talk = await self._live(operator, session)
        if case.state == "taken" and (case.by == operator.name or self.operators.has(case.by, case.desk)):
            if case.by != operator.name:
                raise LiveError(
                    "taken",
                    f"{case.by} has this conversation",
                    "take another one, or ask them to hand it back",
                    status=409,
                )
            return case.document(operator.name)
        case.by, case.unanswered_at = operator.name, self._clock()
        self._move(case, "taken")
        self._start(talk.people.join(operator.name), case, "joining")
        return case.document(operator.name)

    async def say(self, operator: Operator, session: str, text: str) -> SaidDocument:
        """Have the avatar say somebody's words.

        Raises:
            LiveError: as `take`; "not_yours"; "nothing_to_say"; "visitor_away" while the
                connection is broken; "not_said": the guard does not let it through, or the avatar could not
                speak.
        """
        case, visit, talk = await self._live(operator, session)
        self._check_owner(case, operator)
        if not any(map(str.isalnum, text)):
            raise LiveError(
                "nothing_to_say",
                "there is no letter or digit in the text",
                "write what the avatar is to say",
                status=422,
            )
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
        self.watchers.look()
        now = self._clock()
        for case in self.cases.open_here():
            session = self._sessions.get(case.session)
            if session is None or not isinstance(talk := session.talk, Attended):
                continue
            settings = self._desks[case.desk].desk.settings.handoff
            if case.state == "waiting" or case.unanswered_at is not None:
                session.wait_for_person()
            if case.state == "waiting" and now - case.asked_at > settings.wait_s:
                self._miss(case, talk)
                continue
            silent = case.unanswered_at is not None and now - case.unanswered_at > settings.away_s
            if silent or case.state == "taken" and not self.operators.has(case.by, case.desk):
                self._give_back(case, talk, "person_away")

    async def look_around(self) -> None:
        """Look what other processes with the same store have; tell whom it concerns; forget who has left."""
        await self.cases.let_go(self._clock())
        changed, moved = await self.cases.look_around()
        for entry in changed:
            self.watchers.announce("changed", entry)
        for case in self.cases.waiting() if moved else ():
            self._tell_visitor(case)

    async def close(self) -> None:
        """End what is under way."""
        await self._tasks.cancel()
        self.watchers.close()

    # Steps

    def _begin(self, session: Session, event: HandoffBegan) -> None:
        name, at, handoff = session.guest.session, self._clock(), event.handoff
        before = self.cases.of(name)
        if before is not None and before.open or not handoff.there and before is not None:
            return
        talk = session.talk
        history = talk.history if isinstance(talk, Attended) else History()

        def shown(text: str) -> str:
            if handoff.consent:
                return text
            return hidden(text, history.told, handoff.language, own=True)

        mask = SessionMask(session.opened.masker)
        case = Case(name, session.guest.desk, handoff, at, at, shown, mask=mask)
        self.cases.add(case)
        self._move(case, "waiting" if handoff.there else "nobody")

    def _move(self, case: Case, state: State, **more: object) -> None:
        """Change a case's state, and tell everybody whom it concerns."""
        was_waiting = case.state == "waiting"
        case.move(state, self._clock())
        self.cases.keep(case)
        self.watchers.announce(state, case.entry(), more)
        self._tell_visitor(case)
        if was_waiting and state != "waiting":
            for other in self.cases.waiting(case.desk):
                self._tell_visitor(other)

    def _tell_visitor(self, case: Case) -> None:
        session = self._sessions.get(case.session)
        if session is None:
            return
        if case.state == "taken":
            session.tell_person("talking", name=case.by)
        elif case.state == "waiting":
            session.tell_person("waiting", ahead=self.cases.ahead(case.desk, case.asked_at))
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
        case = self.cases.of(session)
        if case is None or not operator.serves(case.desk):
            # who was passed on before this server began has left, too
            await self.cases.document(operator, session)
        visit = self._sessions.get(session)
        if case is None or visit is None or not isinstance(talk := visit.talk, Attended):
            raise LiveError("visitor_left", "the visitor has left", "take another one", status=410)
        return case, visit, talk

    def _check_owner(self, case: Case, operator: Operator) -> None:
        if case.state != "taken" or case.by != operator.name:
            who = f"{case.by} has this conversation" if case.state == "taken" else "nobody has taken it"
            raise LiveError("not_yours", who, "take it first", status=409)

    def _start(self, work: Coroutine[Any, Any, None], case: Case, what: str) -> None:
        def ended(error: BaseException | None) -> None:
            if error is not None:
                log.error("session %s: %s failed", case.session, what, exc_info=error)

        self._tasks.start(work, f"{what} {case.session}", ended)
