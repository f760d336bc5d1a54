"""Replays against a server: what it tells and sends is written down, and its end is no fault of a desk."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiortc.rtp import RtpPacket
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from agent.cards import Card
from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HandoffBegan,
    HeardWords,
    SentenceBegan,
    StateChanged,
    TurnEnded,
    VerdictGiven,
    VisitorFelt,
)
from agent.handoff_record import Handoff
from agent.sentence import Citation, Emotion, Outcome, Sentence
from evals.checks.conversation import check_conversation
from evals.replay import driver, running_server, webrtc, webrtc_visit
from evals.replay.media_probe import MediaProbe
from evals.replay.opus_line import LineIn
from evals.replay.record import ConversationRecord
from evals.replay.running_server import RunningServer, ServerGone
from evals.replay.soundings import Soundings
from evals.replay.webrtc import replay_webrtc
from evals.replay.webrtc_visit import Visit
from evals.replay.wire_events import NOT_KEPT, event_of, events_kept
from evals.replay.wire_media import Loudspeaker
from evals.scripts import Script, read_script
from moderation.verdict import Action, Verdict
from server.live.acting import ToolCalled
from server.live.examining import Examining
from server.live.operators import add_operator
from server.live.options import ServeOptions
from server.live.records import AllWords, row_of
from server.live.telling import told_of
from speech.timeline import Phoneme
from tests.server.live.serving import FakeTalk, Server, Stageless, desk_in, serving

SCRIPT = read_script(
    """
id: one
timeout_s: 6
turns:
  - user: Hello there
    pause_s: 0
    expect:
      handoff: asked
      verdicts: {direction: input, action: mask}
      tools: [{name: look_up, arguments: {n: 087 123 4567}}]
  - user: Bye
    pause_s: 0
expect: {state: {file: a.sqlite, query: SELECT 1, count: 1}}
""",
    Path("one.yaml"),
)
ONE = SCRIPT.model_copy(update={"turns": SCRIPT.turns[:1]})
LOUD = 0.05
SILENT = 8000
"""Samples of silence after which somebody has finished, half a second."""


class Listener(FakeTalk):
    """Answers once somebody was loud and is silent again; judges, acts and passes on what is typed."""

    session: Any = None

    def hear(self, pcm: np.ndarray) -> None:
        super().hear(pcm)
        if not self.turns and len(self.sound) > SILENT:
            loud = np.abs(self.sound) > LOUD
            if loud.any() and not loud[-SILENT:].any():
                self.type("hello")

    def type(self, text: str) -> None:
        number = self.turns + 1
        if text == "Bye":
            self.on_event(VerdictGiven(number, Verdict(Action.END, "test.end", text)))
        self.on_event(HeardWords(number, text, final=True))
        self.on_event(VerdictGiven(number, Verdict(Action.MASK, "pii.phone", text)))
        self.on_event(HandoffBegan(number, Handoff("asked", False, False, "en", "", ())))
        call: Any = ToolCalled(number, "look_up", {"n": "087 123 4567"}, "It is here.")
        self.on_event(call)
        super().type(text)


class Listeners(Stageless):
    """Makes `Listener`s."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made: Any = super().__call__(*args, **kwargs)
        made.talk.__class__ = Listener  # the same, with ears
        return made


@asynccontextmanager
async def listening(folder: Path, **more: Any) -> AsyncGenerator[tuple[str, Server], None]:
    options = ServeOptions(rates={}, max_sessions=8, **more)
    async with serving(desk_in(folder / "desk"), cast=Listeners(), options=options) as server:
        yield f"http://127.0.0.1:{server.port}", server


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "GREETING_S", 0.1)
    monkeypatch.setattr(driver, "SETTLE_S", 0.05)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(running_server.KEY, raising=False)


async def replayed(address: str, script: Script = ONE, key: str = "", **more: Any) -> ConversationRecord:
    return await asyncio.to_thread(replay_webrtc, RunningServer(address, key), script, **more)


