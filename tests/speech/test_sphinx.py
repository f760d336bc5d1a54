"""pocketsphinx hears the desk's words, in a process that may die without taking anything along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from speech import sphinx
from speech.audio import load_audio
from speech.errors import EngineUnavailable, SpeechError, WorkerDied
from speech.recognizer import LOW_CONFIDENCE
from speech.sphinx import SphinxRecognizer, confidence_of
from speech.sphinx_worker import HEADER
from speech.timeline import Pcm
from speech.trigram import LanguageFiles, build_language
from tests.speech.sounds import spoken_vowels

ROOT = Path(__file__).parents[2]
SPEECH = ROOT.parent / "shared" / "data" / "pocketsphinx_speech"
recordings = pytest.mark.skipif(not SPEECH.is_dir(), reason="../shared/data/pocketsphinx_speech is absent")

TEXTS = (
    "How do I go forward?",
    "Go forward ten meters to reach the store.",
    "You can return a lamp within thirty days.",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the language model is built once."""
    return tmp_path_factory.mktemp("language")


@pytest.fixture(scope="module")
def language(folder: Path) -> LanguageFiles:
    return build_language(TEXTS, folder)


@pytest.fixture(scope="module")
def recognizer(language: LanguageFiles) -> Iterator[SphinxRecognizer]:
    opened = SphinxRecognizer(language)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def vowels() -> Pcm:
    return spoken_vowels()


def go_forward() -> Pcm:
    raw = np.fromfile(SPEECH / "goforward.raw", "<i2")
    return (raw / 32768).astype(np.float32)


@pytest.mark.data
@recordings
def test_a_recorded_person_is_heard_whole_and_streamed(recognizer: SphinxRecognizer) -> None:
    whole = recognizer.transcribe(go_forward(), 16_000)
    assert whole.text == "go forward ten meters"
    assert whole.engine == "pocketsphinx/desk-trigram"
    assert whole.confidence > LOW_CONFIDENCE
    stream = recognizer.stream()
    for start in range(0, len(go_forward()), 512):
        stream.feed(go_forward()[start : start + 512])
    assert stream.finish().text == "go forward ten meters"


@pytest.mark.data
@recordings
def test_speech_about_other_things_comes_back_with_low_confidence(recognizer: SphinxRecognizer) -> None:
    paths = sorted((SPEECH / "librivox").glob("*.wav"))
    confidences = [recognizer.transcribe(load_audio(path), 16_000).confidence for path in paths]
    assert len(confidences) == 5
    assert np.mean(np.array(confidences) < LOW_CONFIDENCE) >= 0.8


@pytest.mark.parametrize("level", [0.0, 0.001, 0.05])
def test_silence_and_noise_give_no_words(recognizer: SphinxRecognizer, level: float) -> None:
    noise = np.random.default_rng(1).normal(0.0, level, 48_000).astype(np.float32)
    heard = recognizer.transcribe(noise, 16_000)
    assert (heard.text, heard.confidence) == ("", 0.0)
    stream = recognizer.stream()
    stream.feed(noise)
    assert stream.finish().text == ""
    assert recognizer.stream().finish().text == ""


def test_any_rate_and_channels_are_heard(recognizer: SphinxRecognizer, vowels: Pcm) -> None:
    stereo = np.stack([np.repeat(vowels, 3)] * 2, axis=1)
    assert recognizer.transcribe(stereo, 48_000).engine == recognizer.engine


def test_the_same_sound_is_heard_the_same_after_other_utterances(
    recognizer: SphinxRecognizer, vowels: Pcm
) -> None:
    def streamed(sound: Pcm) -> object:
        stream = recognizer.stream()
        stream.feed(sound)
        return stream.finish()

    first = streamed(vowels)
    streamed(vowels[8_000:24_000] * 0.3)
    assert streamed(vowels) == first


def test_a_closed_stream_gives_its_worker_back(recognizer: SphinxRecognizer, vowels: Pcm) -> None:
    before = {child.pid for child in psutil.Process().children()}
    for _ in range(3):
        stream = recognizer.stream()
        stream.feed(vowels)
        stream.close()
        stream.close()
        with pytest.raises(SpeechError, match="another stream"):
            stream.feed(vowels)
    assert len({child.pid for child in psutil.Process().children()} - before) <= 1


def test_an_abandoned_stream_gives_its_worker_back(recognizer: SphinxRecognizer, vowels: Pcm) -> None:
    for _ in range(sphinx.MAX_WORKERS + 1):
        recognizer.stream().feed(vowels[:2000])
    assert recognizer.stream().finish().text == ""


