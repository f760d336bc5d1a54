"""How often one address may ask for what costs something."""

from __future__ import annotations

from collections.abc import Mapping

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from server.live.errors import LiveError


class Rates:
    """Rate limits by name and client address, kept in memory.

    Args:
        limits: name → in the words of the library `limits`, such as "20/minute"; "" for none.
    """

    def __init__(self, limits: Mapping[str, str]) -> None:
        self._items: dict[str, RateLimitItem] = {
            name: parse(words) for name, words in limits.items() if words
        }
        self._limiter: MovingWindowRateLimiter | None = None

    async def check(self, name: str, address: str) -> None:
        """Count a request.

        Raises:
            LiveError: "too_often".
        """
        item = self._items.get(name)
        if item is None:
            return
        if self._limiter is None:
            self._limiter = MovingWindowRateLimiter(MemoryStorage())  # belongs to the running event loop
        if not await self._limiter.hit(item, name, address):
            raise LiveError(
                "too_often",
                f"more than {item} of this from one address",
                "wait a minute",
                status=429,
                retryable=True,
            )