def skipped(script: Script, record: ConversationRecord) -> dict[str, str]:
    return {one.name: one.message for one in check_conversation(script, record) if one.skipped}


def test_a_visitor_is_heard_over_webrtc(tmp_path: Path) -> None:
    async def visited() -> ConversationRecord:
        async with listening(tmp_path) as (address, _):
            return await replayed(address, folder=tmp_path / "media")

    record = asyncio.run(visited())
    assert not record.error
    (turn,) = record.turns
    assert (turn.understood, turn.reply) == ("hello", "You said hello.")
    assert record.media is not None
    assert (tmp_path / record.media.sound).is_file()
    unknown = skipped(ONE, record)
    assert {"handoff", "verdicts", "tools", "state", "media.lip_closure"} <= set(unknown)
    assert "VISAVIS_OPERATOR_KEY" in unknown["verdicts"]


def test_a_session_that_is_kept_as_another_version_does_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept(*_: str) -> dict[str, Any]:
        return {"events": [{"kind": "verdict", "turn": 1, "data": {"action": "allow"}}]}

    monkeypatch.setattr(RunningServer, "kept", kept)

    async def visited() -> ConversationRecord:
        async with listening(tmp_path) as (address, _):
            return await replayed(address, mode="text")

    assert "keeps a session as another version of Visavis does" in asyncio.run(visited()).error


@pytest.mark.parametrize("way", ["key", "kept"])
def test_what_visitors_are_not_told_is_known_by_a_key_or_by_what_is_kept(tmp_path: Path, way: str) -> None:
    file = tmp_path / "operators.json"
    key = add_operator(file, "Anna") if way == "key" else ""
    store = str(tmp_path / "sessions.sqlite") if way == "kept" else ""

    async def visited() -> ConversationRecord:
        async with listening(tmp_path, operators=str(file), store=store) as (address, _):
            return await replayed(address, SCRIPT, key, mode="text")

    record = asyncio.run(visited())
    assert not record.error
    first, second = record.turns
    assert (first.understood, first.handoff, first.verdicts[0].rule) == ("Hello there", "asked", "pii.phone")
    result = "It is here." if way == "key" else NOT_KEPT
    assert [(one.tool, one.result) for one in first.tools] == [("look_up", result)]
    assert second.verdicts[0].action == "end", "the desk itself ends the conversation: that is no error"
    checks = {one.name: one for one in check_conversation(SCRIPT, record)}
    assert checks["handoff"].passed
    assert checks["verdicts"].passed
    assert checks["tools"].passed is (way == "key")
    assert set(skipped(SCRIPT, record)) - {"media.sound"} == {"state"} | (
        {"tools"} if way == "kept" else set()
    )


def test_a_server_that_goes_away_in_the_middle_is_told_and_what_came_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Visit.send

    async def breaks(visit: Any, kind: str, **fields: object) -> None:
        if fields.get("text") == "Bye":
            visit._socket.transport.abort()
        await send(visit, kind, **fields)

    monkeypatch.setattr(Visit, "send", breaks)

    async def visited() -> ConversationRecord:
        async with listening(tmp_path) as (address, _):
            return await replayed(address, SCRIPT, mode="text")

    record = asyncio.run(visited())
    assert "went away in the middle of the conversation" in record.error
    assert record.turns[0].reply == "You said Hello there."


def test_a_server_that_sends_nothing_any_more_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webrtc_visit, "HANGS_S", -1.0)
    monkeypatch.setattr(webrtc_visit, "LOOK_S", 0.1)

    async def visited() -> ConversationRecord:
        async with listening(tmp_path) as (address, _):
            return await replayed(address, ONE, mode="text")

    assert (
        "has sent nothing for -1 s in the middle of the conversation: it hangs"
        in asyncio.run(visited()).error
    )


