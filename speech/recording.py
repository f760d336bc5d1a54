"""A face for any sound: timelines for recordings and for voices that bring none."""

from __future__ import annotations

from numpy.typing import ArrayLike

from speech.audio import MAX_S, to_mono
from speech.errors import EngineUnavailable
from speech.spoken_text import language_of, normal_language
from speech.timeline import Phoneme, Speech


def speech_from_audio(
    pcm: ArrayLike, sample_rate: int, text: str | None = None, language: str | None = None
) -> Speech:
    """Make sound from anywhere into speech that a face can speak.

    Args:
        pcm: sound of any channels, see `speech.audio.to_mono`.
        sample_rate: Hz, of the sound and of what is returned.
        text: what is said, as written, if it is known.
        language: ISO 639-1; None tells Chinese from English by the text's script.

    Returns:
        Speech whose `engine` tells where its timeline comes from: "aligned" to the text; "estimated" from the
        sound where there is no text, one that does not fit or is in a language that espeak-ng does not know,
        or more than two minutes of sound; then there are no words.

    Raises:
        AudioError: the sound cannot be used.
        SpeechError: the text is too long.
    """
    mono = to_mono(pcm)
    spoken_in = normal_language(language) if language else language_of(text or "")
    if text and text.strip() and len(mono) <= MAX_S * sample_rate:
        from speech.alignment import align

        try:
            found = align(mono, sample_rate, text, spoken_in)
        except EngineUnavailable:
            found = None  # nobody here speaks that language
        if found and found.fits:
            return Speech(
                mono, sample_rate, found.phonemes, found.words, text, spoken_in, engine="recording/aligned"
            )
    from speech.estimation import estimate

    timeline = estimate(mono, sample_rate)
    return Speech(mono, sample_rate, timeline, (), text or "", spoken_in, engine="recording/estimated")


def timeline_of(
    pcm: ArrayLike, sample_rate: int, text: str | None = None, language: str | None = None
) -> list[Phoneme]:
    """Find the phonemes of any sound; see `speech_from_audio`."""
    return list(speech_from_audio(pcm, sample_rate, text, language).phonemes)
