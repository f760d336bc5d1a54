"""What turn taking asks of the conversation, and the states that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TurnState(StrEnum):
    """Whose turn it is."""

    LISTENING = "listening"
    """The visitor's, or nobody's."""
    THINKING = "thinking"
    """A reply is being made; none of it was heard yet."""
    SPEAKING = "speaking"
    """The reply is heard."""
    PAUSED = "paused"
    """The visitor speaks over the reply, heard or not yet; it may go on."""


class CancelReason(StrEnum):
    """Why a reply ends early."""

    INTERRUPTED = "interrupted"
    """The visitor said something else."""
    STOPPED = "stopped"
    """A stop word, or the stop button."""
    TYPED = "typed"
    """The visitor typed something else."""
    NO_ANSWER = "no_answer"
    """Nothing of it came in time; an apology is due."""
    STUCK = "stuck"
    """It should have ended long ago; nobody said that it did."""


class IgnoreReason(StrEnum):
    """Why speech is not answered."""

    NO_WORDS = "no_words"
    """A cough, a noise, a word that nobody could be sure of."""
    BACKCHANNEL = "backchannel"
    """The visitor showed that they follow."""
    ECHO = "echo"
    """The avatar heard itself."""
    STOP = "stop"
    """A stop word: it has been obeyed, there is nothing to answer."""
    STOPPED = "stopped"
    """The stop button was pressed meanwhile."""
    TYPED = "typed"
    """The visitor went on in writing; words already known are part of what was typed."""
    UNANSWERED = "unanswered"
    """The recogniser did not say in time what was heard."""
    OVERLONG = "overlong"
    """The end of a monologue whose beginning is being answered."""


@dataclass(frozen=True, slots=True)
class Recognize:
    """Tell with `TurnTaker.words` what was heard so far of an utterance."""

    utterance: int
    asked: int
    """Number of this question, to be given back with the words; grows."""
    interim: bool = False
    """The visitor is still speaking; a first guess will do, and no answer at all does no harm."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Begin an answer that changes nothing and may be thrown away; it replaces any begun before."""

    utterance: int
    text: str
    joined: bool = False
    """The text will be answered together with the turn that is being thought about."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Throw the prepared answer away."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The visitor's turn is over: answer it."""

    utterance: int
    text: str
    language: str
    """ISO 639-1; empty where nobody knows, for typed words."""
    joined: bool = False
    """It belongs to the turn that is being thought about: end that reply and answer both texts together."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold the reply: stop its sound, or do not begin it."""


@dataclass(frozen=True, slots=True)
class Resume:
    """It was a false alarm: the reply goes on."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """The reply is over, whatever of it is missing; `reply_ended` need not be called."""

    reason: CancelReason


@dataclass(frozen=True, slots=True)
class Ignore:
    """Forget the sound heard so far: nothing in it is to be answered."""

    reason: IgnoreReason


@dataclass(frozen=True, slots=True)
class ShowState:
    """Show whose turn it is."""

    state: TurnState


Command = Recognize | Prepare | Discard | Commit | Pause | Resume | Cancel | Ignore | ShowState
