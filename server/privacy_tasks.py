"""What `visavis privacy` does: finds, exports, erases, purges, shows the audit trail."""

from __future__ import annotations

import asyncio
import getpass
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from server.boundary import UsageError

if TYPE_CHECKING:
    from agent.privacy import Privacy
    from server.live.audit import AuditRow
    from server.live.dossier import Dossier
    from server.live.store import EventStore


@dataclass(slots=True)
class Kept:
    """What servers keep, opened for one command."""

    store: EventStore
    recordings: str
    desk: str
    """By its name in addresses; empty: all."""
    secret_file: Path
    privacy: Mapping[str, Privacy] = field(default_factory=dict)
    """Of the desk, where its folder was named."""

    @classmethod
    @contextmanager
    def open(
        cls, desk: str, store: str = "", recordings: Path | None = None, secret_file: Path | None = None
    ) -> Iterator[Self]:
        """Open what is kept; closed at the end.

        Args:
            desk: a folder, or a name; empty: all desks.
            store: SQLite file or URL; empty: the one in the state folder.
            recordings: folder; None: the one in the state folder.
            secret_file: with which contacts are hashed; None: the one in the state folder.

        Raises:
            UsageError: there is no such store or desk.
        """
        from agent.desk import state_root
        from server.live.errors import LiveError
        from server.live.store import EventStore

        place = store or str(state_root() / "sessions.sqlite")
        if "://" not in place and not Path(place).is_file():
            raise UsageError(f"{place}: nothing was kept there; name what `visavis serve --store` was given")
        name, privacy = _desk(desk)
        try:
            opened = EventStore.open(place)
        except LiveError as error:
            raise UsageError(f"--store: {error}") from None
        try:
            yield cls(
                opened,
                str(recordings or state_root() / "recordings"),
                name,
                secret_file or state_root() / "secret",
                privacy,
            )
        except LiveError as error:
            raise UsageError(str(error)) from None
        finally:
            asyncio.run(opened.close())

    async def find(self, sessions: Sequence[str], contacts: Sequence[str]) -> list[str]:
        """Return the names of a visitor's conversations.

        Raises:
            UsageError: none is named, a contact is neither an address nor a number, or there is no secret.
        """
        from server.live import archive
        from server.live.contacts import hashes_of_all
        from server.live.tokens import SECRET_VARIABLE, load_secret

        if not sessions and not contacts:
            raise UsageError("say whose: --session NAME, or --contact with an e-mail address or a number")
        found = list(sessions)
        if contacts:
            if not os.environ.get(SECRET_VARIABLE) and not self.secret_file.is_file():
                raise UsageError(
                    f"{self.secret_file}: no secret is there; contacts are found with the server's alone; "
                    f"name its file with --secret-file, or set {SECRET_VARIABLE}"
                )
            hashes = hashes_of_all(contacts, load_secret(self.secret_file))
            if len(hashes) < len(contacts):
                raise UsageError("--contact is an e-mail address, or a telephone number of 7 digits or more")
            found += await self.store.ask(lambda each: archive.sessions_with(each, hashes, self.desk or None))
        return list(dict.fromkeys(found))

    async def export(self, sessions: Sequence[str], contacts: Sequence[str], folder: Path) -> dict[str, Any]:
        """Write an archive for each conversation.

        Raises:
            UsageError: nothing is kept of them, or an archive cannot be written.
        """
        from server.live.audit import Deed
        from server.live.dossier import collect

        archives = []
        for name in await self.find(sessions, contacts):
            dossier = await collect(self.store, self.recordings, name)
            if dossier.empty or (self.desk and dossier.desk != self.desk):
                continue
            privacy = self.privacy.get(dossier.desk)
            dossier = replace(dossier, kept=privacy.keep) if privacy else dossier
            await self.store.note(Deed(actor(), "export", name, dossier.desk))
            file = folder / f"conversation-{name}.zip"
            await asyncio.to_thread(_write, dossier, file)
            row = {"session": name, "desk": dossier.desk, "file": str(file), "events": len(dossier.events)}
            archives.append({**row, "recordings": len(dossier.recordings)})
        if not archives:
            raise UsageError(
                "nothing is kept of that visitor here; see that name, desk and --store are right"
            )
        return {"archives": archives}

    async def erase(self, names: Sequence[str]) -> dict[str, Any]:
        """Erase conversations.

        Raises:
            UsageError: a recording cannot be deleted.
        """
        from server.live import archive
        from server.live.audit import Deed
        from server.live.dossier import erase

        erased, files = [], 0
        for name in names:
            record = await self.store.ask(partial(archive.session_of, session_id=name))
            desk = record.desk if record is not None else ""
            if self.desk and record is not None and desk != self.desk:
                continue
            try:
                done = await erase(self.store, self.recordings, name)
            except OSError as error:
                raise UsageError(f"a recording of {name} cannot be deleted ({error.strerror})") from None
            await self.store.note(Deed(actor(), "erase", name, desk, {"files": done.files}))
            erased += done.sessions
            files += done.files
        return {"erased": erased, "files": files}

    async def purge(self, kept_days: float | None) -> dict[str, Any]:
        """Delete what was kept for long enough at the desk that was named; others are left alone.

        Args:
            kept_days: where the desk says nothing itself; None: then it is left alone too, for its server
                may keep for longer.

        Raises:
            UsageError: days are given, but no desk.
        """
        from agent.privacy import Privacy
        from server.live import archive
        from server.live.retention import forget

        if kept_days is not None and not self.desk:
            raise UsageError(
                "nothing was deleted: --keep-days is for one desk, as others may keep for longer; say DESK"
            )
        own = self.privacy.get(self.desk, Privacy())
        days = math.inf if kept_days is None else kept_days
        lasting = own.model_copy(update={"retention_days": own.transcripts_for(days)})
        desks = {self.desk: lasting} if self.desk else {}
        sessions, files = await forget(self.store, self.recordings, math.inf, desks)
        there = await self.store.ask(archive.desks_in)
        purged = self.desk and math.isfinite(own.transcripts_for(days))
        left = [each for each in there if not purged or each != self.desk]
        return {"sessions": sessions, "files": files, "left_alone": left}

    async def audit(self, session: str, *, limit: int, verify: bool, noted: str = "") -> dict[str, Any]:
        """Return the audit trail, the latest first; with `noted`, whether an earlier head is part of it.

        Raises:
            UsageError: what was noted is no head.
        """
        from server.live import audit

        noted = noted.lower()
        if noted and not re.fullmatch(rf"[0-9a-f]{{{audit.NOTED_CHARS},64}}", noted):
            raise UsageError(
                f"--head takes what an earlier `visavis privacy audit` printed as head, or its first "
                f"{audit.NOTED_CHARS} signs or more"
            )
        rows = await self.store.ask(
            lambda each: audit.rows_of(each, desk=self.desk, subject=session, limit=limit)
        )
        last = await self.store.ask(lambda each: audit.rows_of(each, limit=1))
        document: dict[str, Any] = {"rows": [_row(each) for each in rows]}
        document["head"] = last[0].seal if last else ""
        if verify or noted:
            found = await self.store.ask(lambda each: audit.verify(each, noted))
            document |= {"verified": found.rows, "broken": found.broken, "head": found.head}
        if noted:
            document["noted"] = found.noted
        return document


def _write(dossier: Dossier, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        dossier.write(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); name another --out") from None


def _desk(desk: str) -> tuple[str, dict[str, Privacy]]:
    """Return a desk's name in addresses, and what it says of privacy where its folder is named."""
    from agent.desk import Desk
    from server.live.desks import named

    if not desk:
        return "", {}
    if desk != "demo" and not Path(desk).is_dir() and desk.replace("-", "").replace("_", "").isalnum():
        return desk, {}
    loaded = Desk.load(desk)
    name = next(iter(named([loaded])))
    return name, {name: loaded.settings.privacy}


def actor() -> str:
    """Return who runs a command, as the audit trail names them."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):
        return "command"


def _row(row: AuditRow) -> dict[str, Any]:
    at = datetime.fromtimestamp(row.at, UTC).isoformat(timespec="seconds")
    detail = json.loads(row.detail) if row.detail.endswith("}") else row.detail
    return {
        "id": row.id,
        "at": at,
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "desk": row.desk,
        "detail": detail,
    }
