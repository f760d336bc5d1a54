"""How the two ends find a way to each other: STUN and TURN servers and their short-lived passwords.

Source of the passwords: "A REST API for access to TURN services" (draft-uberti-behave-turn-rest), as
coturn's `use-auth-secret` understands it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.live.errors import LiveError

if TYPE_CHECKING:
    from aiortc import RTCConfiguration, RTCIceServer

CREDENTIAL_LIFE_S = 3600
"""Of a TURN password: an hour covers the longest session; coturn lets a running one finish."""

_LAST_PORT = 65_535
_PORTS_LIKE = "write it like 40000-40100"
_SHA1 = hashlib.sha1
"""Not a choice: TURN servers know this one only."""


def read_ports(text: str) -> tuple[int, int] | None:
    """Read a range of ports, "40000-40100"; None for "".

    Raises:
        LiveError: it is none.
    """
    if not text.strip():
        return None
    match = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", text, re.ASCII)
    if match is None:
        raise LiveError("udp_ports", f"{text!r} is no range of UDP ports", _PORTS_LIKE)
    return int(match[1]), int(match[2])


@dataclass(frozen=True, slots=True)
class IceSettings:
    """Which STUN and TURN servers both ends may use. Empty: only direct ways, and nobody is asked.

    Attributes:
        stun: addresses like "stun:stun.example.org:3478".
        turn: addresses like "turn:turn.example.org:3478?transport=udp" (or tcp), or "turns:…". The
            server itself uses the first only; browsers are given all.
        turn_secret: shared with the TURN server (`static-auth-secret`); each session gets passwords of
            its own that end after `life_s`. Wins over a fixed user name and password.
        turn_username: fixed user name, where there is no secret.
        turn_password: its password.
        life_s: life of an ephemeral password, seconds.
        server_relays: the server gathers relay addresses of its own too. Browsers' relays reach a server
            whose UDP ports are open, so this is for servers that are themselves behind a firewall.
        relay_only: both ends use relayed ways only (hides addresses; also for tests).
        udp_ports: (first, last) of the ports at which this server listens for sound and picture, for
            firewalls that open a range; None: at any. A conversation takes one, and a second one for a
            moment when it finds its way back. Its own way to a TURN server is not bound to them.
    """

    stun: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    turn_secret: str = field(default="", repr=False)
    turn_username: str = ""
    turn_password: str = field(default="", repr=False)
    life_s: int = CREDENTIAL_LIFE_S
    server_relays: bool = False
    relay_only: bool = False
    udp_ports: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """See that the addresses can be used.

        Raises:
            LiveError: an address is malformed, or TURN has neither secret nor password.
        """
        from aiortc.rtcicetransport import parse_stun_turn_uri

        for uri, schemes in (
            *((u, ("stun",)) for u in self.stun),
            *((u, ("turn", "turns")) for u in self.turn),
        ):
            try:
                scheme = parse_stun_turn_uri(uri)["scheme"]
            except ValueError:
                scheme = ""
            if scheme not in schemes:
                example = f"{schemes[0]}:host.example.org:3478"
                raise LiveError(
                    "ice_address", f"{uri!r} is no {schemes[0].upper()} address", f"write it like {example}"
                )
        if self.turn and not (self.turn_secret or (self.turn_username and self.turn_password)):
            raise LiveError(
                "turn_credentials",
                "TURN servers are named without a way to log in",
                "give the shared secret, or a user name and password",
            )
        if self.relay_only and not self.turn:
            raise LiveError("turn_missing", "relay only, but no TURN server is named", "name one")
        if self.udp_ports is not None and not 0 < self.udp_ports[0] <= self.udp_ports[1] <= _LAST_PORT:
            first, last = self.udp_ports
            raise LiveError("udp_ports", f"{first}-{last} is no range of UDP ports", _PORTS_LIKE)

    @property
    def host_ports(self) -> range | None:
        """Where this server listens; None: at any port."""
        return None if self.udp_ports is None else range(self.udp_ports[0], self.udp_ports[1] + 1)

    def credentials(
        self, name: str, *, now_s: float | None = None, life_s: float | None = None
    ) -> tuple[str, str]:
        """Make a TURN user name and password.

        Args:
            name: goes into the user name, so that the TURN server's log tells sessions apart.
            now_s: Unix time, seconds; None for the clock.
            life_s: how long they are good for, seconds; None for the settings' own.

        Returns:
            User name "EXPIRY:NAME" and base64(HMAC-SHA1(secret, user name)), or the fixed ones.
        """
        if not self.turn_secret:
            return self.turn_username, self.turn_password
        until = int((time.time() if now_s is None else now_s) + (life_s or self.life_s))
        username = f"{until}:{name}"
        digest = hmac.new(self.turn_secret.encode(), username.encode(), _SHA1).digest()
        return username, base64.b64encode(digest).decode()

    def for_browser(
        self, name: str, *, now_s: float | None = None, life_s: float | None = None
    ) -> list[dict[str, object]]:
        """List servers as `RTCConfiguration.iceServers` in a browser takes them; see `credentials`."""
        servers: list[dict[str, object]] = []
        if self.stun:
            servers.append({"urls": list(self.stun)})
        if self.turn:
            username, credential = self.credentials(name, now_s=now_s, life_s=life_s)
            servers.append({"urls": list(self.turn), "username": username, "credential": credential})
        return servers

    def for_server(self, *, now_s: float | None = None) -> RTCConfiguration:
        """Give this server's own end its configuration.

        Without servers it holds an empty list: None would make aiortc ask a public STUN server.
        """
        from aiortc import RTCBundlePolicy, RTCConfiguration, RTCIceServer
        from aiortc.rtcconfiguration import RTCIceTransportPolicy

        servers: list[RTCIceServer] = [RTCIceServer(urls=list(self.stun))] if self.stun else []
        if self.turn and (self.server_relays or self.relay_only):
            username, credential = self.credentials("server", now_s=now_s)
            servers.append(RTCIceServer(urls=list(self.turn), username=username, credential=credential))
        policy = RTCIceTransportPolicy.RELAY if self.relay_only else RTCIceTransportPolicy.ALL
        return RTCConfiguration(
            iceServers=servers, iceTransportPolicy=policy, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE
        )
