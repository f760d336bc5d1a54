"""Figures of the live conversation, one kind at a time: `python -m evals.live talk|skew|load|soak|hours`.

    talk     latency, interruption and frames in a real browser with a recorded voice, or with people's
             (--speech), and what became of every utterance
    skew     sound against picture in the browser, by marks
    load     visitors at once, and where the server's time goes
    soak     sessions opened and closed: memory, tasks, descriptors
    hours    simulated talk in given time: memory, drift

Each writes one JSON document; `visavis bench live` writes the first three as figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evals.figure import NotHere
from evals.live_runs import LOADS, LiveRuns
from evals.live_turns import counted, told
from speech.errors import AudioError

FIGURES_OF = {
    "talk": (
        "live_sound_ms_p50",
        "live_sound_ms_p95",
        "live_turn_end_ms_p50",
        "interrupt_ms_p50",
        "interrupt_ms_p95",
        "live_fps",
        "live_freezes",
        "live_concealed_ms",
        "live_first_frame_ms",
    ),
    "skew": ("av_skew_ms_p95", "av_drift_ms_per_h"),
    "load": ("live_sessions_24fps", "cpu_per_session"),
}
GROWTH = 0.05
"""Of memory, that a soak may leave behind."""


def figures(kind: str, live: LiveRuns) -> dict[str, Any]:
    """Make one kind's run and its figures."""
    from evals.live_figures import LIVE_FIGURES

    found: dict[str, Any] = {}
    for name in FIGURES_OF[kind]:
        try:
            found[name] = asdict(LIVE_FIGURES[name](live))
        except NotHere as reason:
            found[name] = {"skipped": str(reason)}
    if kind == "talk":
        talk = live.talk
        found["each"] = {
            "answers": [
                {"text": one.said.text, "sound_ms": round(one.sound_ms), **one.server_ms}
                for one in talk.answers
            ],
            "breaks": [{"text": one.said.text, "silence_ms": round(one.silence_ms)} for one in talk.breaks],
            "lost": talk.lost,
            "unanswered": talk.unanswered,
            "cut": talk.cut,
        }
        fates = told(live.trace, talk, live.recording.said, talk.shift_s)
        found["turn_taking"] = counted(fates)
        found["utterances"] = [one.document() for one in fates]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one kind; 1 where a soak left too much behind."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=(*FIGURES_OF, "soak", "hours"))
    parser.add_argument("--runs", type=int, default=5, help="length of talk and skew: 5 are 12 and 5 minutes")
    parser.add_argument("--at-once", type=int, nargs="+", default=list(LOADS), help="visitors, for load")
    parser.add_argument("--sessions", type=int, default=1000, help="for soak")
    parser.add_argument("--hours", type=float, default=2.0, help="of given time, for hours")
    parser.add_argument("--size", type=int, default=128, help="pixels of the picture, for hours")
    parser.add_argument(
        "--speech",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="for talk: recordings of people, files or folders; every second utterance breaks into a reply",
    )
    options = parser.parse_args(arguments)
    if options.speech and options.kind != "talk":
        parser.error("--speech goes with talk")
    good = True
    if options.kind == "soak":
        document, good = _soak(options.sessions)
    elif options.kind == "hours":
        document, good = _hours(options.hours, options.size)
    else:
        live = LiveRuns(options.runs, told=_told, loads=options.at_once, speech=options.speech)
        try:
            document = figures(options.kind, live)
        except AudioError as error:
            parser.error(str(error))
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return 0 if good else 1


def _soak(sessions: int) -> tuple[dict[str, Any], bool]:
    from evals.live_server import LiveServer
    from evals.live_soak import opened_and_closed

    with LiveServer() as server:
        found = asyncio.run(opened_and_closed(server, sessions, told=_told))
    good = found.growth <= GROWTH and not found.failed and found.clean
    return {**asdict(found), "growth": round(found.growth, 4)}, good


def _hours(hours: float, size: int) -> tuple[dict[str, Any], bool]:
    from agent.desk import Desk
    from agent.face import find_rig
    from avatar import load_renderer, load_rig
    from evals.live_hours import spoken_sentences, talked
    from evals.live_script import QUESTIONS

    rig = load_rig(find_rig(Desk.load().settings.avatar.rig))
    renderer = load_renderer(rig, size=size)
    sentences = spoken_sentences([*QUESTIONS])
    found = asyncio.run(talked(renderer, sentences, hours, told=_told))
    return {**asdict(found), "growth": round(found.growth, 4)}, found.growth <= GROWTH


def _told(what: str) -> None:
    sys.stderr.write(what + "\n")


if __name__ == "__main__":
    sys.exit(main())
