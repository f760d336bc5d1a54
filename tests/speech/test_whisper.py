"""faster-whisper runs on a tiny model of random weights, and what nobody said is dropped."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speech.errors import EngineUnavailable, SpeechError
from speech.timeline import Pcm
from speech.whisper import Heard, WhisperRecognizer, check_model, repetitive, trusted
from tests.speech.sounds import spoken_vowels

WIDTH = 16
MELS = 80
LANGUAGES = ("en", "zh", "de")
WORDS = 300


def vocabulary() -> list[str]:
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES)]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{second * 0.02:.2f}|>" for second in range(1501))]
    # CTranslate2 takes a model for a multilingual one by its empty token.
    return ["<unk>", "", *(f"w{index}" for index in range(WORDS)), *special]


def build_whisper(folder: Path) -> Path:
    """Write a whole CTranslate2 Whisper model: one layer of random weights."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    spec = WhisperSpec(1, 1, 1, 1)
    words = vocabulary()

    def linear(layer: Any, rows: int, columns: int) -> None:
        layer.weight = rng.normal(0, 0.1, (rows, columns)).astype(np.float32)
        layer.bias = np.zeros(rows, np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def attention(layer: Any, *, own: bool) -> None:
        norm(layer.layer_norm)
        sizes = (3 * WIDTH, WIDTH) if own else (WIDTH, 2 * WIDTH, WIDTH)
        for part, rows in zip(layer.linear, sizes, strict=True):
            linear(part, rows, WIDTH)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 2 * WIDTH, WIDTH)
        linear(layer.linear_1, WIDTH, 2 * WIDTH)

    encoder, decoder = spec.encoder, spec.decoder
    for convolution, channels in ((encoder.conv1, MELS), (encoder.conv2, WIDTH)):
        convolution.weight = rng.normal(0, 0.1, (WIDTH, channels, 3)).astype(np.float32)
        convolution.bias = np.zeros(WIDTH, np.float32)
    encoder.position_encodings.encodings = rng.normal(0, 0.1, (1500, WIDTH)).astype(np.float32)
    decoder.position_encodings.encodings = rng.normal(0, 0.1, (448, WIDTH)).astype(np.float32)
    decoder.embeddings.weight = rng.normal(0, 0.1, (len(words), WIDTH)).astype(np.float32)
    decoder.projection.weight = decoder.embeddings.weight
    for layer in encoder.layer:
        attention(layer.self_attention, own=True)
        feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.self_attention, own=True)
        attention(layer.attention, own=False)
        feed_forward(layer.ffn)
    norm(encoder.layer_norm)
    norm(decoder.layer_norm)
    ids = {word: index for index, word in enumerate(words)}
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [ids["<|endoftext|>"]]
    spec.config.lang_ids = [ids[f"<|{code}|>"] for code in LANGUAGES]
    spec.config.alignment_heads = [(0, 0)]
    spec.register_vocabulary(words)
    spec.validate()
    spec.optimize(quantization="float32")
    spec.save(str(folder))
    write_tokenizer(folder, ids)
    return folder


def write_tokenizer(folder: Path, ids: dict[str, int]) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_whisper(tmp_path_factory.mktemp("models") / "whisper-random")


@pytest.fixture(scope="module")
def recognizer(model: Path) -> Iterator[WhisperRecognizer]:
    opened = WhisperRecognizer(model, languages=("en", "zh"), device="cpu")
    yield opened
    opened.close()


@pytest.fixture
def every_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights are never trusted; this lets their words through."""
    monkeypatch.setattr("speech.whisper.trusted", lambda segment: True)


@pytest.fixture(scope="module")
def vowels() -> Pcm:
    return spoken_vowels()


@pytest.mark.usefixtures("every_segment")
def test_speech_runs_through_the_model_and_gives_its_words(
    recognizer: WhisperRecognizer, vowels: Pcm
) -> None:
    heard = recognizer.transcribe(vowels, 16_000)
    assert heard.text.startswith("w")
    assert heard.engine == "faster-whisper/random"
    assert heard.language in ("en", "zh")
    assert 0.0 < heard.confidence < 0.35, "random weights are never sure"


def test_what_random_weights_say_is_not_trusted(recognizer: WhisperRecognizer, vowels: Pcm) -> None:
    assert recognizer.transcribe(vowels, 16_000).text == ""


@pytest.mark.usefixtures("every_segment")
@pytest.mark.parametrize("level", [0.0, 0.02])
def test_silence_and_noise_give_no_words(recognizer: WhisperRecognizer, level: float) -> None:
    noise = np.random.default_rng(1).normal(0.0, level, 32_000).astype(np.float32)
    assert recognizer.transcribe(noise, 16_000).text == ""


@pytest.mark.usefixtures("every_segment")
def test_a_stream_hears_what_a_whole_utterance_does(recognizer: WhisperRecognizer, vowels: Pcm) -> None:
    stream = recognizer.stream()
    for start in range(0, len(vowels), 512):
        stream.feed(vowels[start : start + 512])
    assert stream.finish() == recognizer.transcribe(vowels, 16_000)
    stream.close()
    with pytest.raises(SpeechError, match="another stream"):
        stream.feed(vowels)


@pytest.mark.usefixtures("every_segment")
def test_words_have_times_where_they_are_asked_for(
    recognizer: WhisperRecognizer, model: Path, vowels: Pcm
) -> None:
    late = np.concatenate([np.zeros(16_000, np.float32), vowels])
    timing = WhisperRecognizer(model, languages=("en",), device="cpu", word_times=True)
    heard = timing.transcribe(late, 16_000)
    timing.close()
    assert "".join(word.text for word in heard.words) == heard.text.replace(" ", "")
    assert all(0.6 < word.start_s <= word.end_s <= len(late) / 16_000 for word in heard.words)
    assert recognizer.transcribe(late, 16_000).words == ()


class FasterWhisper:
    """Stands for faster-whisper's model: takes what that takes, and gives what that gives."""

    def __init__(self, *words: tuple[str, float, float], broken: bool = False) -> None:
        self.words, self.broken, self.asked = words, broken, list[bool]()

    def transcribe(self, audio: Pcm, **options: Any) -> tuple[Any, None]:
        from faster_whisper.transcribe import Segment, WhisperModel
        from faster_whisper.transcribe import Word as WhisperWord

        given = inspect.signature(WhisperModel.transcribe).bind(self, audio, **options).arguments
        self.asked.append(given["word_timestamps"])
        if self.broken and given["word_timestamps"]:
            raise RuntimeError("the model has no alignment heads")
        words = [WhisperWord(start, end, text, 0.9) for text, start, end in self.words]
        text = "".join(word.word for word in words)
        made = Segment(0, 0, 0.0, 9.0, text, [1] * 9, -0.1, 1.0, 0.0, words, 0.0)
        return iter([made if given["word_timestamps"] else dataclasses.replace(made, words=None)]), None


