import json
from pathlib import Path

import numpy as np
import pytest

from agent.scripted import ScriptedAnswerer
from agent.turn import TurnTaker
from agent.turn_commands import Command
from agent.turn_settings import TurnSettings
from evals.turns.__main__ import main
from evals.turns.ends import FIXED_S, Point, area, delay_at, ends_of, fixed, point_of, scaled
from evals.turns.figures import FIXED, OURS, end_figures, overlap_rows
from evals.turns.hearing import HeardTurn, KnownWords, Stretch
from evals.turns.overlap import Fate, KnowingRecognizer, fate_of, prepared
from evals.turns.page import write_page
from evals.turns.sounds import Behind, Overlap, background
from evals.turns.speech import SpokenTurn, close_voices, made_turns, phrases, recorded_turns
from evals.turns.transcripts import transcripts_of
from speech.audio import to_mono_16k
from speech.errors import AudioError
from speech.espeak import EspeakSynthesizer
from tests.agent.scripted import scripted_engines

SETTINGS = TurnSettings()


def heard(*parts: tuple[str, float], voice_s: float = 1.0) -> HeardTurn:
    """A turn whose parts last as long as each other; each with the pause after it, the last with none."""
    stretches, pauses, at_s, text = [], [], 0.5, ""
    for words, pause_s in parts:
        text = f"{text} {words}".strip()
        end_s = at_s + voice_s
        known = KnownWords(text, 1.0, "en", None, None)
        stretches.append(Stretch(at_s, at_s + 0.26, end_s, end_s + 0.2, known))
        if pause_s:
            pauses.append((end_s, end_s + pause_s))
        at_s = end_s + pause_s
    silence = []
    for tick in range(round((end_s + 6.0) / 0.02)):
        now_s = (tick + 1) * 0.02
        last = [one for one in stretches if one.start_s <= now_s]
        silence.append(max(now_s - last[-1].end_s, 0.0) if last else now_s)
    turn = SpokenTurn("test", "en", "plain", np.zeros(0, np.float32), tuple(pauses), end_s)
    return HeardTurn(turn, tuple(stretches), np.asarray(silence, np.float32))


SAID = [
    heard(("my order number is", 0.9), ("four seven one one", 0.0)),
    heard(("I would like to buy a tent", 0.5), ("and two mats", 0.0)),
    heard(("where is my order", 0.0)),
]


def test_a_pause_after_a_half_sentence_does_not_end_the_turn_and_its_true_end_does() -> None:
    ends = ends_of(SAID[0], SETTINGS)
    assert ends.pauses == 1
    assert ends.cut == ()
    assert ends.delay_s is not None
    assert SETTINGS.quick_end_s <= ends.delay_s <= SETTINGS.slow_end_s
    whole = ends_of(SAID[2], SETTINGS)
    assert whole.delay_s == pytest.approx(SETTINGS.quick_end_s, abs=0.05)


def test_a_turn_taking_that_cannot_wait_cuts_more_off() -> None:
    hasty = TurnSettings(quick_end_s=0.05, slow_end_s=0.3, unsure_end_s=0.3)
    patient, cut = (
        point_of("", 1.0, [ends_of(one, settings) for one in SAID]) for settings in (SETTINGS, hasty)
    )
    assert patient.cut_offs < cut.cut_offs == 2
    assert cut.rate == 1.0
    assert cut.delay_s < patient.delay_s


def test_a_fixed_silence_cuts_off_what_is_longer_and_waits_as_long() -> None:
    points = [point_of("", one, [ends_of(each, fixed(SETTINGS, one)) for each in SAID]) for one in FIXED_S]
    assert [one.cut_offs for one in points[:2]] == [2, 2]
    assert points[FIXED_S.index(0.6)].cut_offs == 1
    assert points[-1].cut_offs == 0
    for point in points:
        assert point.delay_s == pytest.approx(point.setting, abs=0.05)


def test_a_turn_that_nobody_answers_is_lost() -> None:
    class Deaf(TurnTaker):
        def words(self, *_: object, **__: object) -> list[Command]:
            return []

    ends = ends_of(SAID[2], SETTINGS, Deaf)
    assert ends.delay_s is None


def test_waits_are_scaled_together() -> None:
    assert scaled(SETTINGS, 2.0).end_delay_s(0.0) == 2 * SETTINGS.end_delay_s(0.0)
    assert scaled(SETTINGS, 0.5).unsure_end_s == SETTINGS.unsure_end_s / 2


def point(rate: float, delay_s: float) -> Point:
    return Point("", 1.0, 100, 50, round(100 * rate), rate, 0, 1, 0, 0, delay_s, 0, 0, 0, 0)


def test_one_figure_of_a_curve_reads_between_its_points() -> None:
    line = [point(0.1, 0.4), point(0.0, 0.8), point(0.3, 0.2)]
    assert delay_at(line, 0.05) == pytest.approx(0.6)
    assert delay_at(line[:1], 0.05) is None
    # everything up to 0.2 s, then 30 %, 10 %, nothing, over 2 s
    assert area(line) == pytest.approx((0.2 * 1.0 + 0.2 * 0.3 + 0.4 * 0.1) / 2.0)


def test_made_turns_pause_where_they_should_and_tell_what_was_said_until_then() -> None:
    made = []
    for _ in range(2):
        made.append(next(made_turns("en", 3, 1)))
        close_voices()
    turn, again = made
    assert np.array_equal(turn.pcm, again.pcm)
    parts = [part.strip() for part in phrases()["en"]["hesitation"][0].split("|")]
    before = [turn.said_until((begin + end) / 2) for begin, end in turn.pauses]
    assert before == [" ".join(parts[: number + 1]) for number in range(len(parts) - 1)]
    assert turn.said_until(turn.end_s + 1) == " ".join(parts)


