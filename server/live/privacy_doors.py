"""The paths by which a visitor, or an operator, gets what is kept of a conversation, or erases it."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Annotated

from fastapi import FastAPI, Header, Request
from fastapi.responses import Response, StreamingResponse

from server.live import archive
from server.live.audit import Deed
from server.live.bearer import bearer_of
from server.live.doors import address_of, check_origin, own_host, service_of
from server.live.dossier import Dossier, collect, erase
from server.live.errors import LiveError
from server.live.operators import Operator
from server.live.protocol import Id
from server.live.service import Service

log = logging.getLogger("visavis.live")

PIECE_BYTES = 1 << 18
"""Of an archive that are sent at once: a recording may have hundreds of megabytes."""

Key = Annotated[
    str, Header(description='"Bearer " and the session\'s own token, or a key of `visavis operator add`.')
]


def add_privacy_doors(app: FastAPI) -> None:
    """Add the paths to the application."""

    @app.get(
        "/v1/sessions/{session}/data",
        tags=["privacy"],
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": "All that is kept of it."}},
    )
    async def export(request: Request, session: Id, authorization: Key = "") -> Response:
        """Get everything that is kept of a conversation, as a zip archive with a README."""
        service = service_of(request)
        who, desk = await _entitled(request, session, authorization)
        kept = service.desks[desk].desk.settings.privacy.keep if desk in service.desks else "masked"
        dossier = await collect(service.store, service.options.recordings, session, kept)
        if dossier.empty:
            raise _nothing()
        await noted(service, Deed(who, "export", session, desk, {"files": len(dossier.recordings)}))
        try:
            packed = await asyncio.to_thread(_packed, dossier, service.options.recordings)
        except OSError as error:
            log.error("the data of a session could not be packed: %s", error.strerror)
            raise LiveError(
                "export_failed", "the archive cannot be made", "try again in a minute", status=503
            ) from None
        name = f"conversation-{session}.zip"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(packed.seek(0, io.SEEK_END)),
            "Cache-Control": "no-store",
        }
        return StreamingResponse(_pieces(packed), media_type="application/zip", headers=headers)

    @app.delete("/v1/sessions/{session}/data", status_code=204, tags=["privacy"])
    async def forget(request: Request, session: Id, authorization: Key = "") -> Response:
        """Erase everything that is kept of a conversation; one that goes on is ended first."""
        service = service_of(request)
        who, desk = await _entitled(request, session, authorization)
        await service.sessions.erase(session)
        service.chat.erase(session)
        service.switchboard.cases.drop(session)
        try:
            done = await erase(service.store, service.options.recordings, session)
        except OSError as error:
            log.error("a recording could not be deleted: %s", error.strerror)
            raise LiveError(
                "erasure_failed", "a recording could not be deleted", "try again in a minute", status=503
            ) from None
        await noted(service, Deed(who, "erase", session, desk, {"files": done.files}))
        return Response(status_code=204)


def _packed(dossier: Dossier, folder: str) -> IO[bytes]:
    """Write an archive into a file without a name, beside the recordings that are in it.

    Raises:
        OSError: it cannot be written, or a recording cannot be read.
    """
    packed: IO[bytes] = tempfile.TemporaryFile(dir=folder if os.path.isdir(folder) else None)  # noqa: SIM115
    try:
        dossier.write(packed)
    except BaseException:
        packed.close()
        raise
    return packed


async def _pieces(packed: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield a file in pieces, and close it."""
    with packed:
        packed.seek(0)
        while piece := await asyncio.to_thread(packed.read, PIECE_BYTES):
            yield piece


async def noted(service: Service, deed: Deed) -> None:
    """Write into the audit trail; without a store there is nothing to tell of.

    Raises:
        LiveError: "store_unavailable": what cannot be written down is not done.
    """
    if service.store is not None:
        await service.store.note(deed)


async def _entitled(request: Request, session: str, authorization: str) -> tuple[str, str]:
    """Return who asks, and at which desk the conversation was.

    Raises:
        LiveError: they may not, or ask too often.
    """
    service = service_of(request)
    origin = check_origin(request)
    await service.rates.check("inbox", address_of(request))
    token = bearer_of(authorization)
    if token.count(".") == 2:  # as signed tokens have it; keys have none
        return "visitor", service.sessions.owner(session, token, origin, own_host(request))
    operator: Operator = service.switchboard.operators.of(authorization)
    desk = service.sessions.desk_of(session)
    if desk is None and service.store is not None:
        record = await service.store.ask(lambda each: archive.session_of(each, session))
        desk = record.desk if record is not None else None
    if desk is None or not operator.serves(desk):
        raise _nothing()
    return f"operator:{operator.name}", desk


def _nothing() -> LiveError:
    return LiveError(
        "nothing_kept",
        "nothing is kept of a conversation of this name",
        "see that the name is right; what was kept for long enough, or erased, is gone",
        status=404,
    )
