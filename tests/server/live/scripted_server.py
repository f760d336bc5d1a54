"""A server that plays a conversation by script, so that the pages can be tried in a browser without engines.

It speaks the wire of `server.live.protocol`, which parses what the pages send: a page that strays fails here.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import uvicorn
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from server.live.documents import (
    ChatDocument,
    ChatRequest,
    CitationDocument,
    DeskDocument,
    NewSession,
    QueueDocument,
    SentenceDocument,
    SessionDocument,
)
from server.live.protocol import parse_message

PAGES = Path(__file__).parents[3] / "server" / "live" / "pages"
POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; media-src 'self' blob:; "
    "style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'"
)
"""Stricter than a server may be: no inline script or style passes."""

ANSWERS = {
    "en": (
        ["You can return anything within 30 days.", "Refunds reach you in five working days."],
        {
            "source": "manual.pdf#page=3",
            "url": "https://shop.example/manual.pdf#page=3",
            "page": 3,
            "section": "After delivery",
            "title": "Returns and refunds",
            "text": "## Returns\nSend it back within **30 days**. <img src=x onerror=alert(1)> Unused only.",
            "score": 0.91,
        },
    ),
    "zh": (
        ["您可以在三十天内退货。", "退款会在五个工作日内到账。"],
        {"source": "zh/returns.md", "title": "退货与退款", "text": "三十天内可以退货。", "score": 0.88},
    ),
}


@dataclass
class Script:
    """What the server does, and what it saw."""

    places: int = 10
    ahead: int = 0
    """In the queue, going down by one each time it is asked."""
    media: bool = True
    """Answer offers; False: as if UDP were blocked."""
    crowded: bool = False
    """Answer offers as if all UDP ports were taken."""
    ready_s: float = 0.0
    """After the hello."""
    complains: bool = False
    """Say that something else is wrong while an offer is being answered."""
    lets_sockets: bool = True
    """False: as if a proxy knew no WebSockets."""
    healthy: bool = True
    record: bool = True
    poster: Path | None = None
    pause_s: float = 0.15
    """Between two steps of the script."""
    sentence_s: float | None = None
    """How long a sentence is spoken; None: three steps."""
    began_s: float = field(default_factory=time.monotonic)
    requests: list[str] = field(default_factory=list)
    sessions: list[NewSession] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    """Every message of the pages."""
    sound_bytes: int = 0
    unannounced_bytes: int = 0
    """Sound that came where none was expected."""
    ice_servers: list[dict[str, Any]] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)
    """Shown with the first sentence of every answer."""
    ended: list[str] = field(default_factory=list)
    """Sessions that their visitor has ended, by either way."""
    tokens: list[str] = field(default_factory=list)
    """With which connections said hello."""
    sockets: list[WebSocket] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a type."""
        return [one for one in self.seen if one["type"] == kind]


