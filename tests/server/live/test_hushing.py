"""In recordings nothing personal is heard, and what is around it is."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from agent.caption import caption_at, cues_of
from agent.events import Spoken
from agent.privacy import Privacy
from agent.sentence import Sentence
from agent.stage import LiveMoment
from moderation.policy import Policy
from server.live.hushing import SentenceHush, hushed
from server.live.masking import Masker, SessionMask
from server.live.overhearing import OverheardEars, Utterance
from server.live.quiet import TONE_LEVEL, silent
from server.live.recording import Recording, RecordingSettings
from server.live.tape import Tape
from server.live.voices import MOMENT, MOMENT_OUT
from speech.audio import to_mono_16k
from speech.espeak import EspeakSynthesizer
from speech.recognizer import Transcript
from speech.scripted import ScriptedRecognizer
from speech.timeline import Speech, Word
from tests.server.live.serving import eventually
from tests.server.live.test_recording import ALL, SIZE, sound

ENGLISH = (
    "My card number is four one one one one one one one one one one one one one one one. Thank you so much."
)
CHINESE = "我的卡号是四一一一，一一一一，一一一一，一一一一。谢谢你们的帮助。"


def a_mask(**settings: object) -> SessionMask:
    return SessionMask(Masker(Policy.load(), Privacy.model_validate(settings)))


@cache
def spoken(text: str) -> tuple[Speech, np.ndarray]:
    speech = EspeakSynthesizer().speak(text)
    return speech, to_mono_16k(speech.pcm, speech.sample_rate)


def number_of(text: str) -> tuple[float, float]:
    """When its number is said, in seconds."""
    words = spoken(text)[0].words
    digits = [word for word in words if word.text.strip("，。.") in ("four", "one", "四", "一")]
    return digits[0].start_s, digits[-1].end_s


def level(pcm: np.ndarray, start_s: float, end_s: float, rate: int) -> float:
    return float(np.sqrt((pcm[int(start_s * rate) : int(end_s * rate)] ** 2).mean()))


async def recorded(
    folder: Path, transcript: Transcript, pcm: np.ndarray, **settings: object
) -> tuple[np.ndarray, float]:
    """The visitor's channel of a recording of a session that heard this, and when speaking began in it."""
    ears = OverheardEars(ScriptedRecognizer([transcript]))
    recording = Recording.start(folder, "s1", size=SIZE, settings=ALL, mask=a_mask(**settings))
    ears.tell = recording.hear
    heard = np.concatenate([np.zeros(16_000, np.float32), pcm, np.zeros(40_000, np.float32)])
    silent = np.zeros(MOMENT_OUT, np.int16)
    asked = False
    for index in range(len(heard) // MOMENT):
        frame = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        recording.take(LiveMoment(index, frame, silent, "", False))
        ears.take(heard[index * MOMENT : (index + 1) * MOMENT])
        if not asked and ears.silence_s > 0.9 and index * MOMENT > 16_000 + len(pcm):
            asked = True
            await ears.words()
            ears.forget()
    await ears.close()
    done = await recording.close()
    assert done is not None
    return sound(done.path)[0], 1.0


def timed(text: str, speech: Speech) -> Transcript:
    """As an engine hears it that tells when each word was said."""
    words = tuple(Word(word.text.strip(".，。"), word.start_s, word.end_s) for word in speech.words)
    language = "zh" if "卡" in text else "en"
    joint = "" if language == "zh" else " "
    return Transcript(joint.join(word.text for word in words), language, 1.0, "scripted", None, words)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
async def test_a_card_number_is_not_heard_and_the_words_around_it_are(tmp_path: Path, text: str) -> None:
    speech, pcm = spoken(text)
    heard = timed(text, speech)
    shift = 0.5  # the stream begins with the pre-roll of the voice
    moved = tuple(Word(word.text, word.start_s + shift, word.end_s + shift) for word in heard.words)
    channel, began = await recorded(
        tmp_path, Transcript(heard.text, heard.language, 1.0, "scripted", None, moved), pcm
    )
    start, end = number_of(text)
    assert level(channel, began + start, began + end, 48_000) < 1e-4
    assert level(pcm, start, end, 16_000) > 0.02
    for first, last in ((0.0, start - 0.4), (end + 0.6, speech.duration_s - 0.3)):
        assert level(channel, began + first, began + last, 48_000) > 0.5 * level(pcm, first, last, 16_000)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
async def test_where_no_times_are_known_the_number_is_not_heard_either(tmp_path: Path, text: str) -> None:
    speech, pcm = spoken(text)
    heard = timed(text, speech)
    channel, began = await recorded(tmp_path, Transcript(heard.text, heard.language, 1.0, "scripted"), pcm)
    start, end = number_of(text)
    assert level(channel, began + start, began + end, 48_000) < 1e-4


async def test_what_was_not_understood_is_not_heard_unless_the_desk_wants_it(tmp_path: Path) -> None:
    speech, pcm = spoken(ENGLISH)
    unclear = Transcript("when when when", "en", 0.1, "scripted")
    for folder, wanted in (("a", True), ("b", False)):
        channel, began = await recorded(tmp_path / folder, unclear, pcm, mute_unclear=wanted)
        loud = level(channel, began, began + speech.duration_s, 48_000) > 0.01
        assert loud is not wanted


async def test_an_ordinary_question_is_heard_as_it_was(tmp_path: Path) -> None:
    speech, pcm = spoken("How long is the warranty on a tent?")
    plain = Transcript("how long is the warranty on a tent", "en", 0.9, "scripted")
    channel, began = await recorded(tmp_path, plain, pcm)
    whole = level(pcm, 0, speech.duration_s, 16_000)
    assert level(channel, began, began + speech.duration_s, 48_000) == pytest.approx(whole, rel=0.1)


async def test_nothing_reaches_the_disk_before_it_is_known_what_was_said(tmp_path: Path) -> None:
    pcm = spoken(ENGLISH)[1]
    ears = OverheardEars(ScriptedRecognizer())
    settings = RecordingSettings(min_free_bytes=0, waiting_frames=1000)
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=settings, mask=a_mask())
    ears.tell = recording.hear
    heard = np.concatenate([np.zeros(16_000 * 6, np.float32), pcm, pcm])
    for index in range(len(heard) // MOMENT):
        frame = np.full((SIZE[1], SIZE[0], 3), index % 250, np.uint8)
        recording.take(LiveMoment(index, frame, np.zeros(MOMENT_OUT, np.int16), "", False))
        ears.take(heard[index * MOMENT : (index + 1) * MOMENT])
    path = recording.path
    await eventually(lambda: not recording._backlog.moments)
    (tmp_path / "killed.mp4").write_bytes(path.read_bytes())  # as kill -9 would leave it
    left = sound(tmp_path / "killed.mp4")[0]
    assert 3 < len(left) / 48_000 <= 6
    assert np.abs(left).max() < 1e-3
    await ears.close()
    done = await recording.close()
    assert done is not None
    assert np.abs(sound(done.path)[0][48_000 * 6 :]).max() < 1e-3  # nobody knows what that was


def test_what_the_desk_repeats_is_not_heard(tmp_path: Path) -> None:
    mask = a_mask()
    mask.of_visitor("my name is Anna Kern")
    words = tuple(
        Word(text, at / 2, at / 2 + 0.5) for at, text in enumerate(("Thank", "you", "Anna", "goodbye"))
    )
    speech = Speech(np.zeros(32_000, np.float32), 16_000, (), words, "Thank you Anna goodbye")
    said = Spoken(Sentence("Thank you Anna goodbye"), speech, 0.0, 0.0)
    hush = SentenceHush(mask)
    loud = np.full(96_000, 1000, np.int16)
    heard, muted = hush.sound(said, 0.0, loud)
    assert muted
    assert np.flatnonzero(heard == 0)[[0, -1]] / 48_000 == pytest.approx([0.85, 1.65], abs=0.001)
    assert hush.sound(said, 1.7, loud[:1000])[1] is False
    assert SentenceHush(a_mask(mute="off")).sound(said, 0.0, loud)[1] is False


def test_a_number_that_goes_on_in_the_next_caption_is_in_neither(tmp_path: Path) -> None:
    text = (
        "I have noted your card number down as 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 for this, and we shall write "
        "to you about all of it by the end of the day, is that right?"
    )
    words = tuple(Word(word, at / 7, (at + 1) / 7) for at, word in enumerate(text.split()))
    speech = Speech(np.zeros(112_000, np.float32), 16_000, (), words, text)
    said = Spoken(Sentence(text, "en"), speech, 2.0, 0.0)
    path = tmp_path / "s1.vtt"
    tape = Tape(tmp_path / "s1.mp4", path, SIZE, visitor="Visitor", avatar="Mira", mask=a_mask())
    cues = cues_of(said)
    for index in range(175):
        caption = caption_at(cues, 2.0 + index / 25)
        silence = np.zeros(MOMENT_OUT, np.int16)
        tape.add(LiveMoment(index, None, silence, caption, True, said, index / 25))
    tape.close()
    told = [line.removeprefix("<v Mira>") for line in path.read_text().splitlines() if line.startswith("<v")]
    assert len(told) > 1
    assert " ".join(told) == text.replace("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[card number]")


def test_where_one_of_two_private_things_has_no_place_all_of_it_is_muted() -> None:
    said = "My phone is 13800138000 and mail mira@gmail.com"
    heard = (
        "my phone is one three eight zero zero one three eight zero zero zero and mail mira at g mail dot com"
    )
    words = tuple(Word(word, at / 2, at / 2 + 0.4) for at, word in enumerate(heard.split()))
    end = len(words) * 8000
    utterance = Utterance(0, end, Transcript(said, "en", 1.0, "none", None, words), 0, end, ((0, end),), None)
    assert hushed(utterance, a_mask(), lambda start, end: np.zeros(end - start, np.float32)) == [(0, end)]


def test_a_number_that_was_taken_for_other_words_is_muted_all_the_same() -> None:
    speech, pcm = spoken(ENGLISH)
    for text, muted in (
        (timed(ENGLISH, speech).text, False),
        ("where is my order and can I return it", True),
    ):
        heard = Transcript(text, "en", 0.9, "pocketsphinx/desk-trigram")
        utterance = Utterance(0, len(pcm), heard, 0, len(pcm), ((0, len(pcm)),), None)
        found = hushed(utterance, a_mask(), lambda start, end: pcm[start:end])
        assert (found == [(0, len(pcm))]) is muted


@pytest.mark.parametrize(
    ("text", "words", "muted"),
    [
        (  # as Whisper writes it; " 4111" was cut short, and of "1111" only the end has a time
            "My card is 4111 1111-1111 1111, thank you.",
            "My card is 4111 1111 - 1111 1111, thank you.",
            (1.0, 9.0),
        ),
        ("我的卡号是4111111111111111谢谢", "我 的 卡 号 是 4111 1111 1111 1111 谢 谢", (1.0, 9.0)),
    ],
)
def test_a_number_is_muted_up_to_the_words_beside_it(
    text: str, words: str, muted: tuple[float, float]
) -> None:
    before, after = words.split(" 4111")[0].split(), words.split("1111")[-1].strip(", ").split()
    inside = words.split()[len(before) : -len(after)]
    times = [
        *(Word(word, 0.1 * at, 0.1 * at + 0.1) for at, word in enumerate(before, 10 - len(before))),
        *(Word(word, 3.0 + at, 3.1 + at) for at, word in enumerate(inside)),
        *(Word(word, 9.0 + 0.2 * at, 9.2 + 0.2 * at) for at, word in enumerate(after)),
    ]
    language = "en" if text.isascii() else "zh"
    heard = Transcript(text, language, 0.9, "faster-whisper/base", None, tuple(times))
    utterance = Utterance(8_000, 180_000, heard, 8_000, 180_000, ((8_000, 170_000),), None)
    found = hushed(utterance, a_mask(mute_unclear=False), lambda *_: np.zeros(0, np.float32))
    assert [((start - 8_000) / 16_000, (end - 8_000) / 16_000) for start, end in found] == [
        pytest.approx(muted, abs=0.01)
    ]


def test_a_tone_can_be_heard_instead() -> None:
    utterance = Utterance(0, 16_000, Transcript("x", "en", 0.0, "none"), 0, 16_000, ((0, 16_000),), None)
    assert hushed(utterance, a_mask(mute="tone"), lambda start, end: np.zeros(end - start, np.float32)) == [
        (0, 16_000)
    ]
    assert hushed(utterance, a_mask(mute="off"), lambda start, end: np.zeros(0, np.float32)) == []
    assert np.abs(silent(1600, 0, tone=True, rate=16_000)).max() == pytest.approx(TONE_LEVEL, rel=0.01)


def test_of_a_number_without_a_checksum_nobody_knows_what_belongs_to_it() -> None:
    said = "please tell me on my phone number so expire one two three four five six seven"
    words = tuple(Word(word, 0.3 * at, 0.3 * at + 0.2) for at, word in enumerate(said.split()))
    heard = Transcript(said, "en", 0.9, "pocketsphinx/desk-trigram", None, words)
    utterance = Utterance(0, 80_000, heard, 0, 80_000, ((0, 80_000),), None)
    found = hushed(utterance, a_mask(mute_unclear=False), lambda *_: np.zeros(0, np.float32))
    assert found == [(0, 80_000)]
