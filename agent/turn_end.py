"""The end of a visitor's turn: when it is due, when to begin an answer, and patience with who was cut off."""

from __future__ import annotations

from collections.abc import Callable

from agent.turn_records import Utterance, Words
from agent.turn_settings import TurnSettings

JUST_VOICED_S = 0.1
"""Three windows of voice activity: with voice so recently, a word may be beginning."""


class TurnEnd:
    """Tells when an utterance is over; without a clock.

    Args:
        settings: how long it waits.
        finished: how finished a text in a language sounds, 0..1.
    """

    def __init__(self, settings: TurnSettings, finished: Callable[[str, str], float]) -> None:
        self._settings, self._finished = settings, finished
        self.dictation = False
        """A number or an address is being dictated."""
        self.silence_s: float | None = None
        """Since the last voice, sure or not; None: not known."""
        self._patience_s = 0.0
        self._committed_s = float("-inf")

    def expect(self, now_s: float, utterance: Utterance, words: Words) -> None:
        """Say by an utterance's words when it ends, and when an answer is begun."""
        settings = self._settings
        score = self._finished(words.text, words.language)
        wait_s = settings.wait_s(score, words.ending, words.voice)
        if utterance.voiced_s <= settings.scant_s and words.ending <= settings.unsure_ending:
            wait_s = max(wait_s, settings.unsure_end_s)
        delay_s = min(wait_s + self._patience_s, settings.slow_end_s)
        if self.dictation:
            delay_s = max(delay_s, settings.dictation_end_s)
        utterance.end_s = now_s if utterance.capped else utterance.last_s + delay_s
        if utterance.prepared is None and utterance.preparations < settings.most_prepared:
            likely = score >= settings.likely_score
            utterance.prepare_at_s = now_s if likely else utterance.end_s - settings.prepare_s

    def due(self, now_s: float, utterance: Utterance) -> bool:
        """Tell whether an utterance has ended; not in the middle of what may begin a word."""
        end_s = utterance.end_s
        if end_s is None or now_s < end_s:
            return False
        beginning = self.silence_s is not None and self.silence_s < JUST_VOICED_S
        return not beginning or utterance.capped or now_s >= end_s + self._settings.hold_s

    def learn(self, utterance: Utterance, *, joined: bool) -> None:
        """Learn from an utterance that has ended: who goes on with a turn at once was cut off."""
        settings = self._settings
        if joined and utterance.began_s - self._committed_s < settings.cut_off_s:
            self._patience_s = min(self._patience_s + settings.patience_step_s, settings.patience_most_s)
        elif not joined:
            self._patience_s *= settings.patience_fade

    def committed(self, now_s: float) -> None:
        """A turn was taken for ended."""
        self._committed_s = now_s
