"""Opening the engines that a policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moderation.errors import ModerationError, PolicyError
from moderation.panel import Engine
from moderation.policy_lines import at
from moderation.screener import Classifier

if TYPE_CHECKING:
    from moderation.engine_settings import OnnxEngine, RemoteEngine
    from moderation.policy import Policy


def open_engines(policy: Policy) -> list[Engine]:
    """Open the engines of a policy, the embedded classifier first.

    Raises:
        PolicyError: One cannot be opened as it is set; the message names file, line, key and remedy.
        ModerationError: The embedded classifier cannot be opened.
    """
    try:
        return _opened(policy)
    except ModerationError as error:
        key, _, remedy = str(error).partition(": ")
        if not key.startswith("engines."):
            raise
        raise PolicyError(f"{at(policy.source, key.split('.'))}: {remedy}") from error


def _opened(policy: Policy) -> list[Engine]:
    settings = policy.engines
    engines: list[Engine] = []
    if settings.embedded:
        from moderation.classifier import shared_classifier

        engines.append(Engine(shared_classifier(), inline=True))
    if settings.openai is not None:
        from moderation.engine_openai import OpenAIModeration

        engines.append(_timed(OpenAIModeration(settings.openai), settings.openai))
    if settings.llama_guard is not None:
        from moderation.engine_llama_guard import LlamaGuard

        engines.append(_timed(LlamaGuard(settings.llama_guard), settings.llama_guard))
    for name, onnx in settings.onnx.items():
        from moderation.engine_onnx import OnnxClassifier

        engines.append(_timed(OnnxClassifier(name, onnx, policy.folder), onnx))
    return engines


def _timed(classifier: Classifier, settings: OnnxEngine | RemoteEngine) -> Engine:
    return Engine(classifier, budget_s=settings.budget_ms / 1e3, directions=settings.directions)
