"""Sentences in the desk's voice, and what it says of itself: greetings, apologies, what it asks to repeat."""

from __future__ import annotations

from collections.abc import Callable

from agent.conversation_events import Notice
from agent.engines import Engines
from agent.events import Spoken
from agent.frames import LEAD_S, PAUSE_S, whole_frames
from agent.sentence import Emotion, Outcome, Sentence
from agent.threads import in_voice
from speech.silence import unspoken
from speech.timeline import Speech


class Voicing:
    """Speaks a desk's own lines in threads.

    Args:
        engines: of the desk.
        on_notice: told where a voice fails; the line is then to be read.
    """

    def __init__(self, engines: Engines, on_notice: Callable[[Notice], None]) -> None:
        self._engines, self._on_notice = engines, on_notice
        self.language: str = engines.desk.settings.languages[0]
        """Of what the desk says of itself."""

    async def greeting(self) -> Spoken:
        """Speak the greeting, with a smile."""
        language = self.language
        text = self._engines.desk.phrases(language).greeting
        return await self.sentence(Sentence(text, language, Emotion("happy", 0.6), gesture="greet"))

    async def line(self, phrase: str, outcome: Outcome) -> Spoken:
        """Speak one of the desk's phrases, by its field's name, with regret."""
        language = self.language
        text = getattr(self._engines.desk.phrases(language), phrase)
        return await self.sentence(Sentence(text, language, Emotion("apologetic", 0.6), outcome))

    async def sentence(self, sentence: Sentence) -> Spoken:
        """Speak a sentence; where the voice fails it is shown, for as long as it takes to be read."""
        try:
            speech = await voiced(self._engines, sentence)
        except Exception as error:  # whatever it is, who waits for it must not wait for ever
            self._on_notice(Notice("voice_failed", str(error)))
            speech = whole_frames(unspoken(sentence.text, sentence.language), pause_s=PAUSE_S)
        return Spoken(sentence, speech, LEAD_S, 0.0)


async def voiced(engines: Engines, sentence: Sentence) -> Speech:
    """Speak a sentence as it is meant, in a thread, with the pause after it; whole video frames long."""
    speech = await in_voice(
        engines.synthesizer.speak,
        sentence.text,
        emotion=sentence.emotion.label,
        intensity=sentence.emotion.intensity,
        language=sentence.language,
        pace=sentence.pace,
    )
    return whole_frames(speech, pause_s=PAUSE_S)
