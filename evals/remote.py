"""A suite's replays with a running server: what is opened here for them, and only when it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from agent.desk import Desk
from evals.replay.record import ConversationRecord, Mode
from evals.replay.running_server import Health, RunningServer
from evals.replay.untold import WITH_KEY
from evals.scripts import Script
from evals.variant import Variant
from speech.recognizer import Recognizer

NOT_THERE = {"clock": "clock", "files": "state"}
"""Fixture → what of a running server it would change."""


class Remote:
    """Replays scripts with a server.

    Args:
        address: of the server.
        variant: the desk as it stands on this machine: taken for the server's in face, ears and fixed lines.
        mode: "audio" speaks, "text" types.
        media: where sound and video are kept; None: nowhere.
        video: look at the pictures.
    """

    def __init__(
        self, address: str, variant: Variant, mode: Mode, *, media: Path | None, video: bool
    ) -> None:
        self._server, self._variant = RunningServer(address), variant
        self._mode, self._media, self._video = mode, media, video
        self._opened = ExitStack()

    @cached_property
    def desk(self) -> Desk:
        """The desk as it stands on this machine."""
        return self._variant.load()

    def replay(self, script: Script, repeat: int) -> ConversationRecord:
        """Replay a script; see `evals.replay.webrtc.replay_webrtc`."""
        from evals.replay.webrtc import replay_webrtc

        wanted = any(turn.expect.reply_wer is not None for turn in script.turns)
        return replay_webrtc(
            self._server,
            script,
            at=self._at,
            mode=self._mode,
            repeat=repeat,
            folder=self._media,
            video=self._video,
            desk=self.desk if self._video else None,
            transcribe=self._recognizer if wanted and self._mode == "audio" else None,
        )

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()

    @cached_property
    def _at(self) -> str:
        return desk_at(self._server.health(), self.desk)

    def _recognizer(self) -> Recognizer | None:
        return self._ears

    @cached_property
    def _ears(self) -> Recognizer | None:
        return self._opened.enter_context(self._variant.open("audio")).engines.recognizer


def fitting(scripts: Sequence[Script]) -> tuple[list[Script], list[str]]:
    """Return the scripts whose circumstances a running server can have, and why the others are left out."""
    fit, left_out = list[Script](), list[str]()
    for script in scripts:
        wanted = [name for name in NOT_THERE if getattr(script.fixtures, name)]
        if not wanted:
            fit.append(script)
            continue
        place, own = f"{script.file}:{script.line('fixtures', wanted[0])}", [NOT_THERE[one] for one in wanted]
        left_out.append(
            f"{place}: a running server has a {' and a '.join(own)} of its own: replay it without --server"
        )
    return fit, left_out


def told_before(health: Health, desk: Desk, server: RunningServer) -> Iterator[str]:
    """Tell what is to be known of a server before it is talked to."""
    if health.another:
        yield health.another
    if not desk_at(health, desk):
        first = next(iter(health.desks), "")
        yield f"the server has no desk {desk.folder.name}: scripts that name none talk to its first, {first}"
    yield "what visitors have done is really done there, and stays so"
    if not server.key:
        yield f"without a key, a server tells less: {WITH_KEY}"


def desk_at(health: Health, desk: Desk) -> str:
    """Return the server's desk of that name; empty, for its first, where it has none of that name."""
    return desk.folder.name if desk.folder.name in health.desks else ""
