"""A conversation that a person has: the visitor's words go to them, and theirs are spoken by the avatar."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence

from agent.engines import Engines
from agent.events import Ended, Event, Heard, Screened, Spoken, ToPerson
from agent.particulars import for_a_person
from agent.sentence import Emotion, Outcome, Sentence
from agent.splitter import split_sentences
from agent.voicing import Voicing
from moderation.verdict import Verdict
from speech.recognizer import LOW_CONFIDENCE

UNCLEAR = "unclear"
"""Flag of words of which the recogniser was not sure."""


async def attended(heard: Heard, engines: Engines) -> AsyncGenerator[Event, None]:
    """Take the visitor's words for a person: the desk itself says nothing to them.

    Yields `Screened`, `ToPerson` and `Ended`.
    """
    began, transcript = time.perf_counter(), heard.transcript
    text = transcript.text.strip()
    language = engines.desk.language_of(text)
    verdict = await asyncio.to_thread(engines.guard.screen, text, direction="input", language=language)
    yield Screened(verdict)
    unclear = transcript.confidence < LOW_CONFIDENCE
    flag = UNCLEAR if unclear else "" if verdict.passes else verdict.rule
    yield ToPerson(for_a_person(text, verdict), flag)
    yield Ended(Outcome.HANDOFF, (time.perf_counter() - began) * 1e3)


async def voiced(
    text: str, person: str, language: str, engines: Engines, voicing: Voicing
) -> tuple[Verdict, list[Spoken]]:
    """Screen what a person wrote, as if the desk were to say it, and speak it.

    Args:
        text: what they wrote.
        person: their name; empty for a line of the desk's own, which needs no screening.
        language: ISO 639-1, where the text does not tell.
        engines: of the desk.
        voicing: speaks.

    Returns:
        What the guard thinks, and the sentences with their sound; none where it does not let them through.
    """
    language = engines.desk.language_of(text) if person else language
    verdict = await asyncio.to_thread(engines.guard.screen, text, direction="output", language=language)
    if person and not verdict.passes:
        return verdict, []
    said = verdict.text if person else text
    feeling = Emotion("neutral" if person else "empathetic", 0.5)
    spoken = []
    for one in split_sentences(said):
        sound = await voicing.sentence(Sentence(one, language, feeling, person=person))
        if sound is not None:
            spoken.append(sound)
    return verdict, spoken


def of_person(heard: str, spoken: Sequence[Spoken]) -> str:
    """Return what a person said of a turn that sounded, without the desk's own lines in it."""
    for one in spoken:
        if not one.sentence.person and heard.startswith(one.sentence.text):
            heard = heard[len(one.sentence.text) :].strip()
    return heard
