"""What whoever tests a desk is told besides: verdicts, feelings, actions, and when which sound leaves.

Visitors are told none of it. Who comes with an operator's key in their "hello" is told by messages of their
own, in the conversation that they hold themselves:

- `verdict`: turn, direction, action, rule, category, scores; never the words.
- `felt`: turn, label, intensity, confidence.
- `handoff`: turn, reason, there, consent.
- `tool`: turn, name, arguments, result, failed.
- `notice`: code, message; those that visitors are told, too, come as they come to them.
- `sounding`: turn, moment, at_s, phonemes: from this moment of the media clock (40 ms each) on, a sentence
  sounds from `at_s` of it; its phonemes are [symbol, start_s, end_s]. Without phonemes: silence from here on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.conversation_events import (
    ConversationEvent,
    HandoffBegan,
    HandoffEnded,
    HeardWords,
    Notice,
    SentenceBegan,
    VerdictGiven,
    VisitorFelt,
)
from agent.line import MOMENT_S
from agent.staff import Staff
from server.live.acting import ToolCalled
from server.live.errors import LiveError
from server.live.post import Post
from server.live.talk import Attended
from server.live.telling import FOR_VISITORS

if TYPE_CHECKING:
    from agent.events import Spoken
    from agent.stage import LiveMoment
    from server.live.guest import Guest
    from server.live.link import Link
    from server.live.operators import Operators
    from server.live.protocol import Hello
    from server.live.readings import Readings

SCORE_DIGITS = 3


async def admit(link: Link, hello: Hello, guest: Guest, operators: Operators, readings: Readings) -> None:
    """Have a client told besides, if its key is one of the desk's; it is noted in the audit trail.

    Raises:
        LiveError: "key_unknown", or "not_yours": the key is for other desks.
    """
    operator = operators.with_key(hello.key)
    if not operator.serves(guest.desk):
        raise LiveError(
            "not_yours", "this key does not look after this desk", "ask for a key that does", status=403
        )
    await readings.noted(f"operator:{operator.name}", "examine", guest.session, guest.desk)
    link.examines, link.people = True, hello.people


class Examining:
    """Tells the client of a session, while it is an examiner's; a sink of the stage, used on the event loop.

    Args:
        post: takes messages to the client.
    """

    def __init__(self, post: Post) -> None:
        self.people = ""
        """Who is to be taken to be there: "none", "there" or "away"; empty: who is. Else nobody is called."""
        self.turn = 0
        """The latest in which the visitor said something."""
        self._post = post
        self._said, self._waits = 0, False
        self._spoken: Spoken | None = None
        self._next: tuple[int, float] = (0, 0.0)
        """Number of the moment that comes next if nothing is left out, and its place in the sentence."""

    def pretend(self, people: str, talk: object) -> None:
        """Take it from now on that the company's people are "there" or "away", or that there are "none"."""
        self.people = people
        if isinstance(talk, Attended):
            talk.people.staff = self._staff

    def _staff(self) -> Staff:
        return Staff(known=self.people != "none", there=self.people == "there", waiting=self._waits)

    def happened(self, event: ConversationEvent | ToolCalled) -> None:
        """Tell of an event that visitors are not told of."""
        match event:
            case HeardWords():
                self.turn = event.turn
            case SentenceBegan():
                self._said = event.turn
            case VerdictGiven(turn=turn, verdict=verdict):
                self._post.examine(
                    "verdict",
                    turn=turn,
                    direction=verdict.direction.value,
                    action=verdict.action.value,
                    rule=verdict.rule,
                    category=verdict.category,
                    scores={name: round(score, SCORE_DIGITS) for name, score in verdict.scores.items()},
                )
            case VisitorFelt(turn=turn, emotion=emotion, confidence=confidence):
                self._post.examine(
                    "felt",
                    turn=turn,
                    label=emotion.label,
                    intensity=round(emotion.intensity, SCORE_DIGITS),
                    confidence=round(confidence, SCORE_DIGITS),
                )
            case HandoffEnded():
                self._waits = False
            case HandoffBegan(turn=turn, handoff=handoff):
                self._waits = handoff.there
                self._post.examine(
                    "handoff", turn=turn, reason=handoff.reason, there=handoff.there, consent=handoff.consent
                )
            case Notice() if event.code not in FOR_VISITORS:
                self._post.examine("notice", code=event.code, message=event.message)
            case ToolCalled():
                self._post.examine(
                    "tool",
                    turn=event.turn,
                    name=event.tool,
                    arguments=dict(event.arguments),
                    result=event.result,
                    failed=event.failed,
                )
            case _:
                pass

    def take(self, moment: LiveMoment) -> None:
        """Tell where the sound of a moment stands in its sentence, where that does not follow from before."""
        spoken = moment.spoken
        index, at_s = self._next
        goes_on = spoken is self._spoken and (
            spoken is None or moment.index == index and abs(moment.at_s - at_s) < MOMENT_S / 2
        )
        if not goes_on:
            phonemes = [] if spoken is None else spoken.speech.phonemes
            self._post.examine(
                "sounding",
                turn=self._said,
                moment=moment.index,
                at_s=round(moment.at_s, 4),
                phonemes=[[one.symbol, round(one.start_s, 4), round(one.end_s, 4)] for one in phonemes],
            )
        self._spoken, self._next = spoken, (moment.index + 1, moment.at_s + MOMENT_S)
