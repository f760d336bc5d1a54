"""`visavis avatar`: rigs and pictures of them, rigs from photos, tracks from videos."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from agent.face import find_rig, own_rig_names, own_rigs
from avatar import GESTURES, AvatarError, draw_sheet, load_renderer, load_rig, rig_names
from avatar.errors import ClipError, RigError
from avatar.sheet import KINDS
from server.boundary import UsageError, check_suffix
from server.given import check_file, check_place
from server.picture import check_photo_file
from server.progress import Stages
from speech.models import find

if TYPE_CHECKING:
    from moderation.policy import Policy

PULL = "visavis models pull face-landmarker"
RIG_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""As `avatar.photo.create` wants it."""
COLUMN_LETTERS = 16
"""Of a column in the list: what was agreed to must fit beside them."""
SHEET_RENDER_PX = 720
"""Sheets show faces at this size, whatever the desk uses: people look closely at them."""


def list_rigs() -> dict[str, Any]:
    """Return the rigs that ship and those made here."""
    rows: list[dict[str, Any]] = []
    broken = []
    own = [name for name in own_rig_names() if name not in rig_names()]
    for name in [*rig_names(), *own]:
        try:
            rig = load_rig(own_rigs() / name if name in own else name)
        except RigError as error:
            broken.append(str(error))
            continue
        about = rig.manifest
        rows.append(
            {
                "name": name,
                "title": about.title,
                "kind": about.kind,
                "licence": about.licence,
                "consent": about.consent,
                "credits": list(about.credits),
                "texture_px": about.texture_size,
                "path": str(rig.folder),
            }
        )
    return {"rigs": rows, "broken": broken, "own": str(own_rigs())}


def show_rigs(document: dict[str, Any]) -> None:
    """Print the list, a line a rig; what a line has no room for ends in an ellipsis."""
    table = Table(box=None, pad_edge=False, expand=True)
    rigs = document["rigs"]
    for head, key in (("name", "name"), ("kind", "kind"), ("licence", "licence"), ("who", "title")):
        longest = max((len(rig[key]) for rig in rigs), default=0)
        width = min(max(longest, len(head)), COLUMN_LETTERS)
        table.add_column(head, no_wrap=True, overflow="ellipsis", width=width)
    table.add_column("consent", no_wrap=True, overflow="ellipsis", ratio=1)
    for rig in rigs:
        table.add_row(
            rig["name"], rig["kind"], rig["licence"], rig["title"], " ".join(rig["consent"].split())
        )
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.soft_wrap = True
    console.print("all of it: visavis avatar list --json")
    for complaint in document["broken"]:
        console.print(f"broken: {complaint}")
    console.print(
        f"your own lie in {document['own']}; make one with: "
        'visavis avatar create PHOTO --name NAME --consent "…"'
    )


def write_sheets(rig: str, kind: str | None, out: Path, stages: Stages) -> dict[str, Any]:
    """Draw every contact sheet into a folder, or one into a png file.

    Raises:
        UsageError: there is no such kind of sheet, or `out` does not fit.
        AvatarError: the rig is broken or a file cannot be written.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f"--kind is one of {', '.join(KINDS)}")
    single = out.suffix != ""
    if single:
        check_suffix(out, ".png")
        kind = kind or KINDS[0]
    check_place(out, folder=not single)
    stages.stage("opening the rig")
    renderer = load_renderer(load_rig(find_rig(rig)), size=SHEET_RENDER_PX)
    sheets = []
    for number, known in enumerate(KINDS):
        if kind is not None and known != kind:
            continue
        stages.stage(f"drawing {known}")
        stages.advance(number, len(KINDS))
        picture = draw_sheet(renderer, known)
        path = out if single else out / f"{known}.png"
        _write_picture(path, picture)
        sheets.append(
            {"path": str(path), "kind": known, "width": picture.shape[1], "height": picture.shape[0]}
        )
    return {"rig": rig, "sheets": sheets}


def list_gestures() -> dict[str, Any]:
    """Return the gestures by name."""
    return {
        "gestures": [
            {"name": name, "about": gesture.meaning, "duration_s": gesture.end_s}
            for name, gesture in GESTURES.items()
        ]
    }


def create(
    photo: Path,
    name: str,
    consent: str,
    out: Path | None,
    *,
    overwrite: bool,
    landmarker: Path | None,
    stages: Stages,
    policy: Policy | None = None,
) -> dict[str, Any]:
    """Make a rig from a photo; `policy` says how large it may be, and what it may show.

    Raises:
        AvatarError: the photo will not do, consent is missing, or the rig cannot be written.
    """
    from avatar.photo import check_consent

    if name in rig_names():
        raise UsageError(f"{name} is the name of a rig that ships: choose another --name")
    if not RIG_NAME.fullmatch(name):
        raise UsageError(f"--name {name!r} will not do: use small letters, digits, - and _, at most 40")
    check_consent(consent)
    check_file(photo, "a JPEG, PNG or WebP photo of one face")
    folder = out or own_rigs() / name
    if folder.exists() and not overwrite:
        raise UsageError(f"{folder} exists: choose another --name, or replace it with --overwrite")
    check_place(folder, folder=True)
    model = _landmarker(landmarker)
    check_photo_file(photo, policy)
    stages.stage("making the rig")
    from avatar.photo import create_rig  # the numeric libraries load after what is quickly told

    report = create_rig(photo, name, consent, folder, landmarker=model, overwrite=overwrite)
    rig = load_rig(report.path)
    usable = name if out is None else str(report.path)
    return {
        "path": str(report.path),
        "rig": usable,
        "name": name,
        "consent": rig.manifest.consent,
        "made": rig.manifest.made,
        "notes": list(report.notes),
    }


def capture_track(video: Path, out: Path, *, landmarker: Path | None, stages: Stages) -> dict[str, Any]:
    """Capture a performance.

    Raises:
        AvatarError: the video has no picture, or no face in it.
    """
    check_suffix(out, ".json")
    check_file(video, "an mp4, mov or webm file")
    check_place(out)
    model = _landmarker(landmarker)
    stages.stage("looking at the video")
    from avatar.capture import capture

    result = capture(video, model, progress=stages.advance)
    result.track.save(out)
    track = result.track
    return {
        "path": str(out),
        "poses": len(track.poses),
        "fps": track.fps,
        "duration_s": len(track.poses) / track.fps,
        "frames": result.frames,
        "faces_found": result.found,
        "notes": list(result.notes),
    }


def _landmarker(chosen: Path | None) -> Path:
    from avatar.photo.landmarks import SMALLEST_MODEL_BYTES

    if chosen is not None:
        check_file(chosen, f"face_landmarker.task, which `{PULL}` fetches")
        if chosen.stat().st_size < SMALLEST_MODEL_BYTES:
            raise UsageError(f"{chosen} is no face landmarker: fetch one with `{PULL}`, and leave this out")
        return chosen
    folder = find("face-landmarker")
    if folder is None:
        raise AvatarError(
            f"the face landmarker is not here; run: {PULL} (4 MB), or name the file with --landmarker"
        )
    return folder / "face_landmarker.task"


def _write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    import cv2

    done, data = cv2.imencode(".png", picture[..., ::-1])
    if not done:
        raise ClipError(f"{path}: the picture could not be encoded; try a smaller rig")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.tobytes())
