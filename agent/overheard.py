"""What a visitor's words mean for the turn: a question, or nothing that is to be answered."""

from __future__ import annotations

from dataclasses import dataclass

from agent.backchannel import is_backchannel, is_hum, is_hush, is_stop, is_wait
from agent.finished import sounds_finished
from agent.heard_words import heard_words, is_chinese
from agent.sounding import HANGING
from agent.turn_commands import IgnoreReason
from agent.turn_settings import TurnSettings


@dataclass(frozen=True, slots=True)
class Overheard:
    """Words, and when they were said."""

    text: str
    language: str
    confidence: float
    """0..1"""
    ending: float
    """How surely the last words were heard, 0..1."""
    began_s: float
    """First voice."""
    voiced_s: float
    """Length of the voice."""
    over_reply: bool
    """A reply is being made or heard while the words become known."""
    reply_ends_s: float | None
    """End of the reply over which they began, as far as known; None, too, where they began over none."""
    lately_over_s: float
    """End of the last reply that ended."""


def reason_to_ignore(said: Overheard, settings: TurnSettings) -> IgnoreReason | None:
    """Why words are not to be answered; None when they are."""
    if not any(character.isalnum() for character in said.text):
        return IgnoreReason.NO_WORDS
    late = said.began_s < said.lately_over_s + settings.lately_s
    # What began over a reply is judged by that reply, even where the words are known only after it.
    ends_s = said.reply_ends_s
    at_end = ends_s is not None and said.began_s > ends_s - settings.boundary_s
    if is_wait(said.text, said.language) or ((said.over_reply or late) and is_hush(said.text, said.language)):
        return IgnoreReason.STOP
    if said.over_reply and not at_end and is_stop(said.text, said.language):
        return IgnoreReason.STOP
    if said.over_reply or ends_s is not None:
        says_go_on = (is_hum if at_end else is_backchannel)(said.text, said.language)
        if says_go_on and (said.over_reply or not at_end):
            return IgnoreReason.BACKCHANNEL
    unsure = said.confidence < settings.least_confidence or (said.over_reply and _misheard(said, settings))
    return IgnoreReason.NO_WORDS if said.voiced_s <= settings.brief_s and unsure else None


def _misheard(said: Overheard, settings: TurnSettings) -> bool:
    """Whether a recogniser made these words of a cough or an "uh-huh": "the", "does the", a lone "fee"."""
    words = len(heard_words(said.text))
    most = 1 if is_chinese(said.text, said.language) else 2  # characters are words there
    hangs = words <= most and sounds_finished(said.text, said.language) <= HANGING.score
    return hangs or (words == 1 and said.ending < settings.least_ending)
