"""The conversation: desks, answering, tools, the chain of a reply.

Names load when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.desk import Desk, new_desk
    from agent.emotion import detect_emotion, detect_emotions
    from agent.engines import Engines
    from agent.errors import AgentError, AnswererError, DeskError, ToolError
    from agent.sentence import Citation, Emotion, Outcome, Sentence
    from agent.tools import Slot, tool

_HOME = {
    "AgentError": "errors",
    "AnswererError": "errors",
    "Citation": "sentence",
    "Desk": "desk",
    "DeskError": "errors",
    "Emotion": "sentence",
    "Engines": "engines",
    "Outcome": "sentence",
    "Sentence": "sentence",
    "Slot": "tools",
    "ToolError": "errors",
    "detect_emotion": "emotion",
    "detect_emotions": "emotion",
    "new_desk": "desk",
    "tool": "tools",
}

__all__ = [
    "AgentError",
    "AnswererError",
    "Citation",
    "Desk",
    "DeskError",
    "Emotion",
    "Engines",
    "Outcome",
    "Sentence",
    "Slot",
    "ToolError",
    "detect_emotion",
    "detect_emotions",
    "new_desk",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"agent.{_HOME[name]}"), name)
    raise AttributeError(f"module 'agent' has no attribute {name!r}")