def test_a_full_server_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_server, "AGAIN_S", 0.05)

    async def visited() -> tuple[ConversationRecord, ConversationRecord]:
        options = ServeOptions(rates={}, max_sessions=1)
        async with serving(desk_in(tmp_path / "desk"), cast=Listeners(), options=options) as server:
            address = f"http://127.0.0.1:{server.port}"
            session = await server.session()
            going = asyncio.create_task(replayed(address, mode="text"))
            await asyncio.sleep(0.2)
            headers = {"Authorization": f"Bearer {session['token']}"}
            await server.http.delete(f"/v1/sessions/{session['session']}", headers=headers)
            waited = await going
            await server.session()
            monkeypatch.setattr(running_server, "PATIENCE_S", 0.1)
            return await replayed(address, mode="text"), waited

    full, waited = asyncio.run(visited())
    assert "lets nobody in after 0.1 s (503): everybody is busy" in full.error
    assert not waited.error


@pytest.mark.parametrize(
    ("key", "desk", "language", "error"),
    [
        ("nobody's", "", "en", "refuses: nobody has this key"),
        ("", "front", "en", "(404): there is no such desk here; choose of: desk"),
        ("", "", "fr", "lets nobody in"),
    ],
)
def test_who_is_not_let_in_is_told_why(
    tmp_path: Path, key: str, desk: str, language: str, error: str
) -> None:
    script = ONE.model_copy(update={"desk": desk, "language": language})

    async def visited() -> ConversationRecord:
        async with listening(tmp_path) as (address, _):
            return await replayed(address, script, key, mode="text")

    assert error in asyncio.run(visited()).error


Says = Callable[[Any], Awaitable[None]]


@asynccontextmanager
async def another(says: Says, status: int = 200, kind: str = "", body: str = "") -> AsyncGenerator[str, None]:
    """Serve something else than this version of Visavis."""

    def answered(connection: Any, request: Any) -> Response | None:
        if request.path == "/live":
            return None
        return Response(status, "", Headers({"Content-Type": kind}), body.encode())

    async with serve(says, "127.0.0.1", 0, process_request=answered) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def says_nothing(socket: Any) -> None:
    await socket.wait_closed()


async def says_it_otherwise(socket: Any) -> None:
    await socket.recv()
    await socket.send('{"type": "ready"}')
    await socket.send('{"type": "sentence", "words": "Hello."}')
    await socket.wait_closed()


async def sends_no_sound(socket: Any) -> None:
    await socket.recv()
    await socket.send('{"type": "ready"}')
    await socket.wait_closed()


async def knows_no_keys(socket: Any) -> None:
    if "key" in json.loads(await socket.recv()):
        remedy = "see /docs for the messages"
        told = {"type": "error", "message": '"key" is no field that is known here', "remedy": remedy}
        await socket.send(json.dumps(told))
        return
    await socket.send('{"type": "ready"}')
    await socket.send('{"type": "ended", "reason": "without a key"}')


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (says_nothing, "says nothing within 0.5 s: it hangs"),
        (
            says_it_otherwise,
            "is another version of Visavis than this one: its message 'sentence' cannot be read",
        ),
        (sends_no_sound, "no sound came from"),
        (knows_no_keys, "ended the session (without a key)"),
    ],
)
def test_another_version_is_named(says: Says, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc_visit, "CONNECT_S", 0.5)

    async def session(server: Any, desk: str, language: str) -> dict[str, Any]:
        return {"session": "s", "token": "t", "ws": "/live"}

    monkeypatch.setattr(RunningServer, "session", session)

    async def visited() -> ConversationRecord:
        async with another(says) as address:
            return await replayed(address, key="k", mode="text")

    assert error in asyncio.run(visited()).error


@pytest.mark.parametrize(
    ("kind", "body"), [("text/html", "<h1>Bad gateway</h1>"), ("application/json", "[]")]
)
def test_what_is_no_visavis_is_told(kind: str, body: str) -> None:
    async def asked() -> None:
        async with another(says_nothing, 502, kind, body) as address:
            await asyncio.to_thread(RunningServer(address).health)

    with pytest.raises(ServerGone, match=rf"does not answer as a Visavis server .* \(502, {kind}\)"):
        asyncio.run(asked())


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ServerGone, match=r"does not answer \(ConnectError.*start it with `visavis serve`"):
        RunningServer("http://127.0.0.1:9").health()