def test_utterances_are_heard_at_the_same_time(recognizer: SphinxRecognizer, vowels: Pcm) -> None:
    expected = recognizer.transcribe(vowels, 16_000)
    heard = []

    def hear() -> None:
        heard.append(recognizer.transcribe(vowels, 16_000))

    threads = [threading.Thread(target=hear) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [expected] * 4


def workers_of(pid: int) -> list[psutil.Process]:
    return [c for c in psutil.Process(pid).children() if "sphinx_worker.py" in " ".join(c.cmdline())]


def test_a_killed_worker_fails_its_stream_and_is_replaced(vowels: Pcm, language: LanguageFiles) -> None:
    recognizer = SphinxRecognizer(language)
    before = {worker.pid for worker in workers_of(os.getpid())}
    stream = recognizer.stream()
    (worker,) = [worker for worker in workers_of(os.getpid()) if worker.pid not in before]
    stream.feed(vowels)
    worker.send_signal(signal.SIGKILL)
    worker.wait(5)
    with pytest.raises(WorkerDied, match="say it again"):
        stream.feed(vowels)
    stream.close()
    assert recognizer.transcribe(vowels, 16_000).engine == recognizer.engine
    recognizer.close()
    assert {worker.pid for worker in workers_of(os.getpid())} <= before
    with pytest.raises(SpeechError, match="was closed"):
        recognizer.stream()


PARENT = """
import sys, time
from pathlib import Path
from speech.sphinx import SphinxRecognizer
from speech.trigram import build_language
recognizer = SphinxRecognizer(build_language({texts!r}, Path({folder!r})))
recognizer.warm()
sys.stdout.write("ready\\n")
sys.stdout.flush()
time.sleep(60)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_parent(folder: Path, language: LanguageFiles, sent: signal.Signals) -> None:
    program = PARENT.format(texts=TEXTS, folder=str(folder))
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == b"ready\n"
        (worker,) = workers_of(parent.pid)
        parent.send_signal(sent)
        parent.wait(10)
    worker.wait(10)
    assert not worker.is_running()


def test_ctrl_c_leaves_the_worker_to_its_parent() -> None:
    program = Path(sphinx.__file__).with_name("sphinx_worker.py")
    worker = subprocess.Popen(
        [sys.executable, "-P", str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    with worker.stdin, worker.stdout:
        worker.stdin.write(HEADER.pack(b"X", 0))
        worker.stdin.flush()
        assert worker.stdout.read(1) == b"F", "it serves, and says that no model is loaded"
        worker.send_signal(signal.SIGINT)
        time.sleep(0.1)
        assert worker.poll() is None
    assert worker.stderr is not None
    with worker.stderr:
        assert worker.stderr.read() == b""
    assert worker.wait(10) == 0


def test_a_model_that_cannot_be_loaded_is_refused(tmp_path: Path, language: LanguageFiles) -> None:
    (tmp_path / "desk.arpa").write_text("no model")
    damaged = replace(language, model=tmp_path / "desk.arpa")
    with pytest.raises(EngineUnavailable, match="did not start"):
        SphinxRecognizer(damaged).warm()


def test_too_many_utterances_at_once_are_refused_after_a_wait(
    monkeypatch: pytest.MonkeyPatch, language: LanguageFiles
) -> None:
    monkeypatch.setattr(sphinx, "WAIT_FOR_WORKER_S", 0.01)
    recognizer = SphinxRecognizer(language, max_workers=1)
    stream = recognizer.stream()
    with pytest.raises(WorkerDied, match="busy"):
        recognizer.stream()
    stream.close()
    recognizer.stream().close()
    recognizer.close()


def test_confidence_grows_with_the_posterior_and_the_language_model() -> None:
    sure = [("return", 0.99, -2.0), ("a", 0.99, -2.0), ("lamp", 0.99, -2.0)]
    unsure = [(word, 0.4, ln_p) for word, _, ln_p in sure]
    unlikely = [(word, posterior, -7.0) for word, posterior, _ in sure]
    assert confidence_of(sure) > 0.9
    assert confidence_of(unsure) < confidence_of(sure)
    assert confidence_of(unlikely) < confidence_of(sure)
    assert confidence_of([(word, 0.2, -7.0) for word, _, _ in sure]) < LOW_CONFIDENCE
    assert confidence_of(sure, frozenset({"return", "a"})) < confidence_of(sure)
    assert confidence_of([]) == 0.0
