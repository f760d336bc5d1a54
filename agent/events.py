"""What happens in one turn, in the order in which it happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.cards import Card
from agent.emotion_voice import VoiceFeatures
from agent.feeling import Feeling
from agent.sentence import Emotion, Outcome, Sentence
from agent.slots import Errand
from knowledge.passage import Passage
from moderation.verdict import Verdict
from speech.recognizer import Transcript
from speech.timeline import Pcm, Speech


@dataclass(frozen=True, slots=True)
class Heard:
    """The visitor's words are known; from audio, or typed."""

    transcript: Transcript
    speech_s: float = 0.0
    """Seconds of speech found in the sound."""
    vad_ms: float | None = None
    """Time spent on telling speech from silence; None for typed words."""
    recognition_ms: float | None = None
    """From the end of the question to its words; None for typed words."""
    voice: VoiceFeatures | None = None
    """How it was spoken; None for typed words, and where too little was heard."""


@dataclass(frozen=True, slots=True)
class Screened:
    """The guard has looked at the visitor's words, or at a sentence before it is spoken."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Felt:
    """What the visitor feels, as far as it can be told; comes after the verdict on their words."""

    emotion: Emotion
    """All that is known together."""
    words: Emotion
    """By the words alone."""
    voice: Emotion | None = None
    """By the voice alone; None where nothing was heard."""
    feeling: Feeling | None = None
    """What is known from now on, with its confidence; for the memory."""
    features: VoiceFeatures | None = None
    """Of the voice, as in `Heard`."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The knowledge was searched."""

    passages: tuple[Passage, ...]
    answerable: float
    retrieval_ms: float


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence was written; once it has passed `agent.gate`, it may be shown."""

    sentence: Sentence
    at_ms: float
    """Since the end of the question."""
    own: bool = False
    """It is a fixed line of the desk's own, which the guard need not judge."""
    given: tuple[str, ...] = ()
    """What the visitor said and may be said back to them, as it stands in the sentence: not judged."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence's sound is ready; its length is a whole number of video frames."""

    sentence: Sentence
    speech: Speech
    start_s: float
    """On the reply's timeline."""
    at_ms: float
    """Since the end of the question."""
    waited_ms: float = 0.0
    """How long the sound was ready and waited for the guard's verdict."""

    @property
    def end_s(self) -> float:
        """End of its last sound, without the pause that follows."""
        return self.start_s + spoken_until(self.speech)


@dataclass(frozen=True, slots=True)
class Noted:
    """Something went another way than planned, for the operator's eyes; holds no visitor's words."""

    message: str
    code: str = "replaced"
    """By which it is told; see `agent.conversation_events.Notice`."""


@dataclass(frozen=True, slots=True)
class ErrandMoved:
    """What the visitor is having done has come a step further; it counts from now on, for the next turn."""

    errand: Errand | None
    """None: nothing any more."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Something is to be shown beside what is said."""

    card: Card


@dataclass(frozen=True, slots=True)
class Ended:
    """The reply is complete."""

    outcome: Outcome
    at_ms: float


@dataclass(frozen=True, slots=True)
class PassedOn:
    """The visitor is to be passed on to a person, or would have been."""

    reason: str
    """A value of `agent.handoff.Reason`."""
    consent: bool
    """What the visitor told of themselves may go along."""
    there: bool = True
    """False: nobody is there; it is only known that somebody was wanted."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The visitor wants no person any more."""


@dataclass(frozen=True, slots=True)
class ToPerson:
    """The visitor's words are for the person who has the conversation."""

    text: str
    """As that person reads them."""
    flagged: str = ""
    """The guard's rule, where the words would not have been answered; empty for others."""


Event = (
    Heard
    | Screened
    | Felt
    | Retrieved
    | Written
    | Spoken
    | Noted
    | ErrandMoved
    | Shown
    | Ended
    | PassedOn
    | Withdrawn
    | ToPerson
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One video frame and the sound that belongs to it."""

    index: int
    """Shows the face at (index + 0.5) / fps."""
    frame: NDArray[np.uint8]
    """RGB[H, W, 3]"""
    pcm: Pcm
    """Empty in silence."""
    sample_rate: int
    """Hz; 0 in silence."""
    spoken: Spoken | None
    """The sentence being said; None in silence."""


def spoken_until(speech: Speech) -> float:
    """Return the time in seconds at which the last phoneme ends that is not a pause.

    What no voice says is there to be read: all of it counts.
    """
    for phoneme in reversed(speech.phonemes):
        if phoneme.symbol:
            return phoneme.end_s
    return speech.duration_s
