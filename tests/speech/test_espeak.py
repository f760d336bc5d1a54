"""The espeak-ng voice: what it says, when, and what happens when its process does not live."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from speech import espeak
from speech.errors import EngineUnavailable, SpeechError, WorkerDied
from speech.espeak import EspeakSynthesizer
from speech.timeline import Phoneme, Speech
from speech.voice_worker import VoiceWorker

WORKER = Path(espeak.__file__).with_name("espeak_worker.py")
BILABIALS = ("p", "b", "m")


@pytest.fixture(scope="module")
def voice() -> Iterator[EspeakSynthesizer]:
    voice = EspeakSynthesizer()
    yield voice
    voice.close()


def assert_sound(speech: Speech) -> None:
    """What holds for every Speech."""
    assert speech.pcm.dtype == np.float32
    assert speech.pcm.ndim == 1
    assert np.isfinite(speech.pcm).all()
    assert float(np.abs(speech.pcm).max(initial=0.0)) <= 0.951
    assert speech.phonemes[0].start_s == 0.0
    assert speech.phonemes[-1].end_s == pytest.approx(speech.duration_s)
    for one, next_one in zip(speech.phonemes, speech.phonemes[1:], strict=False):
        assert one.end_s == next_one.start_s
    assert all(phoneme.end_s > phoneme.start_s for phoneme in speech.phonemes)
    time_s = 0.0
    for word in speech.words:
        assert time_s <= word.start_s < word.end_s <= speech.duration_s + 1e-6
        time_s = word.end_s


def loudness_db(speech: Speech, start_s: float, end_s: float) -> float:
    piece = speech.pcm[int(start_s * speech.sample_rate) : int(end_s * speech.sample_rate)]
    return float(10.0 * np.log10(np.mean(piece.astype(np.float64) ** 2) + 1e-12))


def symbols(speech: Speech) -> list[str]:
    return [phoneme.symbol for phoneme in speech.phonemes if phoneme.symbol]


def test_english_is_spoken_with_its_phonemes_and_words(voice: EspeakSynthesizer) -> None:
    speech = voice.speak("Please put my bag in the shop.")
    assert_sound(speech)
    assert "".join(symbols(speech)) == "plizpʊtmaɪbæɡɪnðəʃɑp"
    assert [word.text for word in speech.words] == ["Please", "put", "my", "bag", "in", "the", "shop."]
    assert (speech.language, speech.emotion, speech.text) == (
        "en",
        "neutral",
        "Please put my bag in the shop.",
    )
    assert speech.engine.startswith("espeak-ng/en-us")
    assert 1.3 < speech.duration_s < 3.0


def test_every_p_b_m_spans_its_closure(voice: EspeakSynthesizer) -> None:
    speech = voice.speak("Please put my bag in the shop.")
    lips = [phoneme for phoneme in speech.phonemes if phoneme.symbol in BILABIALS]
    assert [phoneme.symbol for phoneme in lips] == ["p", "p", "m", "b", "p"]
    assert all(phoneme.end_s - phoneme.start_s > 0.05 for phoneme in lips)
    loudest = max(loudness_db(speech, p.start_s, p.end_s) for p in speech.phonemes)
    for phoneme in lips:
        # The mouth is shut in the first third: next to nothing, or the hum of a voiced closure.
        shut_s = (phoneme.end_s - phoneme.start_s) / 3.0
        assert loudness_db(speech, phoneme.start_s, phoneme.start_s + shut_s) < loudest - 6.0


@pytest.mark.parametrize("word", ["happy", "paper", "cup of tea", "stop it", "keep it up", "my pin"])
def test_a_voiceless_p_is_silent_before_it_bursts(voice: EspeakSynthesizer, word: str) -> None:
    speech = voice.speak(f"A {word} again.")
    loudest = max(loudness_db(speech, p.start_s, p.end_s) for p in speech.phonemes)
    stops = [p for p in speech.phonemes if p.symbol == "p"]
    assert stops
    for stop in stops:
        middle_s = stop.start_s + 0.4 * (stop.end_s - stop.start_s)
        assert loudness_db(speech, stop.start_s, middle_s) < loudest - 15.0
        assert stop.end_s - stop.start_s > 0.06


def test_vowels_carry_stress(voice: EspeakSynthesizer) -> None:
    stressed = [p for p in voice.speak("A banana").phonemes if p.stress == 2]
    assert [phoneme.symbol for phoneme in stressed] == ["æ"]


def test_chinese_is_told_by_its_script_and_timed_by_the_character(voice: EspeakSynthesizer) -> None:
    speech = voice.speak("您的订单将在3到5天内送达。")
    assert_sound(speech)
    assert speech.language == "zh"
    assert speech.engine.startswith("espeak-ng/cmn")
    assert "".join(word.text for word in speech.words) == "您的订单将在3到5天内送达。"
    assert {"t", "tɕ", "ts", "ŋ"} <= set(symbols(speech))
    assert all(phoneme.stress <= 1 for phoneme in speech.phonemes)


def test_other_scripts_within_a_sentence_are_spoken_too(voice: EspeakSynthesizer) -> None:
    chinese = voice.speak("请用 Visa 支付。")
    english = voice.speak("My friend 王小明 is here.")
    for speech in (chinese, english):
        assert_sound(speech)
    assert "".join(symbols(chinese)).find("viz") > 0
    assert [word.text for word in english.words] == ["My", "friend", "王", "小", "明", "is", "here."]
    assert english.language == "en"
    assert "ɕ" in symbols(english)


def test_figures_are_said_and_captions_keep_the_writing(voice: EspeakSynthesizer) -> None:
    speech = voice.speak("Order **VV-10342** costs $29.99 😀 today.")
    assert_sound(speech)
    assert [word.text for word in speech.words] == ["Order", "VV-10342", "costs", "$29.99", "today."]
    assert "".join(symbols(speech)).count("vi") == 2


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "pt", "nl", "pl"])
def test_other_languages_have_voices(voice: EspeakSynthesizer, language: str) -> None:
    speech = voice.speak("Animal, radio, problema, final.", language=language)
    assert_sound(speech)
    assert speech.language == language
    assert len(symbols(speech)) > 15


@pytest.mark.parametrize(
    "text", ["", " ", "...", "!?", "😀🎉", "。", "\u200b\u200b", "\x00", "---", "\ud83d", "```\n```"]
)
def test_what_has_nothing_to_say_is_a_short_silence(voice: EspeakSynthesizer, text: str) -> None:
    speech = voice.speak(text)
    assert_sound(speech)
    assert 0.0 < speech.duration_s < 0.5
    assert symbols(speech) == []
    assert speech.words == ()


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300,
        "z̴̢͇a̸l̷g̵o̶ text",
        "ﬁne ½ ²",
        "مرحبا بك",
        "Привет, мир",
        "नमस्ते",
        "[[h@'loU]] <speak>hi</speak> &amp; \x1b[31m",
        "１２３ ｆｕｌｌ",
        "😀 ok 👨‍👩‍👧‍👦 fine",
        "𝒳 marks",
        "tab\tand\r\nline",
        "ʘ",
        "e" + "\u0301" * 200,
    ],
)
def test_weird_texts_are_survived(voice: EspeakSynthesizer, text: str) -> None:
    assert_sound(voice.speak(text))


def test_a_long_text_is_spoken_whole_and_a_longer_one_refused(voice: EspeakSynthesizer) -> None:
    speech = voice.speak("Your parcel arrives within three working days. " * 107)
    assert_sound(speech)
    assert len(speech.words) == 7 * 107
    assert speech.duration_s > 200.0
    with pytest.raises(SpeechError, match="split it into sentences"):
        voice.speak("word " * 5000)


def test_emotions_are_heard_in_length_and_loudness(voice: EspeakSynthesizer) -> None:
    text = "I will look into that for you right away."
    by_emotion = {e: voice.speak(text, emotion=e) for e in ("neutral", "happy", "apologetic", "thinking")}
    for speech in by_emotion.values():
        assert_sound(speech)
    length = {emotion: speech.duration_s for emotion, speech in by_emotion.items()}
    assert length["happy"] < length["neutral"] < length["apologetic"] < length["thinking"]

    def level(speech: Speech) -> float:
        return loudness_db(speech, 0.0, speech.duration_s - 0.3)

    assert level(by_emotion["apologetic"]) < level(by_emotion["neutral"]) < level(by_emotion["happy"])
    assert by_emotion["happy"].emotion == "happy"


def test_the_same_text_gives_the_same_sounds(voice: EspeakSynthesizer) -> None:
    one, other = voice.speak("We ship on Monday."), voice.speak("We ship on Monday.")
    assert symbols(one) == symbols(other)
    assert one.duration_s == pytest.approx(other.duration_s, rel=0.02)


def test_a_repeatable_voice_says_a_text_the_same_whatever_it_said_before() -> None:
    said = []
    for before in ("", "Good morning, what can I do for you?"):
        voice = EspeakSynthesizer("en-us+f5", "cmn+f4", repeatable=True)
        if before:
            voice.speak(before)
        said.append((voice.speak("We ship on Monday.").pcm, voice.speak("您的订单已送达。").pcm))
        voice.close()
    assert all(np.array_equal(one, other) for one, other in zip(*said, strict=True))


def test_many_threads_each_get_their_own_sentence(voice: EspeakSynthesizer) -> None:
    texts = [
        f"Sentence number {index} of the shop." if index % 2 else "您的订单已送达。" for index in range(40)
    ]
    alone = {text: symbols(voice.speak(text)) for text in set(texts)}
    with ThreadPoolExecutor(8) as pool:
        spoken = list(pool.map(voice.speak, texts))
    for text, speech in zip(texts, spoken, strict=True):
        assert speech.text == text
        assert symbols(speech) == alone[text]


def test_an_unknown_voice_is_refused_and_the_next_text_is_not_spoken_with_it() -> None:
    voice = EspeakSynthesizer(voice_en="nowhere")
    try:
        with pytest.raises(EngineUnavailable, match="nowhere"):
            voice.speak("hello")
        assert voice.speak("你好").engine.startswith("espeak-ng/cmn")
        with pytest.raises(EngineUnavailable, match="xx"):
            voice.speak("hello", language="xx")
    finally:
        voice.close()


def test_a_killed_worker_is_started_again() -> None:
    voice = EspeakSynthesizer()
    try:
        voice.speak("hello")
        first = voice.worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert_sound(voice.speak("hello again"))
        assert voice.worker.pid not in {None, first}
    finally:
        voice.close()


def test_a_worker_killed_while_it_speaks_is_started_again() -> None:
    voice = EspeakSynthesizer()
    try:
        voice.speak("hello")
        pid = voice.worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # the question arrives, the answer does not
        spoken: list[Speech] = []
        asking = threading.Thread(target=lambda: spoken.append(voice.speak("Still here.")))
        asking.start()
        time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        asking.join(10.0)
        assert spoken
        assert symbols(spoken[0])[:2] == ["s", "t"]
    finally:
        voice.close()


def test_a_worker_that_hangs_is_ended_after_its_time() -> None:
    voice = EspeakSynthesizer(timeout_s=0.3)
    try:
        voice.speak("hello")
        pid = voice.worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(WorkerDied, match="did not answer"):
            voice.speak("hello")
        assert not psutil.pid_exists(pid)
        assert_sound(voice.speak("hello again"))
    finally:
        voice.close()


def test_a_worker_that_dies_twice_over_a_text_is_reported(tmp_path: Path) -> None:
    script = tmp_path / "dying.py"
    script.write_text(
        "import json, struct, sys\n"
        "greeting = json.dumps({'ok': True}).encode()\n"
        "sys.stdout.buffer.write(struct.pack('<II', len(greeting), 0) + greeting)\n"
        "sys.stdout.buffer.flush()\n"
        "sys.stdin.buffer.read(8)\n"
        "sys.exit(3)\n"
    )
    worker = VoiceWorker(script, name="dying", remedy="none")
    try:
        with pytest.raises(WorkerDied, match="died twice.*exit status 3"):
            worker.ask({"text": "hello"})
    finally:
        worker.close()


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        ("import sys; sys.exit(1)", WorkerDied, "did not start"),
        ("print('no frame at all, but long enough')", WorkerDied, "did not start"),
        (
            "import json, struct, sys\n"
            "no = json.dumps({'ok': False, 'code': 'unavailable', 'message': 'no library'}).encode()\n"
            "sys.stdout.buffer.write(struct.pack('<II', len(no), 0) + no)",
            EngineUnavailable,
            "no library; bring it",
        ),
    ],
)
def test_a_worker_that_cannot_start_says_why(
    tmp_path: Path, program: str, error: type[Exception], message: str
) -> None:
    script = tmp_path / "broken.py"
    script.write_text(program)
    worker = VoiceWorker(script, name="broken", remedy="bring it")
    try:
        with pytest.raises(error, match=message):
            worker.greeting()
    finally:
        worker.close()


def test_the_library_is_loaded_in_the_worker_only() -> None:
    code = (
        "import sys; from speech.espeak import EspeakSynthesizer\n"
        "voice = EspeakSynthesizer(); voice.speak('hello')\n"
        "assert 'espeakng_loader' not in sys.modules\n"
        "assert 'espeak' not in open('/proc/self/maps').read()\n"
        "voice.close()\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30)


def test_the_worker_ends_when_its_parent_is_killed() -> None:
    code = (
        "import sys, time; from speech.espeak import EspeakSynthesizer\n"
        "voice = EspeakSynthesizer(); voice.speak('hello')\n"
        "sys.stdout.write(f'{voice.worker.pid}\\n'); sys.stdout.flush(); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        worker = psutil.Process(pid)
        parent.kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        worker.wait(10.0)
    assert not worker.is_running()


def test_the_worker_ignores_an_interrupt(voice: EspeakSynthesizer) -> None:
    voice.speak("hello")
    pid = voice.worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    voice.speak("hello again")
    assert voice.worker.pid == pid


def test_warming_starts_the_worker_before_the_first_text() -> None:
    voice = EspeakSynthesizer()
    try:
        assert voice.worker.pid is None
        voice.warm()
        assert voice.worker.pid is not None
    finally:
        voice.close()


def test_a_closed_voice_says_so_and_leaves_no_process() -> None:
    voice = EspeakSynthesizer()
    voice.speak("hello")
    pid = voice.worker.pid
    voice.close()
    voice.close()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    with pytest.raises(SpeechError, match="closed"):
        voice.speak("hello")


def test_a_voice_that_is_forgotten_leaves_no_process() -> None:
    voice = EspeakSynthesizer()
    voice.speak("hello")
    pid = voice.worker.pid
    assert pid is not None
    del voice
    assert not psutil.pid_exists(pid)


def test_timelines_are_made_of_phonemes(voice: EspeakSynthesizer) -> None:
    speech = voice.speak("Why did the chip break?")
    assert all(isinstance(phoneme, Phoneme) for phoneme in speech.phonemes)
    assert symbols(speech)[:2] == ["w", "a"]
    assert "tʃ" in symbols(speech)


def test_the_worker_is_stand_alone_and_says_its_licence() -> None:
    source = WORKER.read_text()
    assert "from speech" not in source
    assert "import speech" not in source
    assert "GPL-3.0-or-later" in source.splitlines()[0]


def test_the_sound_ends_with_its_last_phoneme(voice: EspeakSynthesizer) -> None:
    lengths = {len(voice.worker.ask({"text": "Look at that.", "voice": "en-us", "rate": rate}).pcm)
               for rate in (150, 160, 170, 180, 190)}  # fmt: skip
    assert len(lengths) == 5, "lengths that repeat are filled-up buffers"