class Beep(AudioStreamTrack):
    """A tone while the assistant speaks, else silence."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.player = player

    async def recv(self) -> av.AudioFrame:
        silence = await super().recv()
        loud = 9000 if self.player.speaking else 0
        at = np.arange(silence.samples) + (silence.pts or 0)
        tone = (loud * np.sin(at * 2 * math.pi * 440 / silence.sample_rate)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), layout="mono")
        frame.pts, frame.sample_rate = silence.pts, silence.sample_rate
        frame.time_base = Fraction(1, silence.sample_rate)
        return frame


class Card(VideoStreamTrack):
    """A picture that moves a little, or the poster."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.player = player
        self.picture = np.full((96, 96, 3), (150, 170, 180), np.uint8)
        if player.script.poster:
            with av.open(str(player.script.poster)) as opened:
                self.picture = next(opened.decode(video=0)).to_ndarray(format="rgb24")

    async def recv(self) -> av.VideoFrame:
        await self.next_timestamp()
        pts, base = await self.next_timestamp()  # 15 pictures a second are enough to look at
        picture = self.picture.copy()
        picture[:4, : 1 + pts // 3000 % picture.shape[1]] = 255
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, base
        return frame


class Player:
    """Plays the script on one WebSocket."""

    def __init__(self, script: Script, socket: WebSocket, session: str) -> None:
        self.script, self.socket, self.session = script, socket, session
        self.speaking = False
        self.audio = False
        self.turn = 0
        self.peer: RTCPeerConnection | None = None
        self.reply: asyncio.Task[None] | None = None
        self.voice: asyncio.Task[None] | None = None

    async def send(self, kind: str, **fields: Any) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page has gone
            await self.socket.send_json({"type": kind, **fields})

    async def serve(self) -> None:
        hello = parse_message(await self.socket.receive_text())
        assert hello.type == "hello"
        await asyncio.sleep(self.script.ready_s)
        self.script.tokens.append(hello.token)
        await self.send(
            "ready",
            state="listening",
            resumed=False,
            ice_servers=self.script.ice_servers,
            token=f"token {len(self.script.tokens)}",
        )
        try:
            while True:
                got = await self.socket.receive()
                if got["type"] == "websocket.disconnect":
                    return
                if got.get("bytes") is not None:
                    self.script.sound_bytes += len(got["bytes"])
                    self.script.unannounced_bytes += 0 if self.audio else len(got["bytes"])
                    continue
                said = parse_message(got["text"])
                self.script.seen.append(said.model_dump())
                await self.take(said)
        finally:
            for task in (self.reply, self.voice):
                if task:
                    task.cancel()
            if self.peer:
                await self.peer.close()

    async def take(self, said: Any) -> None:
        match said.type:
            case "offer":
                await self.connect(said.sdp)
            case "text":
                self.reply = asyncio.create_task(self.answer(said.text))
            case "stop" if self.reply:
                self.reply.cancel()
            case "audio":
                self.audio = said.on
                if self.voice is None:
                    self.voice = asyncio.create_task(self.speak())
            case "end":
                self.script.ended.append(self.session)
                await self.send("ended", reason="visitor")

    async def connect(self, sdp: str) -> None:
        if not self.script.media:
            await self.send(
                "error", code="offer_failed", message="no way through", remedy="use another network"
            )
            return
        if self.script.crowded:
            await self.send("error", code="offer_ports", message="all UDP ports are taken", remedy="later")
            return
        if self.script.complains:
            await self.send("error", code="too_long", message="something else", remedy="mend it")
        if self.peer is None:
            self.peer = RTCPeerConnection()
            self.peer.addTrack(Beep(self))
            self.peer.addTrack(Card(self))
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        await self.send("answer", sdp=self.peer.localDescription.sdp)

    async def speak(self) -> None:
        """Send 20 ms of sound after the other while it is wished for."""
        at = 0
        while True:
            if self.audio:
                loud = 9000 if self.speaking else 0
                wave = [int(loud * math.sin((at + n) * 2 * math.pi * 440 / 24000)) for n in range(480)]
                await self.socket.send_bytes(struct.pack("<480h", *wave))
            at += 480
            await asyncio.sleep(0.02)

    async def answer(self, text: str) -> None:
        self.turn += 1
        turn = self.turn
        language = "zh" if any(letter > "\u3400" for letter in text) else "en"
        sentences, citation = ANSWERS[language]
        said = ""
        await self.send("heard", turn=turn, text=text[: len(text) // 2], final=False)
        await self.send("heard", turn=turn, text=text, final=True)
        await self.send("state", state="thinking")
        await asyncio.sleep(self.script.pause_s)
        try:
            await self.send("state", state="speaking")
            self.speaking = True
            for number, sentence in enumerate(sentences):
                cited = [citation] if number == 0 else []
                await self.send(
                    "sentence", turn=turn, text=sentence, language=language, citations=cited, emotion="happy"
                )
                await self.send("caption", turn=turn, text=sentence)
                if number == 0:
                    for card in self.script.cards:
                        await self.send("card", turn=turn, **card)
                said = f"{said} {sentence}".strip()
                spoken_s = self.script.sentence_s
                await asyncio.sleep(self.script.pause_s * 3 if spoken_s is None else spoken_s)
            outcome, interrupted = "done", False
        except asyncio.CancelledError:
            outcome, interrupted = "interrupted", True
        self.speaking = False
        await self.send("caption", turn=turn, text="")
        await self.send(
            "turn", turn=turn, outcome=outcome, heard=said, interrupted=interrupted, timings_ms={}
        )
        await self.send("state", state="listening")


def desk(script: Script) -> dict[str, Any]:
    """Return the desk as visitors see it."""
    document = DeskDocument(
        id="demo",
        name="Hollow & Pine service desk",
        persona="Mira",
        company="Hollow and Pine",
        languages=["en", "zh"],
        greeting={"en": "Hello, I am Mira.", "zh": "您好，我是 Mira。"},
        captions=True,
        record=script.record,
        size=(512, 512),
    ).model_dump(mode="json")
    return {**document, "poster": "/poster.png"} if script.poster else document


def scripted_app(script: Script) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    app.mount("/pages", StaticFiles(directory=PAGES))

    @app.middleware("http")
    async def headers(request: Request, call_next: Any) -> Response:
        script.requests.append(f"{request.method} {request.url.path}")
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    for path, name in {
        "/": "index.html",
        "/kiosk": "kiosk.html",
        "/widget-demo": "widget-demo.html",
        "/widget.js": "widget.js",
    }.items():
        app.get(path)(lambda name=name: FileResponse(PAGES / name))

    @app.get("/poster.png")
    def poster() -> FileResponse:
        assert script.poster is not None
        return FileResponse(script.poster)

    @app.get("/desks")
    def desks() -> list[dict[str, Any]]:
        return [desk(script)]

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        document = {"status": "ok", "uptime_s": time.monotonic() - script.began_s}
        return JSONResponse(document if script.healthy else {}, 200 if script.healthy else 503)

    @app.post("/v1/sessions")
    def sessions(wish: NewSession) -> JSONResponse:
        if script.places <= 0:
            error = {"code": "busy", "message": "all places are taken", "remedy": "wait"}
            return JSONResponse({"error": error, "ahead": script.ahead, "ticket": "t1"}, 503)
        script.sessions.append(wish)
        document = SessionDocument(
            session=f"s{len(script.sessions)}",
            token="token",
            expires_s=60,
            ws=f"/v1/sessions/s{len(script.sessions)}/live",
            desk=DeskDocument.model_validate(desk(script)),
        )
        return JSONResponse(document.model_dump(mode="json"), 201)

    @app.get("/v1/queue/{ticket}")
    def queue(ticket: str) -> QueueDocument:
        script.ahead = max(0, script.ahead - 1)
        return QueueDocument(ticket=ticket, ahead=script.ahead, ready=script.places > 0)

    @app.delete("/v1/sessions/{session}")
    def delete(session: str) -> dict[str, bool]:
        script.ended.append(session)
        return {"ended": True}

    @app.post("/v1/chat")
    def chat(asked: ChatRequest) -> ChatDocument:
        script.seen.append({"type": "chat", **asked.model_dump(exclude_none=True)})
        sentences, citation = ANSWERS[asked.language or "en"]
        cited = [CitationDocument.model_validate(citation)]
        return ChatDocument(
            session="c1",
            transcript=asked.text,
            reply=" ".join(sentences),
            outcome="answered",
            language=asked.language or "en",
            sentences=[
                SentenceDocument(text=one, language="en", emotion="happy", citations=cited)
                for one in sentences
            ],
            citations=cited,
            timings_ms={},
        )

    @app.websocket("/v1/sessions/{session}/live")
    async def live(socket: WebSocket, session: str) -> None:
        if not script.lets_sockets:
            await socket.close()
            return
        await socket.accept()
        script.sockets.append(socket)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await Player(script, socket, session).serve()

    return app


class ScriptedServer:
    """The application in a thread of its own."""

    def __init__(self, script: Script, port: int = 0) -> None:
        self.script = script
        self._server = uvicorn.Server(
            uvicorn.Config(scripted_app(script), port=port, log_level="error", ws="websockets-sansio")
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Yield the address while it runs."""
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            self._server.should_exit = True
            self._thread.join(10)

    def run_soon(self, work: Any) -> None:
        """Run a coroutine on the server's loop."""
        asyncio.run_coroutine_threadsafe(work, self._loop()).result(5)

    def _loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = self._server.servers[0].get_loop()
        return loop


if __name__ == "__main__":
    import sys

    wish = Script(poster=Path(sys.argv[2]) if len(sys.argv) > 2 else None, pause_s=1.0)
    with ScriptedServer(wish, int(sys.argv[1])).running():
        threading.Event().wait()
