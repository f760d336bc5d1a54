"""Opening the engines that a policy names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from moderation.errors import ModerationError
from moderation.panel import Engine
from moderation.screener import Classifier

if TYPE_CHECKING:
    from moderation.policy import Policy


def open_engines(policy: Policy) -> list[Engine]:
    """Open the engines of a policy, the embedded classifier first.

    Raises:
        ModerationError: One cannot be opened; the message names the key and the remedy.
    """
    settings = policy.engines
    engines: list[Engine] = []
    if settings.embedded and Path(__file__).with_name("weights").is_dir():
        engines.append(Engine(_embedded(), inline=True))
    return engines


@lru_cache(maxsize=1)
def _embedded() -> Classifier:
    """Load the classifier that ships, once in a process.

    Raises:
        ModerationError: Its file is missing or damaged.
    """
    from moderation.classifier import load_classifier

    return load_classifier()
