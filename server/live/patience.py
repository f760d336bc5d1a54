"""Waiting for what ends, but not for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("visavis.live")


async def within(work: Coroutine[Any, Any, None], limit_s: float, what: str) -> None:
    """Wait for something to close; one that takes too long, or fails, is left behind and told in the log.

    Args:
        work: closes it.
        limit_s: how long that may take.
        what: it is, for the log.
    """
    try:
        async with asyncio.timeout(limit_s):
            await work
    except TimeoutError:
        log.error("%s did not close within %g s; left behind", what, limit_s)
    except Exception as error:
        log.error("%s could not be closed: %r", what, error)
