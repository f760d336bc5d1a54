"""Opening the engines that a policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moderation.panel import Engine
from moderation.screener import Classifier

if TYPE_CHECKING:
    from moderation.engine_settings import OnnxEngine, RemoteEngine
    from moderation.policy import Policy


def open_engines(policy: Policy) -> list[Engine]:
    """Open the engines of a policy, the embedded classifier first.

    Raises:
        ModerationError: One cannot be opened; the message names the key and the remedy.
    """
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
