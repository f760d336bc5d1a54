"""What may be heard and said: a guard that screens every text by a desk's policy."""

from importlib import import_module
from typing import TYPE_CHECKING

from moderation.errors import ModerationError, PolicyError
from moderation.guard import Guard
from moderation.screener import Classifier, Finding, Screener, Subject
from moderation.verdict import Action, Category, Direction, Span, Verdict

if TYPE_CHECKING:
    from moderation.clip import ClipLimits, check_clip
    from moderation.image import FaceFinder, ImageClassifier, ImageLimits, ImageVerdict, check_image
    from moderation.image_model import OnnxImageClassifier
    from moderation.policy import Policy

_LATER = {
    "Policy": "policy",
    "ClipLimits": "clip",
    "check_clip": "clip",
    "FaceFinder": "image",
    "ImageClassifier": "image",
    "ImageLimits": "image",
    "ImageVerdict": "image",
    "check_image": "image",
    "OnnxImageClassifier": "image_model",
}
"""Name → module, loaded when first used: pydantic and numpy are what a mere import should not pay for."""

__all__ = [
    "Action",
    "Category",
    "Classifier",
    "ClipLimits",
    "Direction",
    "FaceFinder",
    "Finding",
    "Guard",
    "ImageClassifier",
    "ImageLimits",
    "ImageVerdict",
    "ModerationError",
    "OnnxImageClassifier",
    "Policy",
    "PolicyError",
    "Screener",
    "Span",
    "Subject",
    "Verdict",
    "check_clip",
    "check_image",
]


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(f"moderation.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
