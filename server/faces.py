"""`visavis avatar`: rigs and pictures of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avatar import draw_sheet, load_renderer, load_rig, rig_names
from avatar.errors import ClipError
from avatar.sheet import KINDS
from server.boundary import UsageError, check_suffix


def list_rigs() -> dict[str, Any]:
    """Return the built-in rigs."""
    rigs = [load_rig(name) for name in rig_names()]
    about = [rig.manifest for rig in rigs]
    return {"rigs": [{"name": m.name, "licence": m.licence, "credits": list(m.credits)} for m in about]}


def write_sheet(rig: str, kind: str, out: Path) -> dict[str, Any]:
    """Draw a contact sheet into a png file.

    Raises:
        UsageError: there is no such kind of sheet.
        AvatarError: the rig is broken or the file cannot be written.
    """
    import cv2

    wanted = next((known for known in KINDS if known == kind), None)
    if wanted is None:
        raise UsageError(f"--kind is one of {', '.join(KINDS)}")
    check_suffix(out, ".png")
    picture = draw_sheet(load_renderer(load_rig(rig), size=512), wanted)
    done, data = cv2.imencode(".png", picture[..., ::-1])
    if not done:
        raise ClipError(f"{out}: the picture could not be encoded; try a smaller rig")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(data.tobytes())
    return {"path": str(out), "kind": kind, "width": picture.shape[1], "height": picture.shape[0]}
