from pathlib import Path

from agent.sayings import SAYINGS, expected
from speech.recognizer import load_recognizer
from speech.synthesizer import load_synthesizer


def test_a_visitor_who_says_stop_to_a_desk_about_tents_is_understood(tmp_path: Path) -> None:
    texts = ["A tent has a warranty of five years.", "We ship tents to Ireland within a week."] * 4
    recognizer = load_recognizer(engine="pocketsphinx", texts=expected(texts), state_dir=tmp_path)
    voice = load_synthesizer()
    try:
        for word in ("stop", "wait", "no"):
            speech = voice.speak(word, language="en")
            assert recognizer.transcribe(speech.pcm, speech.sample_rate).text == word
    finally:
        voice.close()
        recognizer.close()


def test_what_everybody_says_comes_on_top_of_the_documents() -> None:
    texts = expected(["One."])
    assert texts[0] == "One."
    assert set(SAYINGS) < set(texts)
