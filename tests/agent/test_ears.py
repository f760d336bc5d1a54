import asyncio
from pathlib import Path

import numpy as np
import pytest

from agent.ears import KEPT_S, LONGEST_S, Ears
from speech.audio import load_audio
from speech.errors import SpeechError, WorkerDied
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.synthesizer import load_synthesizer
from speech.vad import SpeechEnded, SpeechStarted

RATE = RECOGNITION_RATE_HZ
PIECE = RATE // 50


class Recorder:
    """A recognizer that says how much sound it was given."""

    engine, languages = "recorder", ("en",)

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.open = 0
        self.heard: list[float] = []

    def stream(self) -> "Recorder.Stream":
        self.open += 1
        return Recorder.Stream(self)

    class Stream:
        def __init__(self, owner: "Recorder") -> None:
            self.owner, self.samples, self.closed = owner, 0, False

        def feed(self, pcm: np.ndarray) -> None:
            assert not self.closed
            self.samples += len(pcm)

        def finish(self) -> Transcript:
            if self.owner.failures:
                self.owner.failures -= 1
                raise WorkerDied("killed: say it again")
            self.owner.heard.append(self.samples / RATE)
            return Transcript(f"{self.samples / RATE:.2f}", "en", 1.0, "recorder")

        def close(self) -> None:
            if not self.closed:
                self.closed = True
                self.owner.open -= 1


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """A spoken sentence at 16 kHz, without silence around it."""
    import av

    voice = load_synthesizer()
    try:
        speech = voice.speak("I would like to return the tent that I bought last week.", language="en")
    finally:
        voice.close()
    file = Path(tmp_path_factory.mktemp("ears")) / "said.wav"
    with av.open(str(file), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=speech.sample_rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((speech.pcm * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = speech.sample_rate
        out.mux(stream.encode(frame) + stream.encode(None))
    return load_audio(file)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


async def play(ears: Ears, pcm: np.ndarray) -> list[SpeechStarted | SpeechEnded]:
    events = []
    for start in range(0, len(pcm), PIECE):
        events += ears.take(pcm[start : start + PIECE])
        await asyncio.sleep(0)
    return events


async def test_an_utterance_is_heard_with_its_pre_roll_over_its_pauses_and_again_when_it_goes_on(
    sentence: np.ndarray,
) -> None:
    recorder = Recorder()
    ears = Ears(recorder)
    began, ended = await play(ears, np.concatenate([silence(2), sentence, silence(0.5)]))
    assert isinstance(began, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert ended.at_s - ended.end_s == pytest.approx(0.2, abs=0.04)
    first = float((await ears.words()).text)
    length = len(sentence) / RATE
    assert length < first <= length + 0.5 + 0.5 + 0.2
    await play(ears, np.concatenate([sentence, silence(0.5)]))
    second = float((await ears.words()).text)
    assert second == pytest.approx(first + length + 0.5, abs=0.1)
    ears.forget()
    await play(ears, np.concatenate([silence(1), sentence, silence(0.5)]))
    assert float((await ears.words()).text) == pytest.approx(first, abs=0.3)
    await ears.close()
    assert recorder.open == 0


async def test_without_speech_nothing_is_opened_and_no_words_come(sentence: np.ndarray) -> None:
    recorder = Recorder()
    ears = Ears(recorder)
    noise = np.random.default_rng(0).normal(0, 0.01, 5 * RATE).astype(np.float32)
    assert await play(ears, noise) == []
    assert (await ears.words()).text == ""
    assert recorder.heard == []
    deaf = Ears(None)
    assert await play(deaf, np.concatenate([sentence, silence(0.5)]))
    assert (await deaf.words()).text == ""


async def test_a_worker_that_dies_once_costs_nothing_and_one_that_always_dies_is_told(
    sentence: np.ndarray,
) -> None:
    recorder = Recorder(failures=1)
    ears = Ears(recorder)
    await play(ears, np.concatenate([silence(1), sentence, silence(0.5)]))
    assert float((await ears.words()).text) > len(sentence) / RATE
    recorder.failures = 2
    with pytest.raises(SpeechError):
        await ears.words()
    await ears.close()
    assert recorder.open == 0


async def test_closing_in_the_middle_of_a_word_gives_the_stream_back(sentence: np.ndarray) -> None:
    recorder = Recorder()
    ears = Ears(recorder)
    await play(ears, np.concatenate([silence(1), sentence[: len(sentence) // 2]]))
    await asyncio.sleep(0.05)
    assert recorder.open == 1
    await ears.close()
    assert recorder.open == 0


async def test_what_is_kept_is_bounded_and_broken_numbers_do_no_harm(sentence: np.ndarray) -> None:
    ears = Ears(Recorder())
    endless = np.tile(sentence, int(90 * RATE / len(sentence)))
    await play(ears, endless)
    assert sum(map(len, ears._pieces)) <= (LONGEST_S + 1) * RATE
    ears.forget()
    await play(ears, silence(5))
    ears.forget()
    assert sum(map(len, ears._pieces)) <= (KEPT_S + 0.1) * RATE
    ears.take(np.full(PIECE, np.nan, np.float32))
    ears.take(np.full(PIECE, np.inf, np.float32))
    await play(ears, silence(1))
    began = await play(ears, np.concatenate([sentence, silence(0.5)]))
    assert isinstance(began[0], SpeechStarted)
    await ears.close()


async def test_what_the_voice_tells_is_asked_of_the_whole_utterance(sentence: np.ndarray) -> None:
    asked: list[int] = []

    def turn_end(pcm: np.ndarray) -> float:
        asked.append(len(pcm))
        return 0.25

    ears = Ears(None, turn_end=turn_end)
    await play(ears, silence(2))
    assert await ears.finished() is None  # nobody spoke
    await play(ears, np.concatenate([sentence, silence(0.5)]))
    assert await ears.finished() == 0.25
    assert len(sentence) < asked[0] < len(sentence) + 1.5 * RATE
    ears.forget()
    assert await ears.finished() is None
    await ears.close()
