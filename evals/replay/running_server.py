"""A running server over HTTP: what it is, a place at a desk, what it keeps of a session."""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

KEY = "VISAVIS_OPERATOR_KEY"
"""Environment variable with a key of `visavis operator add`: a server tells it more than visitors."""
ANSWER_S = 20.0
"""A server has so long to answer."""
PATIENCE_S = 120.0
"""So long a place is waited for at a server that is full, or that has been asked too often."""
AGAIN_S = 3.0
"""Between two questions for a place, unless the server names a time."""
KEPT_S = 8.0
"""A server may take so long to close a session and to write down the last of it."""
RETRY = (429, 503)


class ServerGone(Exception):
    """A server does not answer, refuses, is another version, or went away; never the desk's fault."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a server says of itself."""

    version: str
    lag_ms: float = 0.0
    """How late its event loop ran in the last seconds, at worst."""
    desks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Name → which engine does what; the first is the one that visitors get who name none."""

    @property
    def another(self) -> str:
        """What to say where it is another version than this one; empty where it is the same."""
        own = own_version()
        if not own or self.version in ("", own):
            return ""
        return f"the server is Visavis {self.version}, this is {own}"


class RunningServer:
    """A server somewhere.

    Args:
        address: http or https.
        key: of an operator; empty: what visitors are told has to do.
    """

    def __init__(self, address: str, key: str | None = None) -> None:
        self.address = address.rstrip("/")
        self.key = os.environ.get(KEY, "") if key is None else key

    def health(self) -> Health:
        """Ask what it is, and whether it knows the key.

        Raises:
            ServerGone: it does not answer as Visavis does, or nobody has the key.
        """
        with httpx.Client(base_url=self.address, timeout=ANSWER_S) as http:
            try:
                answer = http.get("/healthz")
                document = _document(answer)
                if document is None or not isinstance(document.get("desks"), dict):
                    raise ServerGone(self._no_visavis(answer))
                if (
                    self.key
                    and http.get("/v1/inbox", headers=self._authorization(self.key)).status_code == 401
                ):
                    raise ServerGone(
                        f"{KEY}: nobody at {self.address} has this key; make one there with "
                        "`visavis operator add NAME`"
                    )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise ServerGone(self._silent(error)) from None
        lag_ms = float(document.get("loop_lag_ms") or 0.0)
        return Health(str(document.get("version", "")), lag_ms, document["desks"])

    async def session(self, desk: str, language: str) -> dict[str, Any]:
        """Get a place at a desk; where there is none, wait for one.

        Args:
            desk: which; empty: the server's first.
            language: of the visitor.

        Raises:
            ServerGone: it does not answer, or lets nobody in.
        """
        asked = {"client": "replay", **({"desk": desk} if desk else {}), "language": language}
        until_s, ticket = time.monotonic() + PATIENCE_S, ""
        document: dict[str, Any] | None
        async with httpx.AsyncClient(base_url=self.address, timeout=ANSWER_S) as http:
            while True:
                try:
                    if not ticket or await self._turn(http, ticket):
                        answer = await http.post(
                            "/v1/sessions", json=asked | ({"ticket": ticket} if ticket else {})
                        )
                        document = _document(answer)
                        if answer.status_code == 201 and document is not None and "token" in document:
                            return document
                        if document is None:
                            raise ServerGone(self._no_visavis(answer))
                        ticket = str(document.get("ticket") or "")
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    raise ServerGone(self._silent(error)) from None
                if answer.status_code not in RETRY or time.monotonic() > until_s:
                    waited = f" after {PATIENCE_S:g} s" if answer.status_code in RETRY else ""
                    code, why = answer.status_code, _why(document or {})
                    raise ServerGone(f"{self.address} lets nobody in{waited} ({code}): {why}")
                await asyncio.sleep(AGAIN_S)

    async def kept(self, session: str, token: str) -> dict[str, Any] | None:
        """Return what it keeps of a session, once that is over; None where it keeps nothing.

        Args:
            session: its name.
            token: that it was given with.
        """
        until_s = time.monotonic() + KEPT_S
        found: dict[str, Any] | None = None
        async with httpx.AsyncClient(base_url=self.address, timeout=ANSWER_S) as http:
            while time.monotonic() < until_s:
                try:
                    answer = await http.get(
                        f"/v1/sessions/{session}/data", headers=self._authorization(token)
                    )
                    if answer.status_code != 200:
                        return found
                    found = _data(answer.content)
                except (httpx.HTTPError, zipfile.BadZipFile, ValueError, KeyError):
                    return found
                if found.get("session", {}).get("closed_at") is not None:
                    return found
                await asyncio.sleep(0.25)
        return found

    async def _turn(self, http: httpx.AsyncClient, ticket: str) -> bool:
        """Whether a place is held for who waits in the queue; a ticket that is lost is none any more."""
        answer = await http.get(f"/v1/queue/{ticket}")
        document = _document(answer)
        return answer.status_code != 200 or document is None or bool(document.get("ready"))

    def _silent(self, error: Exception) -> str:
        told = str(error).strip()
        why = f"{type(error).__name__}: {told}" if told else type(error).__name__
        return f"{self.address} does not answer ({why}): start it with `visavis serve`, and check the address"

    def _no_visavis(self, answer: httpx.Response) -> str:
        kind = answer.headers.get("content-type", "").partition(";")[0] or "nothing"
        return (
            f"{self.address} does not answer as a Visavis server of this version does ({answer.status_code}, "
            f"{kind}): check the address, and what stands before the server"
        )

    @staticmethod
    def _authorization(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}


def own_version() -> str:
    """Return the version of this Visavis; empty in a checkout that is not installed."""
    try:
        return version("visavis")
    except PackageNotFoundError:
        return ""


def _document(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _why(document: Mapping[str, Any]) -> str:
    error = document.get("error")
    if not isinstance(error, Mapping):
        return str(document)[:200]
    return "; ".join(str(error[name]) for name in ("message", "remedy") if error.get(name))


def _data(archive: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        document = json.loads(packed.read("data.json"))
    if not isinstance(document, dict):
        raise ValueError("data.json holds no object")
    return document