def test_times_of_words_count_from_the_beginning_of_the_sound(model: Path, vowels: Pcm) -> None:
    timing = WhisperRecognizer(model, languages=("en",), device="cpu", word_times=True)
    timing._model = FasterWhisper((" My", 0.1, 0.3), (" card", 0.3, 0.5), (" 4111", 0.5, 1.5))
    now = timing.transcribe(vowels, 16_000)
    late = timing.transcribe(np.concatenate([np.zeros(32_000, np.float32), vowels]), 16_000)
    assert late.text == "My card 4111"
    assert [word.text for word in late.words] == ["My", "card", "4111"]
    assert now.words[2].start_s >= 0.5
    assert late.words[2].start_s == pytest.approx(now.words[2].start_s + 2.0, abs=0.1)


def test_a_model_that_cannot_time_words_hears_them_all_the_same(model: Path, vowels: Pcm) -> None:
    timing = WhisperRecognizer(model, languages=("en",), device="cpu", word_times=True)
    timing._model = fake = FasterWhisper((" yes", 0.1, 0.3), broken=True)
    heard = [timing.transcribe(vowels, 16_000) for _ in range(2)]
    assert [(one.text, one.words) for one in heard] == [("yes", ())] * 2
    assert fake.asked == [True, False, False]


def test_an_empty_stream_gives_no_words(recognizer: WhisperRecognizer) -> None:
    assert recognizer.stream().finish().text == ""


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_an_incomplete_model_is_refused_by_naming_what_it_lacks(tmp_path: Path, file: str) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        if name != file:
            (tmp_path / name).write_text("{}")
    with pytest.raises(EngineUnavailable, match=file.split(".")[0]):
        check_model(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="visavis models pull"):
        check_model(tmp_path / "none")


def test_a_damaged_model_is_refused(tmp_path: Path, model: Path) -> None:
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (tmp_path / name).write_bytes((model / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((model / "model.bin").read_bytes()[:5000])
    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        WhisperRecognizer(tmp_path, device="cpu")


@pytest.mark.usefixtures("every_segment")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_single_language_is_taken_without_asking_the_model(model: Path, vowels: Pcm, language: str) -> None:
    recognizer = WhisperRecognizer(model, languages=(language,), device="cpu")
    assert recognizer.transcribe(vowels, 16_000).language == language
    recognizer.close()


def test_only_the_languages_of_the_desk_are_chosen_from(
    recognizer: WhisperRecognizer, vowels: Pcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    chances = [("de", 0.6), ("zh", 0.3), ("en", 0.1)]
    monkeypatch.setattr(recognizer._model, "detect_language", lambda _: ("de", 0.6, chances))
    heard = recognizer.transcribe(vowels, 16_000)
    assert heard.language == "zh"


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (Heard("where is my parcel", -0.3, 0.05, 1.0), True),
        (Heard("where is my parcel", -0.3, 0.9, 1.0), True),
        (Heard("thanks for watching", -0.9, 0.8, 1.0), False),
        (Heard("where is my parcel", -1.5, 0.05, 1.0), False),
        (Heard("la la la la la la la la", -0.3, 0.05, 2.9), False),
        (Heard("  ", -0.1, 0.0, 0.0), False),
    ],
)
def test_only_what_was_said_is_trusted(segment: Heard, expected: bool) -> None:
    assert trusted(segment) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no no no", False),
        ("no no no no", True),
        ("thank you thank you thank you thank you", True),
        ("my order is 5 5 5 5 5", False),
        ("谢谢谢谢谢谢谢谢", True),  # noqa: RUF001
        ("我想退货", False),  # noqa: RUF001
        ("can I return a lamp that I opened", False),
    ],
)
def test_loops_of_the_decoder_are_recognised(text: str, expected: bool) -> None:
    assert repetitive(text) is expected
