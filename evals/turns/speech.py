"""What visitors say in the turn-taking bench, each pause known: recorded, or made with pauses inside."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from evals.live_speech import FILE_S, found, parted, voiced_steps
from evals.replay.visitor_voice import SPEAKERS
from evals.turns.transcripts import transcripts_of
from speech.audio import load_audio, to_mono_16k
from speech.errors import SpeechError
from speech.espeak import VOICE_EN, VOICE_ZH, EspeakSynthesizer
from speech.recognizer import RECOGNITION_RATE_HZ as RATE_HZ
from speech.spoken_text import language_of
from speech.timeline import Pcm, Word

STEP = RATE_HZ // 100
LEAST_PAUSE_S = 0.2
"""A shorter one is how words are made: nobody can end a turn in it."""
LEAST_VOICE_S = 0.05
"""A shorter sound between two pauses is a click or a breath, and no end of a pause."""
TURN_PAUSE_S = 2.5
"""In a recording, who is silent for longer has ended the turn; as long as the slowest end of a turn."""
LONGEST_S = 25.0
"""Of a turn; longer ones are cut at their longest pause: at 30 s turn taking ends them anyway."""
SHORTEST_S = 0.6
BEFORE_S, AFTER_S = 0.6, 5.6
"""Quiet around what is said: the detector settles, and twice the slowest end comes."""
QUIET = 5e-4
"""RMS of a quiet microphone, -66 dBFS: digital silence would be no microphone's."""
PAUSE_MEDIAN_S, PAUSE_SPREAD = 0.6, 0.7
"""Made pauses are spread like people's when they think: lognormal, one in ten longer than 1.5 s."""
PAUSE_MOST_S = 2.2
FADE = STEP // 2
"""Samples in which a voice goes out and comes in where it is parted."""
KINDS = ("hesitation", "list", "number", "dictated", "spelling", "address", "plain")
"""Made turns. dictated: what was asked for is a number, and the desk knows that."""
PHRASES = Path(__file__).parent / "said.toml"


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn of a visitor, and where it pauses."""

    name: str
    language: str
    kind: str
    """ "recorded", or one of `KINDS`."""
    pcm: Pcm
    """float32[n] at 16 kHz, with quiet before and after it."""
    pauses: tuple[tuple[float, float], ...]
    """Begin and end of each in seconds, by the sound's level."""
    end_s: float
    """When its last sound ends."""
    words: tuple[Word, ...] = ()
    """What is said, and when; empty where nobody tells."""

    def said_until(self, at_s: float) -> str:
        """Return the words that are said before a time."""
        said = [word.text for word in self.words if (word.start_s + word.end_s) / 2 < at_s]
        return ("" if self.language == "zh" else " ").join(said)


@cache
def phrases() -> Mapping[str, Mapping[str, list[str]]]:
    """Language → kind → what is said, with "|" where the visitor pauses."""
    told: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    return told


def recorded_turns(paths: Sequence[Path], language: str = "en") -> Iterator[SpokenTurn]:
    """Yield the turns of recordings.

    Args:
        paths: sound files, or folders of them; transcripts beside them are used.
        language: of those of which no transcript tells it.

    Raises:
        AudioError: nothing is there, or something cannot be read.
    """
    files = found(paths)
    texts = transcripts_of(files)
    for file in files:
        text = texts.get(file, "")
        spoken = language_of(text) if text else language
        pcm = load_audio(file, max_s=FILE_S)
        parts = list(_turns(voiced_steps(pcm, STEP)))
        for number, (begin, end) in enumerate(parts):
            name = file.name if len(parts) == 1 else f"{file.name} {begin / 100:.1f}-{end / 100:.1f} s"
            turn = _placed(
                name, spoken, "recorded", pcm[begin * STEP : end * STEP], seed=f"{file.name} {number}"
            )
            yield _with_words(turn, text) if text and len(parts) == 1 else turn


def made_turns(language: str, seed: int, speakers: int) -> Iterator[SpokenTurn]:
    """Yield turns that are made by voices, with pauses where people pause.

    Args:
        language: "en" or "zh".
        seed: of speakers and pauses.
        speakers: how many say each.

    Raises:
        SpeechError: no voice is installed.
    """
    for number in range(speakers):
        for kind in KINDS:
            for text in phrases()[language].get(kind, []):
                chance = random.Random(f"{seed} {number} {text}")
                speaker = chance.choice(SPEAKERS[language])
                yield _made(text, language, kind, speaker, chance)


def close_voices() -> None:
    """End the workers of the voices that spoke."""
    while _voices:
        _voices.popitem()[1].close()