def test_transcripts_are_read_in_the_forms_of_public_sets(tmp_path: Path) -> None:
    files = {
        name: tmp_path / name / f"{name}.wav" for name in ("tsv", "txt", "ljs", "libri", "sphinx", "none")
    }
    for file in files.values():
        file.parent.mkdir()
        file.touch()
    (tmp_path / "tsv" / "transcripts.tsv").write_text("tsv.wav\tone\n")
    (tmp_path / "txt" / "txt.txt").write_text("<s> two </s>\n")
    (tmp_path / "ljs" / "metadata.csv").write_text("ljs|3|three\n")
    (tmp_path / "libri" / "1-2.trans.txt").write_text("libri FOUR\n")
    (tmp_path / "sphinx" / "a.transcription").write_text("<s> five <sil> six </s> (sphinx)\n")
    found = {file.stem: text for file, text in transcripts_of(files.values()).items()}
    assert found == {"tsv": "one", "txt": "two", "ljs": "three", "libri": "four", "sphinx": "five six"}


def test_recorded_pauses_are_found_and_long_ones_part_turns() -> None:
    jfk = Path(__file__).parents[2].parent / "shared" / "data" / "jfk"
    if not jfk.is_dir():
        pytest.skip("needs the recording of ../shared/data/jfk")
    turns = list(recorded_turns([jfk]))
    assert len(turns) == 1
    assert sum(end - begin > 0.5 for begin, end in turns[0].pauses) == 3


@pytest.fixture(scope="module")
def voice() -> dict[str, np.ndarray]:
    """Words and how they sound, at 16 kHz."""
    speaker = EspeakSynthesizer()
    try:
        spoken = {text: speaker.speak(text, language="en") for text in ("yeah", "what about the tent")}
    finally:
        speaker.close()
    return {text: to_mono_16k(one.pcm, one.sample_rate) for text, one in spoken.items()}


def into_reply(folder: Path, overlap: Overlap, **more: object) -> Fate:
    engines = prepared(scripted_engines(folder, ScriptedAnswerer([])), "en")
    return fate_of(engines, overlap, KnowingRecognizer(overlap), **more)  # type: ignore[arg-type]


def test_words_end_a_reply_and_how_soon_is_told(tmp_path: Path, voice: dict[str, np.ndarray]) -> None:
    words = "what about the tent"
    fate = into_reply(tmp_path, Overlap("barge_in", words, "en", "medium", voice[words], 1.0))
    assert fate.yielded
    assert fate.ended
    assert fate.silent_ms is not None
    assert 300 <= fate.silent_ms <= 600
    assert fate.answered_ms is not None


def test_a_turn_taking_that_never_yields_is_told_so(tmp_path: Path, voice: dict[str, np.ndarray]) -> None:
    class Deaf(TurnTaker):
        def speech_started(self, now_s: float, since_s: float) -> list[Command]:
            return []

        def speech_ended(self, now_s: float, last_s: float) -> list[Command]:
            return []

    words = "what about the tent"
    overlap = Overlap("barge_in", words, "en", "medium", voice[words], 1.0)
    fate = into_reply(tmp_path, overlap, taker=Deaf)
    assert not fate.yielded
    assert overlap_rows("en", "script", [fate] * 10)[0]["yielded"] == 0.0


def test_a_backchannel_holds_a_reply_at_most(tmp_path: Path, voice: dict[str, np.ndarray]) -> None:
    fate = into_reply(tmp_path, Overlap("backchannel", "yeah", "en", "", voice["yeah"], 1.0))
    assert not fate.ended
    assert fate.answered_ms is None


def test_a_quiet_room_stops_nothing(tmp_path: Path) -> None:
    fate = into_reply(tmp_path, Overlap("nothing", "", "en", "", np.zeros(0, np.float32), 0.0))
    assert fate.sounding
    assert fate.silent_s == 0.0


def test_a_background_is_as_loud_as_it_says() -> None:
    loud, soft = (background(Behind("pink", below_db), 1) for below_db in (10.0, 20.0))
    assert np.std(loud) / np.std(soft) == pytest.approx(10**0.5, rel=1e-3)


def test_few_events_have_no_rate(tmp_path: Path) -> None:
    fate = Fate(Overlap("noise", "cough", "en", "cough", np.zeros(0, np.float32), 1.0), sounding=True)
    few, many = (overlap_rows("en", "script", [fate] * count)[0] for count in (9, 10))
    assert few["ignored"] is None
    assert many["ignored"] == 1.0


def test_the_page_shows_the_curves(tmp_path: Path) -> None:
    figures = end_figures("en", "script", SAID * 6, SETTINGS)
    made = {"engines": {"recognition": "none"}, "turn_end": "words", "seed": 0, "fewest": 10, "command": "x"}
    document = {
        "made": made | {"least_pause_s": 0.2, "area_s": 2.0},
        "ends": [figures.document()],
        "overlaps": [],
    }
    json.dumps(document, allow_nan=False)
    written = write_page(tmp_path, document, [figures], {})
    page = written[0].read_text("utf-8")
    assert page.count("<svg") == 2
    assert OURS in page
    assert FIXED in page
    assert {one.suffix for one in written[1:]} == {".svg"}


def test_recordings_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AudioError, match="not there"):
        list(recorded_turns([tmp_path / "none.wav"]))
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "none.wav")])
    assert ended.value.code == 2
    assert "none.wav is not there" in capsys.readouterr().err
