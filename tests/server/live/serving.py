"""A server for tests: the real application on a loopback port, desks and conversations that cost nothing."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from agent.conversation_events import (
    ConversationEvent,
    HeardWords,
    Notice,
    SentenceBegan,
    StateChanged,
    TurnEnded,
    VerdictGiven,
)
from agent.desk import Desk
from agent.scripted import ScriptedAnswerer
from agent.sentence import Citation, Outcome, Sentence
from agent.stage import LiveMoment
from moderation.verdict import Action, Verdict
from server.live.app import create_app
from server.live.desks import Cast, CastOf, OpenDesk, Sinks
from server.live.options import ServeOptions
from server.live.studio import Place
from tests.agent.scripted import DESK, scripted_engines

CITATION = Citation("en/returns.md", "Returns", "You have thirty days.", 0.9)


class Blank:
    """A renderer of which only the size is asked."""

    engine, width, height = "blank", 128, 128


class FakeTalk:
    """Answers every typed question at once with one sentence; "fail" raises, "hang" never ends,
    "go on" has a sentence without end."""

    def __init__(self, on_event: Callable[[ConversationEvent], None]) -> None:
        self.on_event = on_event
        self.did: list[Any] = []
        self.sound = np.zeros(0, np.float32)
        self.turns = 0
        self.greeted = 0
        self.over = asyncio.Event()
        self.caption = ""
        self.level = 0

    async def run(self) -> None:
        self.on_event(StateChanged("listening"))
        await self.over.wait()
        if "fail" in self.did:
            raise RuntimeError("as it was told")

    def hear(self, pcm: np.ndarray) -> None:
        self.sound = np.concatenate([self.sound, pcm])

    def type(self, text: str) -> None:
        self.did.append(text)
        if text == "fail":
            self.over.set()
            return
        self.turns += 1
        if text == "go away":
            self.on_event(VerdictGiven(self.turns, Verdict(Action.END, "test.end", text)))
        self.on_event(HeardWords(self.turns, text, final=True))
        self.on_event(StateChanged("speaking"))
        self.on_event(SentenceBegan(self.turns, Sentence(f"You said {text}.", citations=(CITATION,))))
        self.caption, self.level = f"You said {text}.", 1000
        self.on_event(
            TurnEnded(
                self.turns,
                text,
                "You said.",
                Outcome.ANSWERED,
                False,
                (CITATION,),
                {"turn_end": 0.0, "first_sound": 250.0},
            )
        )
        self.on_event(StateChanged("listening"))

    def stop(self) -> None:
        self.did.append("stop")
        self.on_event(Notice("voice_failed", "secret detail of an engine"))

    def replay(self) -> None:
        self.did.append("replay")

    def pick(self, turn: int, number: int) -> None:
        self.did.append(("pick", turn, number))

    def see(self, blendshapes: Mapping[str, float]) -> None:
        """Take how the visitor's face moves."""

    def suggest(self, wanted: bool) -> None:
        self.did.append(("suggest", wanted))

    def mute(self, muted: bool) -> None:
        self.did.append(("mute", muted))

    def speak_language(self, language: str) -> None:
        self.did.append(("language", language))

    async def greet(self) -> None:
        self.greeted += 1

    async def close(self, *, finish_sentence: bool = False) -> None:
        self.did.append(("close", finish_sentence))
        if "hang" in self.did or ("go on" in self.did and finish_sentence):
            await asyncio.Event().wait()
        self.over.set()


