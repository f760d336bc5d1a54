"""What was said in a conversation: the visitor's questions, and of the replies only what was heard."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.emotion_face import face_scores
from agent.emotion_voice import TURNS, VoiceFeatures
from agent.feeling import Feeling
from agent.particulars import Particulars, particulars_of
from agent.sentence import Outcome
from agent.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.events import Felt
    from agent.slots import Errand
    from agent.tools import Tool
    from moderation.verdict import Verdict

_NOBODY = Staff()
FACE_SHARE = 0.3
"""Of the newest look at a face in what is known of it."""
KEPT = 50
"""Exchanges that are remembered; a kiosk may run all day."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and what was heard of its reply."""

    question: str
    """As the guard let it through."""
    reply: str
    outcome: Outcome
    interrupted: bool
    language: str = ""
    """ISO 639-1 of the question; empty where it is not known."""
    by: str = ""
    """Name of the person who had the conversation; empty: the desk itself."""
    grave: bool = False
    """The visitor spoke of harming themselves."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a reply may know of the conversation before it; nothing changes it."""

    exchanges: tuple[Exchange, ...] = ()
    """Oldest first."""
    errand: Errand | None = None
    """What the visitor is having done, if anything."""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    """Names the conversation, so that what changes something is done at most once in it."""
    staff: Staff = Staff()
    """Who could take over."""
    told: Particulars = Particulars()
    """What the visitor told of themselves."""
    feeling: Feeling | None = None
    """What the visitor felt after the turn before; None: nothing is known."""
    voices: tuple[VoiceFeatures, ...] = ()
    """How the turns before were spoken, oldest first."""
    face: Mapping[str, float] | None = None
    """What the visitor's face tells since then, by `agent.emotion_face`; None: no camera."""

    @property
    def language(self) -> str:
        """The language that was spoken last; empty where none was."""
        if self.errand is not None:
            return self.errand.language
        return next((one.language for one in reversed(self.exchanges) if one.language), "")


class History:
    """The exchanges of one conversation, the oldest first, and what the visitor is having done.

    Args:
        key: names the conversation; a new one where it is left out.
    """

    def __init__(self, key: str = "") -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._errand: Errand | None = None
        self._key = key or secrets.token_urlsafe(12)
        self._told = Particulars()
        self._feeling: Feeling | None = None
        self._voices: deque[VoiceFeatures] = deque(maxlen=TURNS)
        self._face: dict[str, float] | None = None

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange; a reply of which nothing was heard is remembered as silence."""
        self._exchanges.append(exchange)
        if self._errand is not None and exchange.interrupted:
            self._errand = self._errand.as_heard(exchange.reply)

    def take(self, errand: Errand | None) -> None:
        """Remember what the visitor is having done from now on; None: nothing."""
        self._errand = errand

    def hear(self, text: str, verdict: Verdict, tools: Sequence[Tool]) -> None:
        """Remember what the visitor tells of themselves; nothing else is kept of words as they came."""
        self._told |= particulars_of(text, verdict, tools)

    def feel(self, felt: Felt) -> None:
        """Remember what the visitor feels, and how they spoke."""
        self._feeling, self._face = felt.feeling or self._feeling, None
        if felt.features is not None:
            self._voices.append(felt.features)

    def see(self, blendshapes: Mapping[str, float]) -> None:
        """Remember how the visitor's face moves, the latest most."""
        seen = face_scores(blendshapes)
        before = self._face or seen
        self._face = {label: before[label] + FACE_SHARE * (seen[label] - before[label]) for label in seen}

    def answered_by(self, person: str, reply: str, language: str) -> None:
        """Remember what a person said, as far as it was heard: to the last question, or unasked."""
        last = self._exchanges[-1] if self._exchanges else None
        if last is not None and last.by == person:
            said = f"{last.reply} {reply}".strip()
            self._exchanges[-1] = replace(last, reply=said, outcome=Outcome.ANSWERED, interrupted=False)
        else:
            self._exchanges.append(Exchange("", reply, Outcome.ANSWERED, False, language, person))

    @property
    def told(self) -> Particulars:
        """What the visitor told of themselves."""
        return self._told

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is remembered."""
        return tuple(self._exchanges)

    @property
    def errand(self) -> Errand | None:
        """What the visitor is having done, if anything."""
        return self._errand

    @property
    def dictating(self) -> bool:
        """Whether the visitor was asked for something that they may give in pieces."""
        return self._errand is not None and bool(self._errand.slot) and self._errand.put

    def memory(self, unfinished: Exchange | None = None, staff: Staff = _NOBODY) -> Memory:
        """Return what the next reply may know.

        Args:
            unfinished: the exchange that is going on, as far as it was heard.
            staff: who could take over.
        """
        errand = self._errand
        if errand is not None and unfinished is not None:
            errand = errand.as_heard(unfinished.reply)
        more = () if unfinished is None else (unfinished,)
        said, voices = (*self._exchanges, *more), tuple(self._voices)
        return Memory(said, errand, self._key, staff, self._told, self._feeling, voices, self._face)

    def clear(self) -> None:
        """Forget everything: another visitor comes."""
        self._exchanges.clear()
        self._errand = None
        self._feeling = self._face = None
        self._voices.clear()
        self._key = secrets.token_urlsafe(12)
        self._told = Particulars()
