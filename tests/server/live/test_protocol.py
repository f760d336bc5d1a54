import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.live.errors import LiveError
from server.live.protocol import MESSAGE_BYTES, Hello, Offer, Report, Typed, message, parse_message


def refused(raw: str) -> LiveError:
    with pytest.raises(LiveError) as caught:
        parse_message(raw)
    return caught.value


def test_messages_are_read_as_what_they_are() -> None:
    assert parse_message('{"type":"hello","token":"t"}') == Hello(type="hello", token="t")
    assert parse_message('{"type":"offer","sdp":"v=0"}') == Offer(type="offer", sdp="v=0")
    assert parse_message('{"type":"text","text":" 你好 "}') == Typed(type="text", text="你好")
    report = parse_message('{"type":"report","fps":24.9,"something":"new"}')
    assert isinstance(report, Report)
    assert report.fps == 24.9


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a\x00\x1b[2Jb\x9bc", "a[2Jbc"),
        ("\u202etxt\u200b\ufeff \u2066x", "txt x"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("👩\u200d🚀 می\u200cخواهم 你好？", "👩\u200d🚀 می\u200cخواهم 你好？"),
    ],
)
def test_what_nobody_sees_is_taken_out_of_a_text(typed: str, read: str) -> None:
    assert parse_message(json.dumps({"type": "text", "text": typed})) == Typed(type="text", text=read)


def test_a_text_of_which_nothing_is_to_be_seen_is_empty() -> None:
    assert "is empty" in refused(json.dumps({"type": "text", "text": " \u202e\u200b\x00 "})).message


def test_a_complaint_names_the_field_and_never_what_it_held() -> None:
    error = refused('{"type":"text","text":{"card":"4111111111111111"}}')
    assert error.code == "bad_message"
    assert "text" in error.message
    assert "4111" not in str(error)


def test_a_mistake_is_told_in_plain_words() -> None:
    for raw, said in (
        ('{"type":"mute","muted":"maybe"}', '"mute.muted" has to be true or false'),
        ('{"type":"report","fps":-1}', '"report.fps" has to be 0 or more'),
        ('{"type":"report","turn":1.5}', '"report.turn" has to be a whole number'),
        ('{"type":"dance"}', 'the message is of a "type" that is not known here'),
        ("{}", 'the message has no "type"'),
        ("[1]", "a JSON object is wanted here, over HTTP as application/json"),
    ):
        assert refused(raw).message == said


def test_too_long_a_message_is_not_even_read() -> None:
    assert refused('{"type":"stop"' + " " * MESSAGE_BYTES + "}").code == "too_large"


def test_deep_nesting_and_endless_numbers_are_refused() -> None:
    assert refused("[" * 30_000).code == "bad_json"
    assert refused('{"type":' * 8_000).code == "bad_json"
    assert refused('{"type":"report","fps":NaN}').code == "bad_message"
    assert refused('{"type":"report","turn":' + "9" * 5000 + "}").code in ("bad_json", "bad_message")


KEYS = st.sampled_from(["type", "text", "sdp", "on", "token"]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


@given(JSON)
def test_whatever_comes_is_a_message_or_an_error_with_a_remedy(document: object) -> None:
    error: LiveError | None = None
    try:
        parse_message(json.dumps(document))
    except LiveError as caught:
        error = caught
    assert error is None or (error.code in ("bad_json", "bad_message") and error.remedy)


def test_a_message_to_the_client_is_one_line_of_json() -> None:
    assert json.loads(message("caption", text="a\nb", turn=1)) == {
        "type": "caption",
        "text": "a\nb",
        "turn": 1,
    }
    assert "\n" not in message("caption", text="a\nb")
