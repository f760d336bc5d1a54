"""The options of `visavis serve`, read and checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.desk import state_root
from server.boundary import UsageError

if TYPE_CHECKING:
    from server.live.options import ServeOptions

TURN_SECRET = "VISAVIS_TURN_SECRET"  # noqa: S105
TURN_USER = "VISAVIS_TURN_USERNAME"
TURN_PASSWORD = "VISAVIS_TURN_PASSWORD"  # noqa: S105


def options_of(
    *,
    host: str,
    port: int,
    secret_file: Path | None,
    stun: Sequence[str],
    turn: Sequence[str],
    relay_only: bool,
    max_sessions: int | None,
    origins: Sequence[str],
    store: str,
    recordings: Path | None,
    certificate: Path | None = None,
    key: Path | None = None,
    kept_days: float | None = None,
    udp_ports: str = "",
    drawers: int | None = None,
) -> ServeOptions:
    """Read what the command was given; passwords of TURN servers come from the environment.

    Args:
        host: address to listen at.
        port: 0: any that is free.
        secret_file: holds what signs tokens; None: one in the state folder, made when missing.
        stun: servers that tell a browser its address.
        turn: servers that relay.
        relay_only: use relays only.
        max_sessions: None: as many as this machine can draw.
        origins: sites that may use every desk.
        store: SQLite file or URL; empty: one in the state folder; "none": keep nothing.
        recordings: folder; None: one in the state folder.
        certificate: PEM file for https; None: http.
        key: its key; None: in the same file.
        kept_days: after which events and recordings are deleted; None: the usual time.
        drawers: processes that draw; None: one for each core.
        udp_ports: "40000-40100": where sound and picture may come and go; empty: at any port.

    Raises:
        UsageError: an address or a range is wrong, or a TURN server has no password.
        DeskError: the secret cannot be read.
    """
    from server.live.errors import LiveError
    from server.live.ice import IceSettings, read_ports
    from server.live.options import KEPT_DAYS, OPERATORS, ServeOptions, one_a_core, places
    from server.live.tokens import load_secret

    try:
        ice = IceSettings(
            stun=tuple(stun),
            turn=tuple(turn),
            turn_secret=os.environ.get(TURN_SECRET, ""),
            turn_username=os.environ.get(TURN_USER, ""),
            turn_password=os.environ.get(TURN_PASSWORD, ""),
            relay_only=relay_only,
            udp_ports=read_ports(udp_ports),
        )
    except LiveError as error:
        hint = f"; set {TURN_SECRET}, or {TURN_USER} and {TURN_PASSWORD}" if "turn" in error.code else ""
        raise UsageError(f"{error}{hint}") from None
    _check_certificate(certificate, key)
    return ServeOptions(
        certificate=str(certificate or ""),
        key=str(key or ""),
        operators=str(state_root() / OPERATORS),
        host=host,
        port=port,
        secret=load_secret(secret_file or state_root() / "secret"),
        ice=ice,
        max_sessions=places() if max_sessions is None else max_sessions,
        drawers=one_a_core() if drawers is None else drawers,
        origins=tuple(origins),
        store="" if store == "none" else store or str(state_root() / "sessions.sqlite"),
        recordings=str(recordings or state_root() / "recordings"),
        kept_days=KEPT_DAYS if kept_days is None else kept_days,
    )


def _check_certificate(certificate: Path | None, key: Path | None) -> None:
    if certificate is None:
        if key is not None:
            raise UsageError("--key goes with --certificate; name both")
        return
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"--certificate {certificate}: {error}; give PEM files that belong together"
        ) from None
