"""Listens to a replayed conversation and writes down what came of every turn of the script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HandoffBegan,
    HandoffEnded,
    HeardWords,
    Notice,
    QuestionsSuggested,
    SentenceBegan,
    StateChanged,
    TurnEnded,
    VerdictGiven,
    VisitorFelt,
)
from agent.sentence import Sentence
from agent.staff import Staff
from agent.turn_commands import TurnState
from evals.replay.record import Called, Judged, Said, TurnRecord

OWN_CLOCK = ("turn_end", "transcript", "first_sentence")
"""Timings that the conversation measures itself, by its clock."""


class Probe:
    """Takes a conversation's events; the driver tells it which turn of the script is on.

    Args:
        clock: the conversation's, in seconds.
        lived: what a visitor would have lived through, in seconds; `evals.replay.virtual_time`.
        calls: actions that were taken so far; grows.
        people: of the script's fixtures.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        lived: Callable[[], float],
        calls: list[Called],
        people: str = "none",
    ) -> None:
        self._clock, self._lived, self._calls, self._people = clock, lived, calls, people
        self.turns: list[TurnRecord] = []
        self.greeting = ""
        self.state: str = TurnState.LISTENING.value
        self.changed = asyncio.Event()
        """Set at every event; whoever waits clears it."""
        self.waiting = False
        """For a person."""
        self._of: dict[int, TurnRecord] = {}
        """Number of the conversation's turn → the script's."""
        self._greeted = set[int]()
        """Numbers of the conversation's turns that are none of the script's."""
        self._asked_lived_s = 0.0
        self._called = 0
        self._fell_silent_s: float | None = None

    # What the driver tells

    def begin(self, number: int, said: str) -> TurnRecord:
        """A turn of the script begins: the visitor speaks, or types, from now on."""
        now_s = self._clock()
        turn = TurnRecord(number, said, began_s=now_s, ended_s=now_s)
        if self.turns:  # what was done so far is the turn's before, even where its reply still sounds
            self.turns[-1].tools += self._calls[self._called :]
        self.turns.append(turn)
        self._called = len(self._calls)
        self._fell_silent_s = None
        self.asked()
        return turn

    def asked(self) -> None:
        """The visitor has fallen silent: timings count from now."""
        if self.turns:
            self.turns[-1].ended_s = self._clock()
        self._asked_lived_s = self._lived()

    @property
    def quiet(self) -> bool:
        """Whether nothing is being said, thought or heard."""
        return self.state == TurnState.LISTENING.value

    def staff(self) -> Staff:
        """Return who could take over."""
        known, there = self._people != "none", self._people == "there"
        return Staff(known=known, there=there, waiting=self.waiting)

    # What the conversation tells

    def take(self, event: ConversationEvent) -> None:
        """Take an event."""
        match event:
            case StateChanged():
                if event.state == TurnState.PAUSED.value and self._fell_silent_s is None:
                    self._fell_silent_s = self._clock()
                self.state = event.state
            case HeardWords():
                if event.final and self.turns:
                    self._of[event.turn] = self.turns[-1]
                    self.turns[-1].understood = event.text
                elif self.turns:
                    self.turns[-1].heard = event.text
            case VerdictGiven():
                self._judged(event)
            case VisitorFelt() if (turn := self._turn(event.turn)) is not None:
                turn.visitor_emotion, turn.confidence = event.emotion.label, event.confidence
            case SentenceBegan():
                self._began(event)
            case TurnEnded():
                self._ended(event)
            case CardShown() if (turn := self._turn(event.turn)) is not None:
                card = event.card
                turn.cards.append({"kind": card.kind, "title": card.title, "url": card.url})
            case HandoffBegan():
                self.waiting = event.handoff.there
                if (turn := self._turn(event.turn)) is not None:
                    turn.handoff = event.handoff.reason
            case HandoffEnded():
                self.waiting = False
            case QuestionsSuggested() if (turn := self._turn(event.turn)) is not None:
                turn.suggestions = [one.text for one in event.suggestions]
            case Notice() if self.turns:
                self.turns[-1].notices.append(event.code)
            case _:
                pass
        self.changed.set()

    def called(self, number: int, call: Called) -> None:
        """Write down an action that was taken elsewhere, in one of the conversation's turns."""
        if (turn := self._turn(number)) is not None:
            turn.tools.append(call)

    def broke_in(self, turn: TurnRecord, before: TurnRecord | None) -> None:
        """Write down what became of the reply that a turn broke into, once that is known."""
        if before is None and self._fell_silent_s is not None:  # it was the greeting
            turn.yielded_ms = round(max(self._fell_silent_s - turn.began_s, 0.0) * 1e3, 1)
        if before is None or before.reply_ended_s is None:
            return
        turn.resumed = not before.interrupted
        if before.interrupted:
            silent_s = before.reply_ended_s if self._fell_silent_s is None else self._fell_silent_s
            turn.yielded_ms = round(max(min(silent_s, before.reply_ended_s) - turn.began_s, 0.0) * 1e3, 1)

    def _turn(self, number: int) -> TurnRecord | None:
        """Return the script's turn that one of the conversation belongs to; None before the first."""
        if number in self._greeted:
            return None
        if number not in self._of and self.turns:
            self._of[number] = self.turns[-1]
        return self._of.get(number)

    def _judged(self, event: VerdictGiven) -> None:
        verdict, turn = event.verdict, self._turn(event.turn)
        if turn is not None:
            turn.verdicts.append(
                Judged(
                    verdict.direction.value,
                    verdict.action.value,
                    verdict.rule,
                    verdict.category,
                    {name: round(score, 3) for name, score in verdict.scores.items()},
                )
            )

    def _began(self, event: SentenceBegan) -> None:
        turn = self._turn(event.turn)
        if turn is None:
            self._greeted.add(event.turn)
            self.greeting = f"{self.greeting} {event.sentence.text}".strip()
            return
        turn.sentences.append(_said(event.sentence))
        turn.answered = True
        if turn.reply_began_s is None:
            turn.reply_began_s = self._clock()
            if turn is self.turns[-1]:
                turn.timings_ms["first_sound"] = self._first_sound_ms()

    def _ended(self, event: TurnEnded) -> None:
        turn = self._turn(event.turn)
        if turn is None:
            return
        turn.heard_reply = event.heard
        turn.outcome, turn.interrupted = event.outcome.value, event.interrupted
        turn.reply_ended_s = self._clock()
        turn.tools += self._calls[self._called :]
        self._called = len(self._calls)
        for name in OWN_CLOCK:
            if name in event.timings_ms:
                turn.timings_ms[name] = event.timings_ms[name]
        if turn is self.turns[-1]:
            turn.timings_ms["reply_end"] = self._since_asked()

    def _first_sound_ms(self) -> float:
        return self._since_asked()

    def _since_asked(self) -> float:
        return round((self._lived() - self._asked_lived_s) * 1e3, 1)


def _said(sentence: Sentence) -> Said:
    return Said(
        sentence.text,
        sentence.language,
        sentence.emotion.label,
        round(sentence.emotion.intensity, 3),
        sentence.outcome.value,
        [
            {"source": one.source, "title": one.title, "text": one.text, "score": round(one.score, 3)}
            for one in sentence.citations
        ],
    )
