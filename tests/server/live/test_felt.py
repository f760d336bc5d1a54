"""What the visitor feels, in the event store and over the wire."""

import json

import pytest

from agent.conversation_events import VisitorFelt
from agent.emotion import detect_emotion
from agent.events import Felt, Heard
from agent.feeling import felt_of
from agent.history import History
from server.live.documents import FeelingDocument
from server.live.errors import LiveError
from server.live.protocol import Face, parse_message
from server.live.records import AllWords, row_of
from speech.recognizer import Transcript


def felt(text: str, history: History | None = None) -> Felt:
    memory = (history or History()).memory()
    return felt_of(Heard(Transcript(text, "en", 1.0, "typed")), memory, 10.0, detect_emotion)


def test_a_feeling_is_kept_without_words() -> None:
    event = VisitorFelt.of(3, felt("I am furious with Peter!"))
    row = row_of("s", event, 1.0, AllWords())
    assert row is not None
    assert (row.kind, row.turn) == ("felt", 3)
    assert json.loads(row.data)["label"] == "anger"
    assert "Peter" not in row.data


def test_a_feeling_is_told_with_its_confidence() -> None:
    document = FeelingDocument.of(felt("Thank you so much, that is wonderful!"))
    assert document.label == "joy"
    assert 0.3 < document.confidence <= 1.0
    assert document.scores["joy"] > document.scores["anger"]


def test_what_was_felt_before_is_remembered_until_another_visitor_comes() -> None:
    history = History()
    history.feel(felt("I am furious, you are all liars!"))
    calmer = felt("Where is it?", history)
    assert calmer.emotion.scores["anger"] > calmer.words.scores["anger"]
    history.clear()
    assert history.memory().feeling is None


def test_a_face_counts_for_one_turn() -> None:
    history = History()
    history.see({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "cheekSquintLeft": 1.0})
    smiling = felt("okay then", history)
    assert smiling.emotion.scores["joy"] > felt("okay then").emotion.scores["joy"]
    history.feel(smiling)
    assert history.memory().face is None


def test_movements_of_a_face_are_checked() -> None:
    assert isinstance(parse_message('{"type":"face","blendshapes":{"jawOpen":0.5}}'), Face)
    for wrong in ('{"jawOpen":2}', '{"jaw open":0.1}', "[0.5]", '{"jawOpen":NaN}'):
        with pytest.raises(LiveError):
            parse_message('{"type":"face","blendshapes":' + wrong + "}")
