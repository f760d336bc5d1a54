import pytest

from agent.gesturing import gesture_of
from agent.sentence import REPLY_EMOTIONS, Emotion, Outcome, Sentence
from avatar import GESTURES


@pytest.mark.parametrize("emotion", REPLY_EMOTIONS)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_first_sentence_has_a_gesture_that_exists_and_later_ones_have_none(
    emotion: str, outcome: Outcome
) -> None:
    sentence = Sentence("Yes.", emotion=Emotion(emotion), outcome=outcome)
    assert gesture_of(sentence, first=True) in GESTURES
    assert gesture_of(sentence, first=False) is None


def test_what_a_sentence_asks_for_comes_first() -> None:
    sentence = Sentence("Goodbye.", outcome=Outcome.HANDOFF, gesture="farewell")
    assert gesture_of(sentence, first=True) == gesture_of(sentence, first=False) == "farewell"


def test_outcomes_speak_louder_than_a_neutral_voice() -> None:
    said = {
        outcome: gesture_of(Sentence("…", outcome=outcome), first=True)
        for outcome in (Outcome.ANSWERED, Outcome.CLARIFIED, Outcome.HANDOFF, Outcome.ABSTAINED)
    }
    assert len(set(said.values())) == 4
