"""Faces from photos: one portrait, its person's consent, and a rig that every renderer draws.

Names load when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatar.photo.check import PhotoCheck, check_consent, check_photo
    from avatar.photo.create import RigReport, create_rig
    from avatar.photo.landmarks import FoundFace, Landmarker
    from avatar.photo.picture import Photo, read_photo

_HOME = {
    "FoundFace": "landmarks",
    "Landmarker": "landmarks",
    "Photo": "picture",
    "PhotoCheck": "check",
    "RigReport": "create",
    "check_consent": "check",
    "check_photo": "check",
    "create_rig": "create",
    "read_photo": "picture",
}

__all__ = [
    "FoundFace",
    "Landmarker",
    "Photo",
    "PhotoCheck",
    "RigReport",
    "check_consent",
    "check_photo",
    "create_rig",
    "read_photo",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
