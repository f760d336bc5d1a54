"""The turn-taking bench: false cut-offs against added delay, barge-in, and what must not stop a reply.

    python -m evals.turns RECORDINGS... --noise NOISES --out FOLDER

The desk's ears, recogniser and turn taking hear recordings with real pauses and voices with made ones; then
words, backchannels and noises fall into replies of its conversation. All of it in given time, so the same
seed gives the same figures. Recordings need transcripts beside them (`transcripts.tsv`, .txt, LJ Speech's,
LibriSpeech's) only to be tried with words without mistakes, too; those without are taken for English, or for
the language that --language names. Recordings may be left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.desk import Desk
from agent.engines import Engines
from agent.errors import AgentError
from agent.turn_settings import TurnSettings
from evals.live_speech import found
from evals.replay.desk import DeskUnderTest
from evals.replay.visitor_voice import close_voices as close_visitors
from evals.scripts import ScriptError
from evals.turns.ends import AREA_S, FACTORS, FIXED_S
from evals.turns.figures import FEWEST, EndFigures, end_figures, overlap_rows
from evals.turns.hearing import HeardTurn, heard_turn
from evals.turns.overlap import Fate, KnowingRecognizer, fate_of, prepared
from evals.turns.page import write_page
from evals.turns.sounds import Overlap, overlaps
from evals.turns.speech import LEAST_PAUSE_S, SpokenTurn, close_voices, made_turns, recorded_turns
from knowledge.errors import KnowledgeError
from moderation.errors import ModerationError
from speech.errors import SpeechError

LANGUAGES = ("en", "zh")
SPEAKERS = 2
"""Who say each made turn."""
QUICK = 5
"""With --quick, one of so many turns is tried."""
SCRIPT = "script"

Told = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


class Bench:
    """Measures one desk.

    Args:
        engines: of the desk, with a recogniser.
        settings: of its turn taking.
        told: told how far it is.
    """

    def __init__(
        self, engines: Engines, settings: TurnSettings | None = None, told: Told = lambda *_: None
    ) -> None:
        self._engines, self._settings, self._told = engines, settings or TurnSettings(), told
        self._asked: list[str] = []
        self.ends: list[EndFigures] = []
        self.fates: dict[tuple[str, str], list[Fate]] = {}

    def hear(self, language: str, turns: Sequence[SpokenTurn]) -> None:
        """Measure where turns of a language would have ended.

        Raises:
            SpeechError: the recogniser failed.
        """
        self._asked.append(language)
        recognizer = self._engines.recognizer if self._hears(language) else None
        above_db = self._engines.desk.settings.hearing.above_background_db
        heard = list[HeardTurn]()
        for number, turn in enumerate(turns):
            self._told(f"{language}: turns", number, len(turns))
            heard.append(asyncio.run(heard_turn(turn, recognizer, self._engines.turn_end, above_db)))
        known = [one.by_script() for one in heard if one.turn.words]
        done, points = 0, (len(FIXED_S) + len(FACTORS)) * (bool(known) + (recognizer is not None))

        def told() -> None:
            nonlocal done
            done += 1
            self._told(f"{language}: curves", done, points)

        if recognizer is not None and heard:
            self.ends.append(end_figures(language, recognizer.engine, heard, self._settings, told=told))
        if known:
            self.ends.append(end_figures(language, SCRIPT, known, self._settings, told=told))

    def overlap(self, language: str, those: Sequence[Overlap]) -> None:
        """Measure what becomes of replies into which something sounds.

        Raises:
            AgentError: a reply did not begin.
        """
        engines = prepared(self._engines, language)
        own = self._engines.recognizer if self._hears(language) else None
        for number, one in enumerate(those):
            self._told(f"{language}: into replies", number, len(those))
            if own is not None:
                fates = self.fates.setdefault((language, own.engine), [])
                fates.append(fate_of(engines, one, own))
            fates = self.fates.setdefault((language, SCRIPT), [])
            fates.append(fate_of(engines, one, KnowingRecognizer(one)))

    def document(self, **made: Any) -> dict[str, Any]:
        """Return everything that was measured, as JSON tells it, with what it was made with."""
        rows = [
            row
            for (language, hearing), those in self.fates.items()
            for row in overlap_rows(language, hearing, those)
        ]
        settings = self._settings
        return {
            "made": made
            | {
                "engines": self._engines.names(),
                "unheard": [one for one in self._asked if not self._hears(one)],
                "turn_end": "words and voice" if self._engines.turn_end else "words alone",
                "fewest": FEWEST,
                "least_pause_s": LEAST_PAUSE_S,
                "area_s": AREA_S,
                "waits_s": [settings.quick_end_s, settings.unsure_end_s, settings.slow_end_s],
            },
            "ends": [one.document() for one in self.ends],
            "overlaps": rows,
        }

    def _hears(self, language: str) -> bool:
        recognizer = self._engines.recognizer
        return recognizer is not None and language in recognizer.languages


def turns_of(
    language: str, recordings: Sequence[Path], seed: int, *, only: str | None = None, quick: bool = False
) -> list[SpokenTurn]:
    """Return recorded and made turns of a language.

    Args:
        language: "en" or "zh".
        recordings: files and folders.
        seed: of voices and pauses.
        only: the language of recordings of which nothing tells it; None: English.
        quick: a few of the made ones only.

    Raises:
        AudioError: a recording cannot be read.
        SpeechError: no voice is installed.
    """
    recorded = list(recorded_turns(recordings, only or "en")) if recordings else []
    made = list(made_turns(language, seed, 1 if quick else SPEAKERS))
    close_voices()
    return [one for one in recorded if one.language == language] + made[:: QUICK if quick else 1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the shell."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.turns",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recordings", nargs="*", type=Path, metavar="PATH", help="recorded speech")
    parser.add_argument("--noise", nargs="+", action="extend", default=[], type=Path, metavar="PATH")
    parser.add_argument("--desk", default=None, help="folder of a desk; the demo desk if left out")
    parser.add_argument("--language", choices=LANGUAGES, help="only this one")
    parser.add_argument("--limit", type=int, metavar="N", help="try N turns and N sounds of each language")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a few of each kind")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the page, plots and JSON there")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.limit is not None and chosen.limit < 1:
        parser.error("--limit takes a whole number from 1 on")
    try:
        for paths in (chosen.recordings, chosen.noise):
            found(paths)  # before what takes minutes
        if chosen.out is not None:
            chosen.out.mkdir(parents=True, exist_ok=True)
        bench, document = _measured(chosen)
        if chosen.out is not None:
            text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
            (chosen.out / "turn_taking.json").write_text(text, encoding="utf-8")
            write_page(chosen.out, document, bench.ends, bench.fates)
    except (AgentError, KnowledgeError, ModerationError, ScriptError, SpeechError, OSError) as error:
        parser.error(str(error))
    if chosen.json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        from evals.turns.terminal import show

        show(document)


def _measured(chosen: argparse.Namespace) -> tuple[Bench, dict[str, Any]]:
    from rich.console import Console
    from rich.progress import Progress

    languages = (chosen.language,) if chosen.language else LANGUAGES
    desk = Desk.load(chosen.desk) if chosen.desk else Desk.load()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("opening the desk", total=None)

        def told(what: str, done: int, of: int) -> None:
            progress.update(task, description=what, completed=done, total=of)

        with DeskUnderTest(desk, mode="audio") as under:
            bench = Bench(under.engines, told=told)
            try:
                for language in languages:
                    told(f"{language}: making what is said", 0, 1)
                    turns = turns_of(
                        language, chosen.recordings, chosen.seed, only=chosen.language, quick=chosen.quick
                    )
                    bench.hear(language, turns[: chosen.limit])
                    sounds = overlaps(language, chosen.seed, chosen.noise, quick=chosen.quick)
                    bench.overlap(language, sounds[: chosen.limit])
            finally:
                close_visitors()
            command = f"python -m evals.turns --seed {chosen.seed}"
            return bench, bench.document(seed=chosen.seed, desk=desk.settings.name, command=command)


if __name__ == "__main__":
    main()
