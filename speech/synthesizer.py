"""The protocol of synthesis engines, and which one is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from speech.errors import EngineUnavailable
from speech.plan import EnginePlan
from speech.timeline import Speech

SYNTHESIZERS = ("auto", "espeak", "piper", "scripted")
"""What `engine` may be."""

_ESPEAK_REMEDY = "pip install espeakng-loader"
_PIPER_REMEDY = "pip install 'visavis[piper]'"


class Synthesizer(Protocol):
    """A voice; thread-safe by speaking one text at a time."""

    engine: str
    """Engine and voice, for example "espeak-ng/en-us" or "piper/en_US-amy-medium"."""

    def speak(
        self,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 1.0,
        language: str | None = None,
        pace: float = 1.0,
    ) -> Speech:
        """Speak one sentence.

        `language` is ISO 639-1, None lets the engine tell from the script; `pace` is a factor on the speed
        that the emotion has.
        """

    def warm(self) -> None:
        """Make the first text as quick as the next: start the worker, load the model."""

    def close(self) -> None:
        """Free the engine and end its worker, if any."""


class PolyglotSynthesizer:
    """Several voices as one: each language has its own, what none of them speaks goes to the default.

    Args:
        voices: language (ISO 639-1) → voice; they are closed with this one.
        default: for every other language.
    """

    def __init__(self, voices: Mapping[str, Synthesizer], default: Synthesizer) -> None:
        self._voices = dict(voices)
        self._default = default
        first = next(iter(self._voices.values()), default)
        self.engine = first.engine

    def speak(
        self,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 1.0,
        language: str | None = None,
        pace: float = 1.0,
    ) -> Speech:
        """Speak with the language's voice; `Speech.engine` tells which it was."""
        from speech.spoken_text import language_of, normal_language

        language = normal_language(language) if language else language_of(text)
        voice = self._voices.get(language, self._default)
        return voice.speak(text, emotion=emotion, intensity=intensity, language=language, pace=pace)

    def warm(self) -> None:
        """Start every voice."""
        for voice in (*self._voices.values(), self._default):
            voice.warm()

    def close(self) -> None:
        """Close every voice."""
        for voice in (*self._voices.values(), self._default):
            voice.close()


def load_synthesizer(
    *, engine: str = "auto", voice: str | None = None, languages: Sequence[str] = ("en",)
) -> Synthesizer:
    """Choose a voice; nothing is started before the first text.

    Args:
        engine: "auto" takes Piper for every language whose voice is in the model cache (when piper-tts is
            installed), and espeak-ng for the rest; "espeak", "piper" and "scripted" insist.
        voice: an espeak-ng voice ("en-us+f5", "cmn+f3", or "+m3": a man's in every language) or the path of a
            Piper voice (a .onnx file or its folder); None takes the engine's own choice.
        languages: ISO 639-1, the desk's, the main one first.

    Raises:
        EngineUnavailable: the engine that was insisted on, or the voice, is not there.
    """
    if engine not in SYNTHESIZERS:
        raise EngineUnavailable(f"there is no voice engine {engine!r}; use one of {', '.join(SYNTHESIZERS)}")
    if engine == "scripted":
        from speech.scripted_voice import ScriptedSynthesizer

        return ScriptedSynthesizer()
    models = _piper_models(engine, voice, languages)
    if engine == "piper" and not models:
        plan = synthesizer_plan(engine=engine, voice=voice, languages=languages)
        raise EngineUnavailable(f"Piper cannot speak: {plan.missing}; {plan.remedy}")
    if not models:
        return _espeak(voice)
    from speech.piper import PiperSynthesizer

    pipers: dict[str, Synthesizer] = {language: PiperSynthesizer(model) for language, model in models.items()}
    return PolyglotSynthesizer(pipers, _espeak(None))


