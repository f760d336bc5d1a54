"""The protocol of recognition engines, and which one is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from speech.errors import EngineUnavailable, SpeechError
from speech.plan import EnginePlan
from speech.timeline import Pcm, Word

RECOGNITION_RATE_HZ = 16_000
"""Every recognizer stream takes 16 kHz mono."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in one utterance."""

    text: str
    """Empty when nothing was said, or nothing that the engine trusts."""
    language: str
    """ISO 639-1, for example "en" or "zh"."""
    confidence: float
    """0..1; below `LOW_CONFIDENCE` the dialogue asks the visitor to repeat."""
    engine: str
    """Engine and model, for example "faster-whisper/base" or "pocketsphinx/desk-trigram"."""
    ending: float | None = None
    """0..1: how surely the last two words were heard, which tell whether more is to come; None: not told."""
    words: tuple[Word, ...] = ()
    """What was heard and when, in seconds from the sound's beginning; numbers may be written out in the text.
    Empty: the engine does not tell."""


LOW_CONFIDENCE = 0.35


class RecognizerStream(Protocol):
    """One utterance being heard; not shared between threads."""

    def feed(self, pcm: Pcm) -> None:
        """Take the next 16 kHz mono samples; returns when they have been taken in."""

    def finish(self) -> Transcript:
        """End the utterance and return what was heard."""

    def close(self) -> None:
        """Throw the utterance away; safe to call twice and after `finish`."""


class Recognizer(Protocol):
    """A recognition engine; thread-safe by running one utterance at a time."""

    engine: str
    languages: tuple[str, ...]

    def transcribe(self, pcm: Pcm, sample_rate: int) -> Transcript:
        """Recognise a whole utterance of any rate, mono (n,) or (n, channels)."""

    def stream(self) -> RecognizerStream:
        """Begin an utterance that arrives in pieces."""

    def warm(self) -> None:
        """Load and start what the first utterance would otherwise wait for; may be left out."""

    def close(self) -> None:
        """Free the engine and end its worker, if any."""


RECOGNIZERS = ("auto", "faster-whisper", "pocketsphinx", "scripted")

PULLED = "whisper-base"
"""The model that is fetched at first use: the smallest that hears accents and both demo languages well."""

PREFERRED = ("whisper-large-v3-turbo", "whisper-small", "whisper-base", "whisper-tiny")
"""Which of several models in the cache a GPU takes: the best first."""

PREFERRED_ON_CPU = ("whisper-base", "whisper-small", "whisper-tiny", "whisper-large-v3-turbo")
"""The same for a CPU: whisper-base answers a question within a second on two cores."""


def load_recognizer(
    *,
    engine: str = "auto",
    model: str | Path | None = None,
    languages: Sequence[str] = ("en",),
    texts: Sequence[str] = (),
    state_dir: Path | None = None,
    progress: Callable[[float, float], None] | None = None,
    word_times: bool = False,
) -> Recognizer:
    """Choose and open a recognition engine.

    The order: the model that is named; a Whisper model in the model cache; Whisper fetched now, if the hub
    answers within 3 s (never with `VISAVIS_OFFLINE` or `HF_HUB_OFFLINE` set); the embedded pocketsphinx.

    Args:
        engine: "auto", or "faster-whisper", "pocketsphinx" or "scripted", which insist.
        model: Folder of a CTranslate2 Whisper model, or a name of the model cache ("whisper-small").
        languages: ISO 639-1, the desk's, the main one first.
        texts: The desk's knowledge; pocketsphinx hears its words best.
        state_dir: Where pocketsphinx's language model is kept; None takes the user's cache folder.
        progress: Told the bytes fetched and the bytes of the model, if one is fetched.
        word_times: Have the transcripts of Whisper tell when each word was said; the others always do.

    Raises:
        EngineUnavailable: The engine or the model that was insisted on is not there.
    """
    if engine not in RECOGNIZERS:
        raise EngineUnavailable(
            f"there is no recognition engine {engine!r}: use one of {', '.join(RECOGNIZERS)}"
        )
    if engine == "scripted":
        from speech.scripted import ScriptedRecognizer

        return ScriptedRecognizer(languages=tuple(languages))
    if engine in ("auto", "faster-whisper"):
        folder = _whisper_folder(model)
        if folder is None and engine == "auto":
            folder = _fetched(progress)
        if folder is not None:
            from speech.whisper import WhisperRecognizer

            try:
                return WhisperRecognizer(folder, languages=languages, word_times=word_times)
            except EngineUnavailable:
                if engine != "auto" or model is not None:
                    raise  # what was asked for by name must not be replaced in silence
        elif engine == "faster-whisper":
            raise EngineUnavailable(f"no Whisper model is here: run `visavis models pull {PULLED}`")
    from speech.sphinx import SphinxRecognizer
    from speech.trigram import build_language

    language = build_language(texts, state_dir or _default_state_dir()) if texts else None
    return SphinxRecognizer(language)


