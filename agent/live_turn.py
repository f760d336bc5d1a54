"""The turn of a live conversation that is being answered: what was asked, said and measured of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.conversation_events import TurnEnded
from agent.events import Spoken
from agent.sentence import Outcome
from agent.slots import Errand


@dataclass(slots=True)
class LiveTurn:
    """One question and its reply, or something said unasked."""

    number: int
    asked: str
    """The visitor's words as they came; empty where the desk speaks unasked."""
    began_s: float
    """When the question ended: its last voiced sample, or when it was typed."""
    question: str = ""
    """As the guard let it through."""
    outcome: Outcome = Outcome.ANSWERED
    spoken: list[Spoken] = field(default_factory=list)
    """Its sentences so far, sounding or waiting to."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    errand: Errand | None = None
    """What the visitor was having done before it."""
    person: str = ""
    """Name of the person whom the words were for; empty: the desk."""
    grave: bool = False
    """The visitor spoke of harming themselves."""
    over: bool = False
    """Nothing more may be said of it."""

    @property
    def sounded(self) -> bool:
        """Whether its first sound has left."""
        return "first_sound" in self.timings_ms

    @property
    def language(self) -> str:
        """Language of its reply; empty while nothing is said."""
        return self.spoken[-1].sentence.language if self.spoken else ""

    @property
    def length_s(self) -> float:
        """Seconds that its sentences last."""
        return sum(spoken.speech.duration_s for spoken in self.spoken)

    def mark(self, name: str, now_s: float) -> None:
        """Write down when something happened for the first time."""
        self.timings_ms.setdefault(name, round(max(now_s - self.began_s, 0.0) * 1e3, 1))

    def ended(self, heard: str, *, interrupted: bool) -> TurnEnded:
        """Tell what became of it.

        Args:
            heard: as much of the reply as sounded.
            interrupted: somebody ended it.
        """
        spoken = [sentence.sentence for sentence in self.spoken]
        citations = tuple(dict.fromkeys(citation for sentence in spoken for citation in sentence.citations))
        return TurnEnded(
            self.number, self.question, heard, self.outcome, interrupted, citations, self.timings_ms
        )
