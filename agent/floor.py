"""The floor of a conversation: whose turn it is, the turn that has it, and how that comes to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.conversation_events import ConversationEvent, Notice, SentenceBegan
from agent.echo import EchoGuard
from agent.errors import AgentError
from agent.events import Spoken
from agent.live_turn import LiveTurn
from agent.own_sound import OwnSound
from agent.sentence import Outcome
from agent.slots import Errand
from agent.stage import Began, Failed, ReplyOver, Stage, StageEvent
from agent.turn import TurnTaker
from agent.turn_commands import Command

TICK_S = 0.02
"""How often timers are looked at: half a video frame."""
WAITS_S = 30.0
"""How long what is to be said unasked waits for a silence."""


class Floor:
    """One turn at a time; what the parts of a conversation share. Used on the event loop.

    Args:
        stage: the face and the voice; its events come here from now on.
        taker: when turns begin and end; None for the usual one.
        follow: does what turn taking asks for.
        ended: remembers a turn that has left: the turn, what was heard of its reply, was it interrupted.
        on_event: told what happens.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        stage: Stage,
        taker: TurnTaker | None,
        *,
        follow: Callable[[list[Command]], None],
        ended: Callable[[LiveTurn, str, bool], None],
        on_event: Callable[[ConversationEvent], None],
        clock: Callable[[], float],
    ) -> None:
        self._echo = EchoGuard()
        self.own = OwnSound()
        """What the visitor's microphone may hear of the avatar."""
        self.stage, self.follow, self.tell, self.clock = stage, follow, on_event, clock
        self.taker = taker or TurnTaker(is_echo=self._echo.is_echo)
        self._ended = ended
        self.turn: LiveTurn | None = None
        """Has the floor; None: nothing is being said or thought."""
        self.last: LiveTurn | None = None
        """Had it before."""
        self.count = 0
        """Number of the latest turn."""
        self.quiet = asyncio.Event()
        """Set when a turn leaves the floor."""
        self.closed = False
        """Nothing is heard or said any more."""
        stage.on_event = self._staged
        stage.on_sound = lambda pcm: self.own.played(pcm, clock())

    # A turn takes the floor

    def open(self, asked: str, began_s: float, number: int = 0, errand: Errand | None = None) -> LiveTurn:
        """Give the floor to a question that is to be answered.

        Args:
            asked: the visitor's words.
            began_s: when the question ended.
            number: of the turn that it belongs to; 0: it is one of its own.
            errand: what the visitor was having done before it.
        """
        self.count = number or self.count + 1
        self.turn = LiveTurn(self.count, asked, began_s, errand=errand)
        self.quiet.clear()
        return self.turn

    def say(self, spoken: list[Spoken], outcome: Outcome) -> None:
        """Say something that answers no question."""
        self.count += 1
        self.turn = LiveTurn(self.count, "", self.clock(), outcome=outcome, spoken=spoken)
        self.quiet.clear()
        for sentence in spoken:
            self.stage.say(sentence)
        self.complete()

    def say_if_free(self, spoken: list[Spoken], outcome: Outcome) -> None:
        """Say something unasked, unless something else is being said or thought."""
        if spoken and self.turn is None and not self.closed:
            self.say(spoken, outcome)

    async def say_later(
        self,
        spoken: list[Spoken],
        outcome: Outcome,
        still: Callable[[], bool],
        speaking: Callable[[], bool],
    ) -> None:
        """Say something unasked when neither the visitor nor a reply is to be heard.

        Args:
            spoken: what.
            outcome: of the turn that it becomes.
            still: tells whether it may be said then.
            speaking: tells whether the visitor speaks.

        Raises:
            AgentError: it could not be said.
        """
        until_s = self.clock() + WAITS_S
        while (  # noqa: ASYNC110 - it is three things that are waited for
            self.clock() < until_s and ((self.turn and self.turn.asked) or speaking())
        ):
            await asyncio.sleep(TICK_S)
        if not spoken or self.closed or not still():
            raise AgentError("it could not be said; try again")
        turn = self.turn
        if turn is None or turn.over:
            self.say(spoken, outcome)
        elif turn.asked:
            raise AgentError("the desk is still answering; try again in a moment")
        else:  # something unasked is being said: this follows it
            for one in spoken:
                self.stage.say(one)
                turn.spoken.append(one)
            self.complete()

    # While it is said

    def lasts(self, *, last: bool) -> None:
        """Tell turn taking how long what is to be said lasts; `last`: nothing follows it."""
        now = self.clock()
        self.follow(self.taker.reply_lasts(now, now + self.stage.queued_s, last=last))

    def complete(self) -> None:
        """Nothing follows what is being said."""
        self.lasts(last=True)
        self.stage.finish()

    def _staged(self, event: StageEvent) -> None:
        now = self.clock()
        turn = self.turn
        match event:
            case Began() if turn is not None:
                if not turn.sounded:
                    turn.mark("first_sound", now)
                    self.follow(self.taker.reply_began(now))
                    if turn.over:
                        return
                speech = event.spoken.speech
                self._echo.said(event.spoken.sentence.text, now, now + speech.duration_s)
                self.tell(SentenceBegan(turn.number, event.spoken.sentence))
            case ReplyOver() if turn is not None:
                self.over(event.heard, interrupted=event.interrupted)
            case Failed():
                self.tell(Notice("picture_failed", event.message))
            case _:
                pass

    # It leaves the floor

    def over(self, heard: str, *, interrupted: bool) -> None:
        """The turn has come to its end; of its reply so much was heard."""
        turn, self.turn = self.turn, None
        self.stage.resume()
        self._leave(turn, heard, interrupted=interrupted)
        self.follow(self.taker.reply_ended(self.clock()))

    def cancel(self) -> None:
        """End the turn where it is; what was heard of it is remembered."""
        heard = self.stage.heard()
        turn, self.turn = self.turn, None
        self.stage.cancel()
        self._leave(turn, heard, interrupted=True)

    def withdraw(self) -> None:
        """End a turn of which nothing was heard, as if it had never been."""
        if self.turn is not None:
            self.turn.over = True
            self.turn = None
        self.stage.cancel()

    def _leave(self, turn: LiveTurn | None, heard: str, *, interrupted: bool) -> None:
        if turn is None:
            return
        turn.over = True
        self.last = turn
        self.quiet.set()
        self._ended(turn, heard, interrupted)