def recognizer_plan(
    *, engine: str = "auto", model: str | Path | None = None, languages: Sequence[str] = ("en",)
) -> EnginePlan:
    """Tell what `load_recognizer` with the same arguments would use, without loading it or using the network.

    The download at first use is not foreseen: whether a hub would answer is not asked.
    """
    if engine not in RECOGNIZERS:
        return EnginePlan(
            "", f"there is no recognition engine {engine!r}", "", f"use one of {', '.join(RECOGNIZERS)}"
        )
    if engine == "scripted":
        return EnginePlan("scripted", "asked for; it hears what it is told")
    whisper = find_spec("faster_whisper") is not None
    pull = f"visavis models pull {PULLED}"
    if engine in ("auto", "faster-whisper"):
        try:
            folder = _whisper_folder(model)
        except EngineUnavailable as error:
            return EnginePlan("", "the model that was named cannot be used", str(error), pull)
        if folder is not None and whisper:
            where = "the desk's model" if model else "in the model cache"
            return EnginePlan(f"faster-whisper/{folder.name.removeprefix('whisper-')}", where)
        if engine == "faster-whisper":
            missing = "a Whisper model" if whisper else "the package faster-whisper"
            remedy = pull if whisper else "pip install faster-whisper"
            return EnginePlan("", "faster-whisper was asked for and cannot hear", missing, remedy)
    if find_spec("pocketsphinx") is None:
        return EnginePlan(
            "", "no recognition engine is installed", "the package pocketsphinx", "pip install pocketsphinx"
        )
    others = ", ".join(language for language in languages if language != "en")
    missing = f"a Whisper model, which hears far better{f', and {others} at all' if others else ''}"
    if engine == "pocketsphinx":
        return EnginePlan("pocketsphinx", "asked for; English only")
    return EnginePlan("pocketsphinx", "embedded, English only", missing, pull)


def _whisper_folder(model: str | Path | None) -> Path | None:
    """Folder of the Whisper model that is to be used and is here.

    Raises:
        EngineUnavailable: One was named and is not here, or is not whole.
    """
    from speech.models import CATALOGUE, find
    from speech.whisper import check_model

    if model is not None:
        folder = find(str(model)) if str(model) in CATALOGUE else Path(model).expanduser()
        if folder is None:
            raise EngineUnavailable(
                f"the model {model} is not in the cache: run `visavis models pull {model}`"
            )
        check_model(folder)
        return folder
    found = (find(name) for name in (PREFERRED if _has_gpu() else PREFERRED_ON_CPU))
    return next((folder for folder in found if folder is not None), None)


def _has_gpu() -> bool:
    """Whether the driver of an NVIDIA GPU is loaded; cheaper than asking CTranslate2."""
    return Path("/proc/driver/nvidia/version").exists()


def _fetched(progress: Callable[[float, float], None] | None) -> Path | None:
    """Fetch the default model if the hub answers; None where it does not, or the download fails."""
    from speech.models import hub_answers, pull

    if not hub_answers():
        return None
    try:
        return pull(PULLED, progress=progress)
    except SpeechError:
        return None  # the embedded engine hears meanwhile; `visavis doctor` names the command


def _default_state_dir() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("visavis", appauthor=False)) / "hearing"