@pytest.mark.parametrize(
    "event",
    [
        StateChanged("speaking"),
        HeardWords(2, "hello", final=True),
        SentenceBegan(
            2, Sentence("Yes.", "en", Emotion("happy", 0.5), citations=(Citation("a.md", "A", "yes", 0.5),))
        ),
        CardShown(2, Card("link", "Returns", ("a",), "https://example.org/")),
        TurnEnded(2, "", "Yes.", Outcome.ANSWERED, True, (), {"turn_end": 400.0}),
    ],
)
def test_events_are_the_same_after_the_wire(event: ConversationEvent) -> None:
    told = told_of(event)
    assert told is not None
    assert event_of({"type": told[0], **told[1]}) == event


@pytest.mark.parametrize(
    "event",
    [
        VerdictGiven(2, Verdict(Action.REFUSE, "a.b", "", category="hate", scores={"hate": 0.5})),
        VisitorFelt(2, Emotion("anger", 0.5), Emotion("anger", 0.5), None, 0.7),
        HandoffBegan(2, Handoff("anger", True, False, "", "", ())),
        ToolCalled(2, "look_up", {"n": "1"}, "Here."),
    ],
)
def test_inner_events_are_the_same_after_the_wire_and_but_for_results_in_what_is_kept(event: Any) -> None:
    told: list[dict[str, Any]] = []

    class Post:
        def examine(self, kind: str, **fields: Any) -> None:
            told.append({"type": kind, **fields})

    Examining(Post()).happened(event)  # type: ignore[arg-type]
    assert event_of(told[0]) == event
    row = row_of("s", event, 1.0, AllWords())
    assert row is not None
    kept = replace(event, result=NOT_KEPT) if isinstance(event, ToolCalled) else event
    assert list(events_kept([{"kind": row.kind, "turn": row.turn, "data": json.loads(row.data)}])) == [kept]


def test_sentences_lie_where_they_sound_though_messages_come_late() -> None:
    """Bursts of sound at known places; the server's count began 700 moments before, its news 80 ms late."""
    heard = Loudspeaker(lambda: 0.0)
    heard.began_s = 5.0
    phonemes = (Phoneme("", 0, 0.1), Phoneme("m", 0.1, 0.3), Phoneme("", 0.3, 0.6), Phoneme("a", 0.6, 1.0))
    pcm = np.zeros(48_000 * 4, np.int16)
    voice = (8000 * np.sin(np.arange(48_000) * 0.13)).astype(np.int16)
    for begin_s in (0.4, 2.0):
        for one in phonemes:
            first, count = round((begin_s + one.start_s) * 48_000), round((one.end_s - one.start_s) * 48_000)
            if one.symbol:
                pcm[first : first + count] = voice[:count]
    heard._place(0, pcm)
    soundings = Soundings()
    for moment, said in ((710, phonemes), (735, ()), (750, phonemes), (775, ())):
        told = [[one.symbol, one.start_s, one.end_s] for one in said]
        at_s = 5.0 + (moment - 700) * 0.04 + 0.08
        soundings.take({"moment": moment, "at_s": 0.0, "phonemes": told}, at_s)
    soundings.lay_over(heard)
    spoken = [index for index, one in heard.moments.items() if one.spoken is not None]
    assert spoken == [*range(10, 35), *range(50, 75)]
    assert heard.moments[52].at_s == pytest.approx(0.08)


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


def test_a_picture_that_stands_still_does_so_through_a_codec() -> None:
    random = np.random.default_rng(1)
    face = np.kron(random.integers(20, 230, (64, 64, 1)), np.ones((8, 8, 3), np.int16))
    probe = MediaProbe("a", None, None, coded=True)
    for index in range(60):
        moved = min(index, 20) if index < 50 else index
        shown = np.roll(face, 4 * moved, axis=1) + random.integers(-6, 7, face.shape)
        probe.see(index, np.clip(shown, 0, 255).astype(np.uint8))
    assert probe._still == pytest.approx(29, abs=1)
