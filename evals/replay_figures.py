"""Figures of replays for `visavis bench`: how many turns, and how much sound, a core replays in a second."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent.desk import Desk
from evals.figure import Figure
from evals.replay.desk import Change, DeskUnderTest
from evals.replay.record import ConversationRecord
from evals.replay.scripted_engines import scripted
from evals.scripts import Script, load_scripts
from evals.variant import Variant

EVAL = "eval"
"""Names these figures at once."""
RUNS = 3
"""Of all scripts; one before them is not counted."""
AUDIO_SCRIPTS = 6
"""That are replayed in sound: some minutes of conversation."""


def eval_turns_per_s() -> Figure:
    """Turns of the demo desk's scripts that a core replays in words in a second, by the embedded engines."""
    return _turns(None, "embedded engines")


def eval_turns_per_s_scripted() -> Figure:
    """The same with scripted answerer, guard, knowledge and feelings: what the loop and the harness cost."""
    return _turns(scripted, "scripted engines")


def eval_audio_realtime_factor() -> Figure:
    """Seconds of conversation that a core replays in sound in a second, without pictures."""
    return _sound(video=False)


def eval_video_realtime_factor() -> Figure:
    """The same with the face drawn and measured, and a clip kept."""
    return _sound(video=True)


EVAL_FIGURES: dict[str, Callable[[], Figure]] = {
    each.__name__: each
    for each in (
        eval_turns_per_s,
        eval_turns_per_s_scripted,
        eval_audio_realtime_factor,
        eval_video_realtime_factor,
    )
}


def _turns(change: Change | None, engines: str) -> Figure:
    from evals.replay.text import replay_text

    scripts = _scripts("text")
    with DeskUnderTest(Desk.load(), change=change) as desk:
        rates = list[float]()
        for run in range(RUNS + 1):
            records = [replay_text(desk, script) for script in scripts]
            if run:
                rates.append(_turns_of(records) / sum(one.cpu_s for one in records))
    turns = _turns_of(records)
    note = f"median of {RUNS} runs by processor time, {engines}; {min(rates):.0f} to {max(rates):.0f}"
    return Figure(round(statistics.median(rates), 1), "turns/s", turns, note)


def _sound(*, video: bool) -> Figure:
    from evals.replay.audio import replay_audio

    scripts = [one for one in _scripts("audio") if one.language == "en"]
    scripts = scripts[:: max(1, len(scripts) // AUDIO_SCRIPTS)][:AUDIO_SCRIPTS]
    with Variant().open("audio") as desk, tempfile.TemporaryDirectory() as folder:
        replay_audio(desk, scripts[0], video=video, folder=Path(folder))
        records = [replay_audio(desk, one, video=video, folder=Path(folder)) for one in scripts]
    lasted_s, cpu_s = sum(one.lasted_s for one in records), sum(one.cpu_s for one in records)
    note = f"{lasted_s:.0f} s of conversation, {len(records)} scripts, processor time with workers"
    return Figure(round(lasted_s / cpu_s, 2), "x", _turns_of(records), note)


def _scripts(mode: str) -> list[Script]:
    scripts, _ = load_scripts(Desk.load().scripts)
    return [one for one in scripts if one.runs_in(mode)]


def _turns_of(records: list[ConversationRecord]) -> int:
    return sum(len(one.turns) for one in records)
