"""Which recognizer is chosen, and the scripted one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from speech import models, recognizer
from speech.errors import EngineUnavailable, SpeechError
from speech.recognizer import Transcript, load_recognizer, recognizer_plan
from speech.scripted import ScriptedRecognizer
from tests.speech.test_whisper import build_whisper, vocabulary

ROOT = Path(__file__).parents[2]
TEXTS = ("How do I return a lamp?",)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty model cache, and no network."""
    monkeypatch.setenv("VISAVIS_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("VISAVIS_OFFLINE", "1")
    return tmp_path / "models"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the language model is built once."""
    return tmp_path_factory.mktemp("state")


def put_whisper(cache: Path, name: str) -> Path:
    folder = build_whisper(cache / name)
    (folder / "vocabulary.txt").write_text("\n".join(vocabulary()))
    return folder


def test_without_any_model_the_embedded_engine_hears(state: Path) -> None:
    opened = load_recognizer(texts=TEXTS, state_dir=state)
    assert opened.engine == "pocketsphinx/desk-trigram"
    assert opened.languages == ("en",)
    opened.close()
    general = load_recognizer()
    assert general.engine == "pocketsphinx/en-us"
    general.close()


def test_a_whisper_model_in_the_cache_is_taken(cache: Path) -> None:
    put_whisper(cache, "whisper-tiny")
    opened = load_recognizer(languages=("en", "zh"))
    assert opened.engine == "faster-whisper/tiny"
    assert opened.languages == ("en", "zh")
    assert recognizer_plan().engine == "faster-whisper/tiny"
    opened.close()


def test_a_named_model_comes_before_the_cache(cache: Path, tmp_path: Path) -> None:
    put_whisper(cache, "whisper-tiny")
    mine = build_whisper(tmp_path / "mine")
    opened = load_recognizer(model=mine)
    assert opened.engine == recognizer_plan(model=mine).engine == "faster-whisper/mine"
    opened.close()


def test_pocketsphinx_can_be_insisted_on(cache: Path, state: Path) -> None:
    put_whisper(cache, "whisper-tiny")
    opened = load_recognizer(engine="pocketsphinx", texts=TEXTS, state_dir=state)
    assert opened.engine.startswith("pocketsphinx")
    assert recognizer_plan(engine="pocketsphinx").engine == "pocketsphinx"
    opened.close()


@pytest.mark.parametrize("model", ["whisper-small", "no/such/folder"])
def test_a_named_model_that_is_not_here_is_refused(model: str) -> None:
    with pytest.raises(EngineUnavailable, match="visavis models pull"):
        load_recognizer(model=model)
    plan = recognizer_plan(model=model)
    assert plan.engine == ""
    assert plan.remedy.startswith("visavis models pull")


def test_whisper_that_is_insisted_on_and_not_here_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="visavis models pull whisper-base"):
        load_recognizer(engine="faster-whisper")
    assert recognizer_plan(engine="faster-whisper").engine == ""


def test_an_unknown_engine_is_refused_by_naming_the_known() -> None:
    with pytest.raises(EngineUnavailable, match="pocketsphinx"):
        load_recognizer(engine="parrot")
    assert recognizer_plan(engine="parrot").engine == ""


def test_the_plan_says_what_a_better_engine_needs() -> None:
    plan = recognizer_plan(languages=("en", "zh"))
    assert plan.engine == "pocketsphinx"
    assert "zh" in plan.missing
    assert plan.remedy == "visavis models pull whisper-base"


def test_a_model_is_fetched_only_where_a_hub_answers(
    monkeypatch: pytest.MonkeyPatch, cache: Path, state: Path
) -> None:
    asked: list[str] = []

    def pull(name: str, **_: object) -> Path:
        asked.append(name)
        return put_whisper(cache, name)

    monkeypatch.setattr(models, "pull", pull)
    load_recognizer(texts=TEXTS, state_dir=state).close()
    assert asked == []
    monkeypatch.setattr(models, "hub_answers", lambda: True)
    opened = load_recognizer(texts=TEXTS, state_dir=state)
    assert asked == [recognizer.PULLED]
    assert opened.engine == "faster-whisper/base"
    opened.close()


def test_a_download_that_fails_leaves_the_embedded_engine(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    def pull(name: str, **_: object) -> Path:
        raise SpeechError(name)

    monkeypatch.setattr(models, "pull", pull)
    monkeypatch.setattr(models, "hub_answers", lambda: True)
    opened = load_recognizer(texts=TEXTS, state_dir=state)
    assert opened.engine.startswith("pocketsphinx")
    opened.close()


def test_planning_loads_no_engine() -> None:
    program = (
        "import sys; from speech.recognizer import recognizer_plan; recognizer_plan();"
        "heavy = {'faster_whisper', 'ctranslate2', 'pocketsphinx', 'onnxruntime', 'av', 'httpx'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_scripted_ear_hears_its_texts_in_order_and_nothing_in_silence() -> None:
    sure = Transcript("你好", "zh", 0.9, "scripted")
    ear = ScriptedRecognizer(["hello", sure], confidence=0.5)
    tone = np.full(1600, 0.2, np.float32)
    assert ear.transcribe(np.zeros(1600, np.float32), 16_000).text == ""
    assert ear.transcribe(tone, 16_000) == Transcript("hello", "en", 0.5, "scripted")
    stream = ear.stream()
    stream.feed(tone)
    assert stream.heard_s == 0.1
    assert stream.finish() == sure
    with pytest.raises(SpeechError, match="another stream"):
        stream.feed(tone)
    assert ear.transcribe(tone, 16_000).text == ""
    ear.close()
    with pytest.raises(SpeechError, match="closed"):
        ear.transcribe(tone, 16_000)


def test_the_scripted_ear_can_be_asked_for_by_name() -> None:
    assert (
        load_recognizer(engine="scripted").engine == recognizer_plan(engine="scripted").engine == "scripted"
    )
