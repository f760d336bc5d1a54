"""Replays against a server: what it tells and sends is written down, and its end is no fault of a desk."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from agent.cards import Card
from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HeardWords,
    SentenceBegan,
    StateChanged,
    TurnEnded,
)
from agent.sentence import Citation, Emotion, Outcome, Sentence
from evals.replay import webrtc
from evals.replay.opus_line import LineIn
from evals.replay.webrtc import replay_webrtc
from evals.replay.webrtc_visit import Loudspeaker
from evals.replay.wire_events import event_of
from evals.scripts import read_script
from server.live.telling import told_of
from tests.server.live.serving import FakeTalk, Stageless, desk_in, serving

SCRIPT = read_script("id: one\ntimeout_s: 6\nturns:\n  - user: Hello there\n", Path("one.yaml"))
LOUD = 0.05
SILENT = 8000
"""Samples of silence after which somebody has finished, half a second."""


class Listener(FakeTalk):
    """Answers once somebody was loud and is silent again; with a second word it ends the session."""

    word = "hello"

    def hear(self, pcm: np.ndarray) -> None:
        super().hear(pcm)
        if not self.turns and len(self.sound) > SILENT:
            loud = np.abs(self.sound) > LOUD
            if loud.any() and not loud[-SILENT:].any():
                self.type(self.word)


class Listeners(Stageless):
    """Makes `Listener`s."""

    word = "hello"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made: Any = super().__call__(*args, **kwargs)
        made.talk.__class__ = Listener  # the same, with ears
        made.talk.word = self.word
        return made


@pytest.mark.parametrize(("word", "error"), [("hello", ""), ("go away", "ended the session")])
def test_a_visitor_is_heard_over_webrtc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, error: str
) -> None:
    monkeypatch.setattr(webrtc, "GREETING_S", 0.1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    async def visited() -> Any:
        cast = Listeners()
        cast.word = word
        async with serving(desk_in(tmp_path / "desk"), cast=cast) as server:
            address = f"http://127.0.0.1:{server.port}"
            return await asyncio.to_thread(replay_webrtc, address, SCRIPT, folder=tmp_path / "media")

    record = asyncio.run(visited())
    assert error in record.error
    assert bool(error) == bool(record.error)
    (turn,) = record.turns
    assert turn.understood == word
    assert error or turn.reply == "You said hello."
    assert record.media is not None
    assert (tmp_path / record.media.sound).is_file()


def test_a_server_that_is_not_there_is_told() -> None:
    record = replay_webrtc("http://127.0.0.1:9", SCRIPT)
    assert record.error.startswith(
        "http://127.0.0.1:9 does not answer (ConnectError): start it with `visavis serve`"
    )


@pytest.mark.parametrize(
    "event",
    [
        StateChanged("speaking"),
        HeardWords(2, "hello", final=True),
        SentenceBegan(
            2, Sentence("Yes.", "en", Emotion("happy", 1.0), citations=(Citation("a.md", "A", "yes", 0.5),))
        ),
        CardShown(2, Card("link", "Returns", ("a",), "https://example.org/")),
        TurnEnded(2, "", "Yes.", Outcome.ANSWERED, True, (), {"turn_end": 400.0}),
    ],
)
def test_events_are_the_same_after_the_wire(event: ConversationEvent) -> None:
    told = told_of(event)
    assert told is not None
    assert event_of({"type": told[0], **told[1]}, 1) == event


def test_sound_lies_where_its_stamps_put_it_whatever_order_it_comes_in() -> None:
    now = [0.0]
    speaker = Loudspeaker(lambda: now[0])
    tone = (8000 * np.sin(np.arange(1920) * 0.06)).astype(np.int16)
    line = LineIn(lambda pcm: None, lambda: now[0])
    packets = [packet for index in range(5) for packet in line.packets(tone, index)]
    for number in (0, 1, 2, 8, 9):
        now[0] = 10.0 + number * 0.02 + (0.5 if number == 2 else 0.0)
        speaker.add(
            RtpPacket(sequence_number=number, timestamp=4_294_967_000 + number * 960, payload=packets[number])
        )
    assert speaker.began_s == pytest.approx(10.0)
    assert speaker.count == 5
    assert speaker.first_audible_s(10.0, 11.0) == pytest.approx(10.0, abs=0.01)
    assert speaker.first_audible_s(10.07, 11.0) == pytest.approx(10.16, abs=0.01)