def synthesizer_plan(
    *, engine: str = "auto", voice: str | None = None, languages: Sequence[str] = ("en",)
) -> EnginePlan:
    """Tell what `load_synthesizer` with the same arguments would use, without loading anything."""
    if engine not in SYNTHESIZERS:
        return EnginePlan("", f"there is no voice engine {engine!r}", f"one of {', '.join(SYNTHESIZERS)}")
    if engine == "scripted":
        return EnginePlan("scripted/tone", "asked for; it hums instead of speaking")
    piper_installed = _installed("piper-tts")
    models = _piper_models(engine, voice, languages)
    if models:
        names = ", ".join(f"piper/{_stem(model)}" for model in models.values())
        rest = [language for language in languages if language not in models]
        others = f"; espeak-ng speaks {', '.join(rest)}" if rest else ""
        return EnginePlan(names, f"piper-tts is installed and a voice is present{others}")
    missing, remedy = _piper_missing(piper_installed, voice, languages)
    if engine == "piper":
        return EnginePlan("", "Piper was asked for and cannot speak", missing, remedy)
    if find_spec("espeakng_loader") is None:
        return EnginePlan("", "no voice engine is installed", "the package espeakng-loader", _ESPEAK_REMEDY)
    why = "asked for" if engine == "espeak" else "it needs no model; a Piper voice would sound more natural"
    spoken_with = _espeak_name(voice, languages)
    if engine == "espeak":
        return EnginePlan(spoken_with, why)
    return EnginePlan(spoken_with, why, missing, remedy)


def _piper_models(engine: str, voice: str | None, languages: Sequence[str]) -> dict[str, Path]:
    """Language → model of the Piper voices that are there; empty when Piper is not to be used."""
    if engine not in {"auto", "piper"} or not _installed("piper-tts"):
        return {}
    if voice is not None:
        if not _is_path(voice):
            return {}  # an espeak-ng voice
        from speech.piper import PiperSynthesizer

        named = PiperSynthesizer(voice)  # what was asked for by name must not be replaced in silence
        return {named.language: Path(voice)}
    from speech.models import find

    found = {language: find(f"piper-{language}") for language in languages}
    return {language: path for language, path in found.items() if path is not None}


def _piper_missing(installed: bool, voice: str | None, languages: Sequence[str]) -> tuple[str, str]:
    """What Piper lacks, and the command that brings it."""
    pull = " && ".join(f"visavis models pull piper-{language}" for language in languages)
    if not installed:
        return "the package piper-tts", f"{_PIPER_REMEDY} && {pull}"
    if voice is not None and _is_path(voice):
        return f"a Piper voice at {voice}", pull
    return f"a Piper voice for {', '.join(languages)}", pull


def _espeak(voice: str | None) -> Synthesizer:
    from speech.espeak import VOICE_EN, VOICE_ZH, EspeakSynthesizer

    if voice is None or _is_path(voice):
        return EspeakSynthesizer()
    if voice.startswith("+"):
        return EspeakSynthesizer(*(name.partition("+")[0] + voice for name in (VOICE_EN, VOICE_ZH)))
    if voice.startswith(("cmn", "yue", "hak")):
        return EspeakSynthesizer(voice_zh=voice)
    return EspeakSynthesizer(voice_en=voice)


def _espeak_name(voice: str | None, languages: Sequence[str]) -> str:
    from speech.espeak import EspeakSynthesizer

    synthesizer = _espeak(voice)
    assert isinstance(synthesizer, EspeakSynthesizer)
    return ", ".join(f"espeak-ng/{synthesizer.voice_of(language)}" for language in languages)


def _is_path(voice: str) -> bool:
    # espeak-ng names some voices with a slash ("gmw/en"), so that the slash alone tells nothing.
    path = Path(voice)
    return path.suffix == ".onnx" or (path.is_dir() and any(path.glob("**/*.onnx")))


def _stem(path: Path) -> str:
    return path.stem if path.suffix == ".onnx" else next((p.stem for p in path.rglob("*.onnx")), path.name)


def _installed(distribution: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version  # 40 ms that most runs need not spend

    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
