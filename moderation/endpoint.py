"""An HTTP endpoint that judges: JSON out, JSON in, within a time that nothing extends."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from moderation.engine_settings import RemoteEngine
from moderation.errors import EngineError, EngineTimeout, ModerationError
from moderation.verdict import Category

MOST_BYTES = 1_000_000
"""Of an answer; no verdict is longer."""
CONNECTIONS = 8
"""Kept open to one endpoint: an answer does not wait for a handshake."""


class Endpoint:
    """One base URL with its key. Safe to use from several threads.

    Args:
        name: of the engine, for messages.
        base_url: http or https.
        api_key_env: name of the environment variable that holds the key; empty: none is sent.
        budget_s: of one request, from its beginning to the last byte of the answer.

    Raises:
        ModerationError: the address is none, or there is no key; the message names the setting.
    """

    def __init__(self, name: str, base_url: str, *, api_key_env: str, budget_s: float) -> None:
        if not _is_address(base_url):
            raise ModerationError(
                f"engines.{name}.base_url: {base_url!r} is no address; write one such as "
                "https://api.example.com/v1"
            )
        key = os.environ.get(api_key_env, "") if api_key_env else ""
        if api_key_env and not key:
            raise ModerationError(
                f"engines.{name}.api_key_env: there is no {api_key_env} in the environment; set it, "
                f"or remove [engines.{name}] from the policy"
            )
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._budget_s = budget_s
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._client = httpx.Client(limits=limits, follow_redirects=False)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer's JSON. There is no second try: the visitor waits.

        Raises:
            EngineTimeout: the answer is not there in time.
            EngineError: it is none, or a refusal.
        """
        until_s = time.monotonic() + self._budget_s
        answer = bytearray()
        try:
            request = self._client.stream(
                "POST",
                f"{self._base_url}/{path}",
                json=body,
                headers=self._headers,
                timeout=self._budget_s,
            )
            with request as response:
                if response.status_code != 200:
                    raise EngineError(f"it answered with status {response.status_code}")
                for piece in response.iter_bytes():
                    answer += piece
                    if time.monotonic() > until_s:  # the timeout above begins anew with every piece
                        raise EngineTimeout(f"no whole answer within {self._budget_s * 1e3:.0f} ms")
                    if len(answer) > MOST_BYTES:
                        raise EngineError(f"its answer is longer than {MOST_BYTES} bytes")
        except httpx.TimeoutException as error:
            raise EngineTimeout(f"no answer within {self._budget_s * 1e3:.0f} ms") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise EngineError(f"it cannot be reached ({type(error).__name__})") from error
        try:
            return json.loads(bytes(answer))
        except (ValueError, RecursionError) as error:
            raise EngineError("its answer is no JSON") from error


class RemoteJudge:
    """An engine behind an endpoint: where it is asked, and what its categories are to us.

    Args:
        name: of the engine.
        settings: the policy's.
        built_in: all of its categories → ours.

    Raises:
        ModerationError: the settings do not fit; the message names the setting.
    """

    def __init__(self, name: str, settings: RemoteEngine, built_in: Mapping[str, Category]) -> None:
        self.name = name
        self._mapping = settings.mapping(name, built_in)
        self.categories = frozenset(self._mapping.values())
        self._model = settings.model
        self._endpoint = Endpoint(
            name,
            settings.base_url,
            api_key_env=settings.api_key_env,
            budget_s=settings.budget_ms / 1e3,
        )


def _is_address(text: str) -> bool:
    """Tell whether it is http or https with a host, and a port that is one."""
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in text
        )
    except ValueError:
        return False