def _made(text: str, language: str, kind: str, speaker: str, chance: random.Random) -> SpokenTurn:
    parts = [part.strip() for part in text.split("|")]
    whole = ("" if language == "zh" else " ").join(parts)
    speech = _voice(speaker, language).speak(whole, language=language)
    pcm = to_mono_16k(speech.pcm, speech.sample_rate)
    cuts = list(_cuts(parts, speech.words))
    rise = np.linspace(0.0, 1.0, FADE, dtype=np.float32)
    pieces, words, shift_s, before = list[Pcm](), list[Word](), 0.0, 0
    for cut in [*cuts, len(speech.words)]:
        begin = round(speech.words[before].start_s * RATE_HZ) if before else 0
        end = round(speech.words[cut].start_s * RATE_HZ) if cut < len(speech.words) else len(pcm)
        piece = pcm[begin:end].copy()
        piece[:FADE] *= rise[: len(piece)]
        piece[-FADE:] *= rise[::-1][: len(piece)]
        words += [
            Word(one.text, one.start_s + shift_s, one.end_s + shift_s) for one in speech.words[before:cut]
        ]
        pause_s = min(chance.lognormvariate(np.log(PAUSE_MEDIAN_S), PAUSE_SPREAD), PAUSE_MOST_S)
        quiet = np.zeros(round(max(pause_s, LEAST_PAUSE_S) * RATE_HZ), np.float32)
        pieces += [piece, quiet] if cut < len(speech.words) else [piece]
        shift_s += len(quiet) / RATE_HZ
        before = cut
    turn = _placed(f"{text} ({speaker})", language, kind, np.concatenate(pieces), seed=text)
    moved = tuple(Word(one.text, one.start_s + BEFORE_S, one.end_s + BEFORE_S) for one in words)
    return replace(turn, words=moved)


def _cuts(parts: Sequence[str], words: Sequence[Word]) -> Iterator[int]:
    """Yield the number of the first word after each pause, by the letters before it."""
    letters = 0
    bounds = list[int]()
    for part in parts[:-1]:
        letters += sum(one.isalnum() for one in part)
        bounds.append(letters)
    seen = 0
    for number, word in enumerate(words):
        if bounds and seen >= bounds[0]:
            bounds.pop(0)
            yield number
        seen += sum(one.isalnum() for one in word.text)


def _voice(speaker: str, language: str) -> EspeakSynthesizer:
    if speaker not in _voices:
        voices = (VOICE_EN, speaker) if language == "zh" else (speaker, VOICE_ZH)
        _voices[speaker] = EspeakSynthesizer(*voices, repeatable=True)
    return _voices[speaker]


_voices: dict[str, EspeakSynthesizer] = {}


def _turns(voiced: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the first and the last step of each turn of a recording."""
    for stretch in parted(voiced, TURN_PAUSE_S):
        yield from _shortened(stretch)


def _shortened(voiced: np.ndarray) -> Iterator[tuple[int, int]]:
    begin, end = int(voiced[0]), int(voiced[-1]) + 1
    gaps = np.diff(voiced)
    if end - begin > LONGEST_S * 100 and len(gaps) and gaps.max() > LEAST_PAUSE_S * 100:
        at = int(np.argmax(gaps)) + 1
        yield from _shortened(voiced[:at])
        yield from _shortened(voiced[at:])
    elif end - begin >= SHORTEST_S * 100:
        yield begin, end


def _placed(name: str, language: str, kind: str, pcm: Pcm, *, seed: str) -> SpokenTurn:
    """Lay a turn between two silences, and find its pauses."""
    pauses, end_s = list[tuple[float, float]](), 0.0
    for stretch in parted(voiced_steps(pcm, STEP), LEAST_PAUSE_S):
        begin_s = int(stretch[0]) / 100 + BEFORE_S
        if len(stretch) < LEAST_VOICE_S * 100 and end_s:
            continue
        if end_s:
            pauses.append((end_s, begin_s))
        end_s = (int(stretch[-1]) + 1) / 100 + BEFORE_S
    length = round(BEFORE_S * RATE_HZ) + len(pcm) + round(AFTER_S * RATE_HZ)
    numbers = np.random.default_rng(random.Random(f"quiet {seed}").getrandbits(63))
    laid = numbers.standard_normal(length).astype(np.float32) * np.float32(QUIET)
    laid[round(BEFORE_S * RATE_HZ) :][: len(pcm)] += pcm
    return SpokenTurn(name, language, kind, laid, tuple(pauses), end_s)


def _with_words(turn: SpokenTurn, text: str) -> SpokenTurn:
    """Find out when the words of a transcript are said; nothing is added where it does not fit."""
    from speech.alignment import align

    try:
        aligned = align(turn.pcm, RATE_HZ, text, turn.language)
    except SpeechError:
        return turn
    return replace(turn, words=aligned.words) if aligned.fits else turn