class Stageless:
    """Makes `FakeTalk`s with a clock that hands out quiet moments."""

    def __init__(self) -> None:
        self.talks: list[FakeTalk] = []
        self.thinned: list[tuple[int, float]] = []
        self.frame: np.ndarray | None = None
        """What is shown all the time."""

    def __call__(
        self,
        opened: OpenDesk,
        place: Place,
        language: str,
        seed: int,
        on_event: Callable[[ConversationEvent], None],
    ) -> Cast:
        talk = FakeTalk(on_event)
        self.talks.append(talk)

        async def play(sinks: Sinks) -> None:
            index = 0
            while True:
                await asyncio.sleep(0.02)
                pcm = np.full(1920, talk.level, np.int16)
                for sink in tuple(sinks()):
                    sink.take(LiveMoment(index, self.frame, pcm, talk.caption, bool(talk.caption)))
                index += 1

        return Cast(talk, play, lambda *drawn: self.thinned.append(drawn), lambda: None)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait up to five seconds until something holds."""
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to hold")


def desk_in(folder: Path, web: str = "") -> Desk:
    """Write a desk with a `[web]` table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "desk.toml").write_text(f"{DESK}[web]\n{web}\n", encoding="utf-8")
    return Desk.load(folder)


def opener(name: str, desk: Desk) -> OpenDesk:
    """Open a desk with scripted engines."""
    toml = (desk.folder / "desk.toml").read_text(encoding="utf-8")
    engines = scripted_engines(desk.folder, ScriptedAnswerer(["One thing.", "Two things."]))
    (desk.folder / "desk.toml").write_text(toml, encoding="utf-8")
    engines.desk = desk
    return OpenDesk(name, desk, engines, cast("Any", Blank()))


class Server:
    """A running server, and clients for it."""

    def __init__(self, app: FastAPI, port: int, http: httpx.AsyncClient, cast: Stageless) -> None:
        self.app, self.port, self.http, self.cast = app, port, http, cast

    @property
    def service(self) -> Any:
        return self.app.state.service

    async def session(self, **wanted: object) -> dict[str, Any]:
        answer = await self.http.post("/v1/sessions", json=wanted)
        assert answer.status_code == 201, answer.text
        return cast("dict[str, Any]", answer.json())

    @asynccontextmanager
    async def live(
        self, session: dict[str, Any], *, hello: bool = True, origin: str | None = None
    ) -> AsyncGenerator[Client, None]:
        url = f"ws://127.0.0.1:{self.port}{session['ws']}"
        async with connect(url, origin=cast("Any", origin), compression=None, proxy=None) as socket:
            client = Client(socket)
            if hello:
                await client.send("hello", token=session["token"])
                await client.until("ready")
            yield client


class Client:
    """A WebSocket client that remembers what came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str, **fields: object) -> dict[str, Any]:
        """Return the next message of a kind with these fields."""
        async with asyncio.timeout(10):
            while True:
                data = await self.socket.recv()
                if isinstance(data, bytes):
                    continue
                message: dict[str, Any] = json.loads(data)
                self.seen.append(message)
                if message["type"] == kind and fields.items() <= message.items():
                    return message

    async def sound(self) -> bytes:
        """Return the next binary message."""
        async with asyncio.timeout(10):
            while True:
                data = await self.socket.recv()
                if isinstance(data, bytes):
                    return data

    async def code(self) -> int:
        """Wait until the server closes; return the code."""
        async with asyncio.timeout(10):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        assert self.socket.close_code is not None
        return self.socket.close_code


@asynccontextmanager
async def serving(
    *desks: Desk,
    options: ServeOptions | None = None,
    listeners: tuple[Any, ...] = (),
    opener: Callable[[str, Desk], OpenDesk] = opener,
    cast: CastOf | None = None,
) -> AsyncGenerator[Server, None]:
    """Run the application on a free port of the loopback."""
    made = Stageless()
    app = create_app(
        desks,
        options or ServeOptions(rates={}, max_sessions=8),
        opener=opener,
        cast=cast or made,
        listeners=listeners,
    )
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", ws="websockets-sansio"))
    task = asyncio.create_task(server._serve(sockets=[bound]))
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            yield Server(app, port, http, made)
    finally:
        server.should_exit = True
        async with asyncio.timeout(20):
            await task
