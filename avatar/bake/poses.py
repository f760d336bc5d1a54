"""The poses and views that a bake renders, shared by the renderer in Blender and by the rig compiler."""

from __future__ import annotations


def _both(weights: dict[str, float]) -> dict[str, float]:
    """Names ending in _ stand for their Left and Right shape."""
    out = {}
    for name, weight in weights.items():
        for full in (name[:-1] + "Left", name[:-1] + "Right") if name.endswith("_") else (name,):
            out[full] = weight
    return out


KEY_POSES: dict[str, dict[str, float]] = {
    "blink": _both({"eyeBlink_": 1.0}),
    "smile": _both({"mouthSmile_": 1.0, "cheekSquint_": 0.6, "eyeSquint_": 0.4}),
    "jaw": {"jawOpen": 0.7},
    "funnel": {"mouthFunnel": 0.5, "mouthPucker": 0.6, "jawOpen": 0.1},
    "browup": _both({"browInnerUp": 1.0, "browOuterUp_": 1.0}),
    "browdn": _both({"browDown_": 1.0, "noseSneer_": 0.3}),
    "frown": _both({"mouthFrown_": 1.0, "mouthShrugLower": 0.5}),
    "ee": _both({"mouthUpperUp_": 0.7, "mouthLowerDown_": 0.7, "mouthStretch_": 0.4, "jawOpen": 0.1}),
    "press": _both({"mouthRollLower": 0.8, "mouthRollUpper": 0.6, "mouthPress_": 0.5}),
}
"""The poses that are rendered, each as key_<name>.png."""

SHARP_KEYS = ("rest", "blink", "ee", "jaw")
"""Keys rendered at full size: they give texture. The others only feed appearance maps."""

INNER_POSE = {"jawOpen": 0.6}
"""The pose of inner.png, which shows eyes, teeth and tongue without skin."""

SPLIT_KEYS = ("blink", "smile", "browup", "browdn", "frown")
"""Keys whose left and right half are driven apart."""

KEY_BOX = (0.28, 0.72, 0.22, 0.78)
"""Left, right, top, bottom of the rendered part of the key pictures, in picture sizes."""

SIDES = ("side_left", "side_right")
"""Views from the person's left and right, for the texture of what a turned head shows."""
SIDE_YAWS_DEG = (35.0, -35.0)
"""How far round the head they are taken, toward the person's left."""
SIDE_PIVOT_Y_M = 0.0046
"""Depth of the upright axis round which the camera goes for them."""
