"""The turns of a recorded session: what was said in each, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.live.records import EventRecord

LETTERS_PER_S = {"en": 14.0, "zh": 4.5}
"""How fast people speak, in letters: only the end of what they said is kept."""
TOOL = "tool:"


@dataclass(slots=True)
class Happened:
    """One turn of the session."""

    number: int
    said: str = ""
    settled: str = ""
    """The reply; of one that was broken into its first sentence: how far it got is chance."""
    at: float = 0.0
    sentences: list[EventRecord] = field(default_factory=list)
    verdicts: list[Mapping[str, Any]] = field(default_factory=list)
    called: list[Mapping[str, Any]] = field(default_factory=list)
    """Business actions, by name and arguments; older sessions know only on which of them replies rest."""
    handoff: Mapping[str, Any] | None = None
    end: EventRecord | None = None

    @property
    def by_person(self) -> bool:
        """One of the company's people answered."""
        return any(one.data.get("person") for one in self.sentences)

    @property
    def interrupted(self) -> bool:
        """The visitor broke into the reply."""
        return bool(self.sentences and self.end is not None and self.end.data.get("interrupted"))

    @property
    def lasted_s(self) -> float:
        """About how long the words took, if they were spoken; only their end was written down."""
        timings = self.end.data.get("timings_ms", {}) if self.end is not None else {}
        spoken = timings.get("turn_end", 0.0) > 0  # who types has ended at once
        return len(self.said) / LETTERS_PER_S["en" if self.said.isascii() else "zh"] if spoken else 0.0

    @property
    def citations(self) -> list[str]:
        """Sources, the first cited first."""
        data = [one.data for one in (*self.sentences, *([self.end] if self.end is not None else []))]
        return list(dict.fromkeys(str(one["source"]) for each in data for one in each.get("citations", ())))

    @property
    def documents(self) -> list[str]:
        """Documents that are cited; their sections are named anew when a heading changes."""
        sources = (one.partition("#")[0] for one in self.citations if not one.startswith(TOOL))
        return list(dict.fromkeys(sources))


def turns_of(events: Iterable[EventRecord]) -> tuple[list[Happened], bool]:
    """Return the turns in which the visitor said something, until a person took over; whether one did."""
    found = dict[int, Happened]()
    for event in events:
        if event.turn is None:
            continue
        turn = found.setdefault(event.turn, Happened(event.turn))
        match event.kind:
            case "heard":
                turn.said, turn.at = str(event.data.get("text", "")), turn.at or event.at
            case "sentence":
                turn.sentences.append(event)
            case "verdict":
                turn.verdicts.append(event.data)
            case "tool":
                turn.called.append(event.data)
            case "handoff" if event.data.get("reason") != "withdrawn":
                turn.handoff = event.data
            case "turn":
                turn.end = event
                turn.said = turn.said or str(event.data.get("question", ""))
    turns = [found[number] for number in sorted(found) if found[number].at]
    for number, turn in enumerate(turns):
        if turn.by_person:
            return turns[:number], True
    return turns, False


def tools_of(turns: Iterable[Happened]) -> list[str]:
    """Return the business actions that replies rest on."""
    sources = [source for one in turns for source in one.citations if source.startswith(TOOL)]
    return list(dict.fromkeys(source.removeprefix(TOOL) for source in sources))
