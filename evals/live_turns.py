"""What became of every utterance: its turns as the server made them, held against when it was really said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evals.live_browser import Trace
from evals.live_script import Said
from evals.live_trace import Talk

TOLD_S = 0.3
"""A turn's last voice lies so long after its utterance's beginning at least: nobody says less."""

Fate = Literal["answered", "cut", "talked_over", "joined", "unanswered", "lost", "not_at_microphone"]
"""answered: once, after its end. cut: made two turns of, or answered before its end. talked_over: the old
reply did not stop for it. joined: it became one turn with the next utterance. unanswered: a turn, but no
reply before the next utterance. lost: no turn. not_at_microphone: the browser stumbled over it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One utterance and what became of it; times that did not happen are None."""

    said: Said
    fate: Fate
    turns: int
    """That the server made of it."""
    heard: str
    """What the recognizer made of it."""
    sound_ms: float | None
    """From its last sound to the reply's first at the loudspeaker."""
    turn_end_ms: float | None
    """From its last voice until the server held the turn for over, by the server's own account."""
    silence_ms: float | None
    """From its first sound until the reply that it broke into fell silent."""

    def document(self) -> dict[str, object]:
        """As JSON tells it: milliseconds whole."""
        times = {"sound_ms": self.sound_ms, "turn_end_ms": self.turn_end_ms, "silence_ms": self.silence_ms}
        return {
            "said": self.said.text,
            "kind": self.said.kind,
            "length_s": round(self.said.end_s - self.said.start_s, 2),
            "fate": self.fate,
            "turns": self.turns,
            "heard": self.heard,
            **{name: None if ms is None else round(ms) for name, ms in times.items()},
        }


def told(trace: Trace, talk: Talk, said: Sequence[Said], shift_s: float) -> list[Told]:
    """Tell what became of each utterance.

    Args:
        trace: of the browser.
        talk: what came of it at the loudspeaker.
        said: the recording's utterances.
        shift_s: how much later the browser's clock is than the recording's.
    """
    turns = _turns(trace, said, shift_s)
    answers = {one.said: one for one in talk.answers}
    breaks = {one.said: one for one in talk.breaks}
    timings = {detail["turn"]: detail["timings_ms"] for _, _, detail in trace.of("turn")}
    words = {detail["turn"]: detail["text"] for _, _, detail in trace.of("heard") if detail["final"]}
    found = list[Told]()
    for number, one in enumerate(said):
        mine = turns[number]
        answer, broken = answers.get(one), breaks.get(one)
        ends = [timings[turn]["turn_end"] for turn in mine if "turn_end" in timings.get(turn, {})]
        over = broken is not None and broken.silence_ms > 1e3 * (one.end_s - one.start_s)
        following = turns[number + 1] if number + 1 < len(said) else []
        fate: Fate
        if one.text in talk.lost:
            fate = "not_at_microphone"
        elif over:
            fate = "talked_over"
        elif len(mine) > 1 or one.text in talk.cut:
            fate = "cut"
        elif answer is not None:
            fate = "answered"
        elif set(mine) & set(following):
            fate = "joined"
        else:
            fate = "unanswered" if mine else "lost"
        found.append(
            Told(
                one,
                fate,
                len(mine),
                " / ".join(words[turn] for turn in mine if turn in words),
                answer.sound_ms if answer else None,
                ends[-1] if ends else None,
                broken.silence_ms if broken else None,
            )
        )
    return found


def counted(those: Sequence[Told]) -> dict[str, int]:
    """How many had each fate."""
    return {"utterances": len(those), **Counter(one.fate for one in those)}


def _turns(trace: Trace, said: Sequence[Said], shift_s: float) -> list[list[int]]:
    """The turns that the server made of each utterance, by when their last voice was."""
    timings = {detail["turn"]: detail["timings_ms"] for _, _, detail in trace.of("turn")}
    ended = [(s, d["turn"], "turn_end") for _, s, d in trace.of("heard") if d["final"]]
    committed = {turn for _, turn, _ in ended}
    # words that nothing was made of are answered by a turn without them
    ended += [(s, d["turn"], "first_sound") for _, s, d in trace.of("sentence") if d["turn"] not in committed]
    found: list[list[int]] = [[] for _ in said]
    for s, turn, since in sorted(ended):
        voiced_s = s - timings.get(turn, {}).get(since, 0.0) / 1e3 - shift_s
        before = [number for number, one in enumerate(said) if one.start_s + TOLD_S <= voiced_s]
        if before and turn not in found[before[-1]]:
            found[before[-1]].append(turn)
    return found
