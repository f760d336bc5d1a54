"""How well a desk answers a labelled set of questions: `python -m evals.answers FILE [DESK] [--json]`.

A line of the set is `{"id", "language", "question", "kind", "expect_sources", "expect_any"}`; kinds:

* "in": the knowledge answers it. Right: an answer that cites one of `expect_sources`, and says one of
  `expect_any` where they are given. A question back is counted apart.
* "out" and "near": it does not. Right: an abstention or a hand-over; a question back is counted apart.
* "tool": a tool answers it. "handoff", "smalltalk": a person is asked for; no knowledge is needed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.desk import Desk
from agent.engines import Engines
from agent.events import Ended, Heard, Written
from agent.reply import reply
from agent.sentence import Outcome
from speech.recognizer import Transcript
from speech.scripted_voice import ScriptedSynthesizer


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question with what is expected of its answer."""

    id: str
    language: str
    question: str
    kind: str
    expect_sources: tuple[str, ...] = ()
    expect_any: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a desk did with a question."""

    labelled: Labelled
    outcome: str
    reply: str
    sources: tuple[str, ...]
    verdict: str
    """"right", "asked back" or "wrong"."""


def read_set(path: Path) -> list[Labelled]:
    """Read a set; keys that this measure does not know are passed over."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Labelled(
            row["id"],
            row["language"],
            row["question"],
            row["kind"],
            tuple(row.get("expect_sources", ())),
            tuple(row.get("expect_any", ())),
        )
        for row in rows
    ]


async def answer_all(desk: Desk, labelled: list[Labelled]) -> list[Judged]:
    """Ask everything, in text, with a voice that costs nothing."""
    engines = Engines.open(desk, hearing=False)
    engines.synthesizer.close()
    engines.synthesizer = ScriptedSynthesizer()
    try:
        return [await _answer(engines, one) for one in labelled]
    finally:
        engines.close()


def summary(judged: list[Judged]) -> dict[str, Any]:
    """Count verdicts by kind and language."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"right": 0, "asked back": 0, "wrong": 0})
    for one in judged:
        counts[f"{one.labelled.kind}-{one.labelled.language}"][one.verdict] += 1
    return {name: {**count, "n": sum(count.values())} for name, count in sorted(counts.items())}


async def _answer(engines: Engines, labelled: Labelled) -> Judged:
    heard = Heard(Transcript(labelled.question, labelled.language, 1.0, "typed"))
    written: list[Written] = []
    outcome = Outcome.ABSTAINED
    async for event in reply(heard, engines):
        if isinstance(event, Written):
            written.append(event)
        elif isinstance(event, Ended):
            outcome = event.outcome
    text = " ".join(event.sentence.text for event in written)
    sources = tuple(
        dict.fromkeys(c.source.partition("#")[0] for event in written for c in event.sentence.citations)
    )
    return Judged(labelled, outcome.value, text, sources, _judge(labelled, outcome, text, sources))


def _judge(labelled: Labelled, outcome: Outcome, text: str, sources: tuple[str, ...]) -> str:
    if outcome is Outcome.CLARIFIED and labelled.kind != "smalltalk":
        return "asked back"
    said = _squeezed(text)
    says = not labelled.expect_any or any(_squeezed(part) in said for part in labelled.expect_any)
    match labelled.kind:
        case "in":
            cited = not labelled.expect_sources or bool(set(sources) & set(labelled.expect_sources))
            right = outcome is Outcome.ANSWERED and cited and says
        case "out" | "near":
            right = outcome in (Outcome.ABSTAINED, Outcome.HANDOFF, Outcome.REFUSED)
        case "tool":
            right = outcome is Outcome.ANSWERED and says and any(s.startswith("tool:") for s in sources)
        case "handoff":
            right = outcome is Outcome.HANDOFF
        case _:
            right = outcome is not Outcome.ABSTAINED and says
    return "right" if right else "wrong"


def _squeezed(text: str) -> str:
    return "".join(text.lower().split())


def main() -> None:
    """Measure from the shell."""
    arguments = [a for a in sys.argv[1:] if a != "--json"]
    judged = asyncio.run(answer_all(Desk.load(*arguments[1:2]), read_set(Path(arguments[0]))))
    if "--json" in sys.argv:
        rows = [asdict(one) for one in judged]
        sys.stdout.write(json.dumps({"summary": summary(judged), "answers": rows}, ensure_ascii=False) + "\n")
        return
    for one in judged:
        if one.verdict != "right":
            lines = (one.verdict, one.labelled.id, one.labelled.question, one.outcome, *one.sources)
            sys.stdout.write(" | ".join(lines) + f"\n    {one.reply[:160]}\n")
    for name, count in summary(judged).items():
        sys.stdout.write(f"{name:14}" + "  ".join(f"{k} {v}" for k, v in count.items()) + "\n")


if __name__ == "__main__":
    main()
