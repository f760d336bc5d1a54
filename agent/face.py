"""A desk's face: where its rig lies, what stands behind it, and the renderer that draws it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.desk import Desk, state_root
from agent.errors import DeskError
from avatar import Renderer, load_renderer, load_rig, rig_names
from avatar.errors import RigError
from avatar.framing import Framing
from avatar.renderer import BLUR
from avatar.rig import read_manifest

if TYPE_CHECKING:
    from avatar.neural import NeuralLips

LIP_BATCH = 8
"""Frames that a lip model redraws at once: a reply begins a third of a second later, not two thirds."""
LEAST_PX = 64
"""Smallest picture that renderers draw."""
Background = tuple[int, int, int] | str | None
"""What `load_renderer` takes: a colour, a picture's path (also "blur:PATH"), None for a light wall."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}$")


def own_rigs() -> Path:
    """Folder of the rigs that were made here, by `visavis avatar create`; may not exist yet."""
    return state_root() / "rigs"


def own_rig_names() -> list[str]:
    """Names of the rigs that were made here."""
    return sorted(path.parent.name for path in own_rigs().glob("*/rig.json"))


def find_rig(name: str, desk: Desk | None = None) -> str | Path:
    """Where a rig lies: a path, in the desk's folder, among those made here, else a built-in rig's name.

    Raises:
        RigError: there is no such rig; the message names those that there are.
    """
    for folder in (desk.folder / name, Path(name)) if desk else (Path(name),):
        # A folder that only happens to be called so is no rig.
        if name and (folder / "rig.json").is_file():
            return folder
    if name in rig_names():
        return name
    if name in own_rig_names():
        return own_rigs() / name
    known = ", ".join([*rig_names(), *own_rig_names()])
    raise RigError(f"no rig {name!r}: give a folder with a rig.json, or one of: {known}")


def voice_of(desk: Desk) -> str | None:
    """The voice that the desk names, else the one that suits its rig, else None: the engine chooses."""
    named = desk.beside(desk.settings.voice.model)
    return named or voice_for(desk.settings.avatar.rig, desk)


def voice_for(rig: str, desk: Desk | None = None) -> str | None:
    """The voice that suits a rig; None where the rig names none or cannot be read."""
    try:
        return read_manifest(find_rig(rig, desk)).voice or None
    except RigError:
        return None  # whoever draws it says so


def background_of(desk: Desk) -> Background:
    """What the desk's `avatar.background` means."""
    return background_from(desk.settings.avatar.background, desk)


def background_from(words: str, desk: Desk | None = None) -> Background:
    """What a background in words means: "#rrggbb", a picture's path, "blur:PATH", or "" for a light wall."""
    if not words:
        return None
    if _COLOUR.match(words):
        red, green, blue = bytes.fromhex(words[1:])
        return red, green, blue
    blur = BLUR if words.startswith(BLUR) else ""
    path = words.removeprefix(BLUR)
    return blur + (desk.beside(path) if desk else path)


def background_file(desk: Desk) -> Path | None:
    """The picture file that the desk's background needs, if any."""
    background = background_of(desk)
    return Path(background.removeprefix(BLUR)) if isinstance(background, str) else None


def lips_file(desk: Desk) -> Path | None:
    """The model that the desk wants its lips redrawn with, if any.

    Raises:
        DeskError: it is not there.
    """
    named = desk.settings.avatar.lips
    if not named:
        return None
    path = desk.folder / named
    if not path.is_file():
        raise DeskError(
            f"{desk.folder / 'desk.toml'}: avatar.lips: there is no file {path}; put the ONNX model there, "
            "or remove the key"
        )
    return path


def open_lips(desk: Desk) -> NeuralLips | None:
    """What redraws the mouth of the desk's rig, if anything does.

    Raises:
        DeskError: the model is not there.
        AvatarError: it is no model with Wav2Lip's interface, or the rig is missing or broken.
    """
    model = lips_file(desk)
    if model is None:
        return None
    from avatar.neural import NeuralLips

    return NeuralLips(model, load_rig(find_rig(desk.settings.avatar.rig, desk)), batch=LIP_BATCH)


def open_renderer(desk: Desk) -> Renderer:
    """A renderer of the desk's rig as its settings want it.

    Raises:
        AvatarError: the rig is missing or broken, or the background is.
    """
    return open_renderers(desk, (1.0,))[1.0]


def open_renderers(desk: Desk, scales: Iterable[float]) -> dict[float, Renderer]:
    """Renderers of the desk's rig at several shares of the size that its settings want, by share.

    Raises:
        AvatarError: the rig is missing or broken, or the background is.
    """
    return face_of(desk).renderers(scales)


@dataclass(frozen=True, slots=True)
class Face:
    """What a desk wants drawn: all that another process needs to know of it."""

    rig: str | Path
    """A folder, or a built-in rig's name."""
    size: int
    """Width of the full picture in pixels."""
    background: Background
    framing: Framing
    ai_label: bool

    def renderers(self, scales: Iterable[float]) -> dict[float, Renderer]:
        """Open renderers at several shares of the full size, by share.

        Raises:
            AvatarError: the rig is missing or broken, or the background is.
        """
        rig = load_rig(self.rig)
        return {
            scale: load_renderer(
                rig,
                size=max(LEAST_PX, round(self.size * scale / 2) * 2),
                background=self.background,
                framing=self.framing,
            )
            for scale in scales
        }


def face_of(desk: Desk) -> Face:
    """What the desk wants drawn.

    Raises:
        RigError: there is no such rig.
    """
    settings = desk.settings.avatar
    return Face(
        find_rig(settings.rig, desk), settings.size, background_of(desk), settings.framing, settings.ai_label
    )
