"""Speeches made by hand for the tests of the face."""

import numpy as np

from speech.timeline import Phoneme, Speech

VOWELS = frozenset({"aɪ", "eɪ", "oʊ", "iː", "uː", "æ", "ʌ", "ɛ", "ɑː"})


def spoken(text: str, vowel_s: float = 0.11, consonant_s: float = 0.07, pause_s: float = 0.25) -> Speech:
    """A speech from IPA symbols separated by blanks; _ is a pause, ' before a vowel is primary stress."""
    phonemes = [Phoneme("", 0.0, 0.2)]
    for word in text.split():
        symbol = word.lstrip("'")
        length = pause_s if symbol == "_" else vowel_s if symbol in VOWELS else consonant_s
        start = phonemes[-1].end_s
        stress = 2 if word.startswith("'") else 0
        phonemes.append(Phoneme("" if symbol == "_" else symbol, start, start + length, stress))
    phonemes.append(Phoneme("", phonemes[-1].end_s, phonemes[-1].end_s + 0.3))
    rate = 16000
    count = round(phonemes[-1].end_s * rate)
    pcm = np.zeros(count, np.float32)
    noise = np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)
    for phoneme in phonemes:
        if phoneme.symbol:
            part = slice(round(phoneme.start_s * rate), round(phoneme.end_s * rate))
            pcm[part] = noise[part]
    return Speech(pcm, rate, tuple(phonemes))


SENTENCE = spoken("m aɪ b 'eɪ b i b ɹ 'ʌ ð ɚ z m 'æ p _ p l 'iː z m 'uː v b 'oʊ θ l 'æ m p s t ə ð ə b 'æ k")
