"""All that is kept of one conversation: collected for the visitor as one archive, or erased."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from server.live import archive
from server.live.records import EventRecord, SessionRecord
from server.live.shelf import erase_recordings, recordings_of
from server.live.store import EventStore

PAGE = 1000
"""Events that are read at once."""
README = """\
YOUR CONVERSATION ({session})

This archive holds everything that is kept of one conversation with {desk}, as of {day}.

data.json        when it was, what was said as it is kept (personal data is masked unless "kept" says
                 otherwise), how the guard judged it, what was passed on to a person, and figures.
transcript.txt   what was said, to be read.
*.mp4, *.vtt     the recording with its captions, if you agreed to one. Personal data in it is muted.

You may have it deleted: with the button "Delete my conversation" on the page, or by asking the company
that runs the desk and naming the conversation above.


您的对话记录 ({session})

此压缩包包含截至 {day} 我们保存的、您与 {desk} 一次对话的全部内容。

data.json        对话时间、保存的内容（除非 "kept" 一项另有说明，个人信息均已隐去）、审核结果、
                 转交人工的内容和统计数据。
transcript.txt   便于阅读的对话文字。
*.mp4, *.vtt     录像和字幕（仅在您同意录制时才有），其中的个人信息已静音。

您可以要求删除：点击页面上的“删除我的对话”，或联系运营该服务台的公司并说明上面的对话编号。
"""


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is kept of one conversation."""

    session: SessionRecord | None
    """None: only events or recordings were left."""
    name: str
    events: tuple[EventRecord, ...]
    handoffs: tuple[Any, ...]
    """Passings-on to people, as JSON documents."""
    recordings: tuple[Path, ...]
    kept: str = "masked"
    """How the desk keeps words: "masked", "none" or "plain"."""

    @property
    def empty(self) -> bool:
        """True where nothing is kept."""
        return self.session is None and not self.events and not self.recordings

    @property
    def desk(self) -> str:
        """At which desk; empty where that is not known."""
        return self.session.desk if self.session is not None else ""

    def document(self) -> dict[str, Any]:
        """Return it without recordings, as JSON takes it."""
        return {
            "session": asdict(self.session) if self.session is not None else {"id": self.name},
            "kept": self.kept,
            "events": [asdict(each) for each in self.events],
            "handoffs": list(self.handoffs),
            "recordings": [path.name for path in self.recordings],
        }

    def transcript(self) -> str:
        """Return what was said, a line each."""
        lines = []
        for each in self.events:
            at = datetime.fromtimestamp(each.at, UTC).strftime("%H:%M:%S")
            who = {"heard": "Visitor", "sentence": str(each.data.get("person") or "Avatar")}.get(each.kind)
            if who is not None and "text" in each.data:
                lines.append(f"{at}  {who}: {each.data['text']}")
        return "\n".join(lines) + "\n"

    def write(self, target: Path | IO[bytes]) -> None:
        """Write the archive; blocks.

        Raises:
            OSError: it cannot be written, or a recording cannot be read.
        """
        day = datetime.now(UTC).date().isoformat()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("README.txt", README.format(session=self.name, desk=self.desk or "a desk", day=day))
            out.writestr("data.json", json.dumps(self.document(), ensure_ascii=False, indent=1))
            out.writestr("transcript.txt", self.transcript())
            for path in self.recordings:
                out.write(path, path.name, zipfile.ZIP_STORED)  # it is compressed already


@dataclass(slots=True)
class Erased:
    """What was erased."""

    sessions: list[str] = field(default_factory=list)
    """Of which something was there."""
    files: int = 0


async def collect(store: EventStore | None, recordings: str, session: str, kept: str = "masked") -> Dossier:
    """Collect what is kept of a conversation.

    Args:
        store: of sessions; None: there is none.
        recordings: folder; empty: there is none.
        session: its name.
        kept: how its desk keeps words.

    Raises:
        LiveError: "store_unavailable"; try again.
    """
    record: SessionRecord | None = None
    events: tuple[EventRecord, ...] = ()
    handoffs: tuple[Any, ...] = ()
    if store is not None:
        await store.flush()
        record = await store.ask(lambda each: archive.session_of(each, session))
        events = tuple([each async for each in _events(store, session)])
        handoffs = tuple(json.loads(text) for text, _ in await store.handoffs(session))
    files = await asyncio.to_thread(recordings_of, Path(recordings), session) if recordings else []
    return Dossier(record, session, events, handoffs, tuple(files), kept)


async def _events(store: EventStore, session: str) -> AsyncIterator[EventRecord]:
    """Yield a session's events, read page by page: others read in the same thread."""
    page = await store.events(session, limit=PAGE)
    while page:
        for each in page:
            yield each
        page = await store.events(session, after_id=page[-1].id, limit=PAGE) if len(page) == PAGE else []


async def erase(store: EventStore | None, recordings: str, session: str) -> Erased:
    """Erase all that is kept of a conversation, and what is still on its way; may be done again.

    Args:
        store: of sessions; None: there is none.
        recordings: folder; empty: there is none.
        session: its name.

    Raises:
        LiveError: "store_unavailable"; try again.
        OSError: a recording cannot be deleted.
    """
    done = Erased()
    if recordings:
        done.files = await asyncio.to_thread(erase_recordings, Path(recordings), session)
    if (store is not None and await store.delete_session(session)) or done.files:
        done.sessions.append(session)
    return done
