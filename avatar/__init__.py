"""The face: rigs, visemes, expression and motion, renderers, clips.

Names load when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from avatar.errors import AvatarError, ClipError, RigError
from avatar.pose import ARKIT_BLENDSHAPES, Pose

if TYPE_CHECKING:
    from avatar.cpu_renderer import warm
    from avatar.framing import FRAMINGS, Framing
    from avatar.gesture import GESTURES, Gesture, gesture_for, gesture_names
    from avatar.lipcheck import closures, lip_gap_mm, unclosed
    from avatar.performance import Performer, frame_count, perform
    from avatar.renderer import Renderer, load_renderer
    from avatar.rig import Rig, load_rig, rig_names
    from avatar.sheet import draw_sheet
    from avatar.track import PoseTrack, load_track

_HOME = {
    "FRAMINGS": "framing",
    "Framing": "framing",
    "GESTURES": "gesture",
    "Gesture": "gesture",
    "Performer": "performance",
    "PoseTrack": "track",
    "Renderer": "renderer",
    "Rig": "rig",
    "closures": "lipcheck",
    "draw_sheet": "sheet",
    "frame_count": "performance",
    "gesture_for": "gesture",
    "gesture_names": "gesture",
    "lip_gap_mm": "lipcheck",
    "load_renderer": "renderer",
    "load_rig": "rig",
    "load_track": "track",
    "perform": "performance",
    "rig_names": "rig",
    "unclosed": "lipcheck",
    "warm": "cpu_renderer",
}

__all__ = [
    "ARKIT_BLENDSHAPES",
    "FRAMINGS",
    "GESTURES",
    "AvatarError",
    "ClipError",
    "Framing",
    "Gesture",
    "Performer",
    "Pose",
    "PoseTrack",
    "Renderer",
    "Rig",
    "RigError",
    "closures",
    "draw_sheet",
    "frame_count",
    "gesture_for",
    "gesture_names",
    "lip_gap_mm",
    "load_renderer",
    "load_rig",
    "load_track",
    "perform",
    "rig_names",
    "unclosed",
    "warm",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"avatar.{_HOME[name]}"), name)
    raise AttributeError(f"module 'avatar' has no attribute {name!r}")
