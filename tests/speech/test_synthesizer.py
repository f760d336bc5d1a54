"""Which voice is chosen, and the scripted one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import speech.synthesizer as synthesizer
from speech.errors import EngineUnavailable, SpeechError
from speech.scripted_voice import ScriptedSynthesizer
from speech.synthesizer import PolyglotSynthesizer, load_synthesizer, synthesizer_plan
from tests.speech.test_piper import build_voice, needs_piper

Cache = Callable[[dict[str, Path]], None]


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Cache:
    """Puts models into the model cache; it begins empty."""

    def fill(models: dict[str, Path]) -> None:
        monkeypatch.setitem(sys.modules, "speech.models", SimpleNamespace(find=models.get))

    fill({})
    return fill


@pytest.fixture
def without_piper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesizer, "_installed", lambda distribution: distribution != "piper-tts")


@pytest.fixture
def with_piper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesizer, "_installed", lambda _: True)


def test_espeak_speaks_when_no_piper_voice_is_there(cache: Cache) -> None:
    voice = load_synthesizer()
    try:
        assert voice.engine == "espeak-ng/en-us+f2"
        assert voice.speak("hello").pcm.any()
    finally:
        voice.close()


def test_the_plan_names_what_would_sound_better(cache: Cache, without_piper: None) -> None:
    plan = synthesizer_plan(languages=("en", "zh"))
    assert plan.engine == "espeak-ng/en-us+f2, espeak-ng/cmn+f2"
    assert plan.missing == "the package piper-tts"
    assert plan.remedy == (
        "pip install 'visavis[piper]' && visavis models pull piper-en && visavis models pull piper-zh"
    )


def test_the_plan_asks_for_a_voice_only_when_piper_is_installed(cache: Cache, with_piper: None) -> None:
    plan = synthesizer_plan(languages=("en",))
    assert plan.missing == "a Piper voice for en"
    assert plan.remedy == "visavis models pull piper-en"


def test_the_plan_says_when_no_voice_is_installed_at_all(
    cache: Cache, without_piper: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesizer, "find_spec", lambda _: None)
    plan = synthesizer_plan()
    assert plan.engine == ""
    assert plan.remedy == "pip install espeakng-loader"


def test_a_piper_voice_is_preferred_and_the_other_languages_keep_espeak(tmp_path: Path, cache: Cache) -> None:
    needs_piper()
    cache({"piper-en": build_voice(tmp_path, "noise", alignments=True).parent})
    plan = synthesizer_plan(languages=("en", "zh"))
    assert plan.engine == "piper/noise"
    assert "espeak-ng speaks zh" in plan.why
    assert plan.missing == ""
    voice = load_synthesizer(languages=("en", "zh"))
    try:
        voice.warm()
        assert voice.engine == "piper/noise"
        assert voice.speak("hello").engine == "piper/noise"
        assert voice.speak("你好").engine == "espeak-ng/cmn+f2"
        assert voice.speak("bonjour", language="fr").engine == "espeak-ng/fr+f2"
    finally:
        voice.close()


def test_a_piper_voice_can_be_named_by_its_path(tmp_path: Path, cache: Cache) -> None:
    needs_piper()
    path = build_voice(tmp_path, "noise", alignments=True)
    for named in (path, path.parent):
        voice = load_synthesizer(voice=str(named))
        assert voice.engine == "piper/noise"
        voice.close()


def test_an_espeak_voice_can_be_named(cache: Cache) -> None:
    for named, language in (("gmw/en+f5", "en"), ("cmn+f3", "zh")):
        voice = load_synthesizer(engine="espeak", voice=named)
        assert (
            synthesizer_plan(engine="espeak", voice=named, languages=(language,)).engine
            == f"espeak-ng/{named}"
        )
        speech = voice.speak("hello" if language == "en" else "你好")
        assert speech.engine == f"espeak-ng/{named}"
        voice.close()


def test_a_variant_alone_is_for_every_language(cache: Cache) -> None:
    voice = load_synthesizer(voice="+m3")
    assert voice.speak("hello").engine == "espeak-ng/en-us+m3"
    assert voice.speak("你好").engine == "espeak-ng/cmn+m3"
    voice.close()


def test_insisting_on_piper_without_one_says_what_to_do(
    cache: Cache, with_piper: None, tmp_path: Path
) -> None:
    with pytest.raises(EngineUnavailable, match="visavis models pull piper-en"):
        load_synthesizer(engine="piper")
    with pytest.raises(EngineUnavailable, match="no Piper voice at"):
        load_synthesizer(engine="piper", voice=str(tmp_path / "none.onnx"))
    assert synthesizer_plan(engine="piper").engine == ""


def test_an_unknown_engine_is_refused_with_the_list() -> None:
    with pytest.raises(EngineUnavailable, match="auto, espeak, piper, scripted"):
        load_synthesizer(engine="parrot")
    assert synthesizer_plan(engine="parrot").engine == ""


def test_planning_loads_no_engine() -> None:
    code = (
        "import sys; from speech.synthesizer import synthesizer_plan, load_synthesizer\n"
        "import types; sys.modules['speech.models'] = types.SimpleNamespace(find=lambda name: None)\n"
        "synthesizer_plan(languages=('en', 'zh')); load_synthesizer().close()\n"
        "heavy = {'piper', 'espeakng_loader', 'onnxruntime', 'onnx'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30)


def test_closing_the_polyglot_closes_every_voice() -> None:
    closed: list[str] = []

    class Closing(ScriptedSynthesizer):
        def close(self) -> None:
            closed.append("closed")

    PolyglotSynthesizer({"en": Closing(), "zh": Closing()}, Closing()).close()
    assert len(closed) == 3


def test_the_scripted_voice_is_deterministic_and_whole() -> None:
    voice = load_synthesizer(engine="scripted")
    one, two = voice.speak("Hello, my friend."), ScriptedSynthesizer().speak("Hello, my friend.")
    assert np.array_equal(one.pcm, two.pcm)
    assert one.phonemes == two.phonemes
    assert one.words == two.words
    assert [word.text for word in one.words] == ["Hello,", "my", "friend."]
    assert {"h", "m", "f"} <= {phoneme.symbol for phoneme in one.phonemes}
    assert one.phonemes[0].start_s == 0.0
    assert one.phonemes[-1].end_s == pytest.approx(one.duration_s)
    assert 0.05 < float(np.abs(one.pcm).max()) < 0.2


def test_the_scripted_voice_remembers_and_obeys() -> None:
    voice = ScriptedSynthesizer(rate=10.0)
    quick = voice.speak("A rather long sentence for a test.")
    assert quick.duration_s < 0.6
    assert voice.speak("你好").language == "zh"
    assert voice.spoken == ["A rather long sentence for a test.", "你好"]
    assert voice.speak("😀").words == ()
    slow, fast = (
        ScriptedSynthesizer().speak("hello", emotion="thinking"),
        ScriptedSynthesizer().speak("hello"),
    )
    assert slow.duration_s > fast.duration_s
    with pytest.raises(SpeechError, match="emotion"):
        voice.speak("hello", emotion="bored")
