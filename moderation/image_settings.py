"""The policy's `[images]`: how large pictures may be, and which classifier judges what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from moderation.engine_settings import Table

if TYPE_CHECKING:
    from moderation.image import ImageLimits
    from moderation.image_model import OnnxImageClassifier
    from moderation.policy import Policy


class Images(Table):
    """What pictures may be used."""

    classifier: str = ""
    """A folder, beside the policy file or absolute, with model.onnx and labels.json; empty: none."""
    max_megabytes: Annotated[float, Field(gt=0, le=1000)] = 40.0
    max_megapixels: Annotated[float, Field(gt=0, le=250)] = 60.0

    @property
    def limits(self) -> ImageLimits:
        """How large a picture may be."""
        from moderation.image import ImageLimits

        return ImageLimits(
            max_bytes=round(self.max_megabytes * 1e6), max_pixels=round(self.max_megapixels * 1e6)
        )


def open_image_classifier(policy: Policy) -> OnnxImageClassifier | None:
    """The classifier that the policy names, if any.

    Raises:
        ModerationError: It cannot be opened; the message says what is wrong with which file.
    """
    if not policy.images.classifier:
        return None
    from moderation.image_model import OnnxImageClassifier

    return OnnxImageClassifier(policy.folder / policy.images.classifier)
