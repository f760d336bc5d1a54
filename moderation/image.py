"""Pictures and clips: may they be used? Decoder safety, size, consent, a face, and what they show.

A file is judged by its bytes first, and decoded only when nothing speaks against it. Whatever is given, the
answer is a verdict; only a classifier that cannot be loaded raises.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from moderation.errors import ModerationError
from moderation.image_file import PictureFile, read_picture_file
from moderation.verdict import Action, Category

U8 = NDArray[np.uint8]
Source = Path | str | bytes | U8

FORMATS = "a JPEG, PNG or WebP picture"


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How large a picture may be."""

    max_bytes: int = 40_000_000
    """Phones write 3 to 15 MB."""
    max_pixels: int = 60_000_000
    """60 megapixels take 180 MB once decoded."""
    min_side: int = 64
    """Pixels; on less, nothing can be made out."""
    max_ratio: float = 10.0
    """Longer by shorter side; a panorama has 4, a decoder's trap thousands."""


class FaceFinder(Protocol):
    """Finds faces, whatever with."""

    def count(self, picture: U8) -> int:
        """How many faces RGB uint8[H, W, 3] shows."""
        ...


class ImageClassifier(Protocol):
    """Scores a picture, whatever with; `moderation.image_model.OnnxImageClassifier` is one."""

    def scores(self, picture: U8) -> Mapping[Category, float]:
        """RGB uint8[H, W, 3] to category → 0..1."""
        ...

    def threshold(self, category: Category) -> float:
        """The score from which on a category counts."""
        ...


@dataclass(frozen=True, slots=True)
class ImageVerdict:
    """May this picture or clip be used, and if not, why."""

    action: Action
    """allow, refuse, or escalate where a person should look at it."""
    rule: str = ""
    """"image.name", such as "image.truncated"; "" where nothing fired."""
    reasons: tuple[str, ...] = ()
    """One sentence for each thing that speaks against it, with what to do, the deciding one first."""
    size: tuple[int, int] | None = None
    """Width and height in pixels, upright; None where the file does not tell."""
    format: str = ""
    """"jpeg", "png", "webp", "mp4", "webm"; "array" for pixels."""
    rules: tuple[str, ...] = ()
    """Every rule that fired, the deciding one first."""
    scores: dict[str, float] = field(default_factory=dict)
    """category → 0..1, by the classifier; of a clip the greatest of its frames."""
    faces: int | None = None
    """How many were found; None where nobody looked."""
    metadata: tuple[str, ...] = ()
    """What else lay in the file and is not in `picture`: "exif", "place" (where it was taken), "xmp" …"""
    duration_s: float | None = None
    """Of a clip."""
    frames: int = 1
    """Pictures looked at: of a clip, one each few seconds."""
    picture: U8 | None = field(default=None, repr=False, compare=False)
    """The pixels: RGB uint8[H, W, 3], turned upright, without metadata; None where it was not decoded."""

    @property
    def passes(self) -> bool:
        """True when it may be used."""
        return self.action is Action.ALLOW


@dataclass(slots=True)
class Complaints:
    """What speaks against a picture, as it is found."""

    found: list[tuple[str, str, Action]] = field(default_factory=list)

    def add(self, name: str, reason: str, action: Action = Action.REFUSE) -> None:
        """Note one; the same rule is noted once."""
        if all(rule != f"image.{name}" for rule, _, _ in self.found):
            self.found.append((f"image.{name}", reason, action))

    def verdict(self, **known: Any) -> ImageVerdict:
        """Everything together; the strictest action decides, the earliest of equals."""
        worst = sorted(self.found, key=lambda one: -one[2].rank)
        rules = tuple(rule for rule, _, _ in worst)
        action = worst[0][2] if worst else Action.ALLOW
        return ImageVerdict(
            action, rules[0] if rules else "", tuple(reason for _, reason, _ in worst), rules=rules, **known
        )


def check_image(
    source: Source,
    *,
    consent: bool | None = None,
    faces: FaceFinder | None = None,
    classifier: ImageClassifier | None = None,
    limits: ImageLimits | None = None,
) -> ImageVerdict:
    """Judge a picture.

    Args:
        source: a file's path, its bytes, or pixels as uint8[H, W, 3 or 4] (RGB or RGBA).
        consent: whether the person shown agreed; None where it shows nobody who could (a rendered face).
        faces: given, the picture must show a face.
        classifier: given, it judges what is shown; if it fails, the picture is refused.
        limits: how large it may be.
    """
    most = limits or ImageLimits()
    against = Complaints()
    if consent is False:
        against.add(
            "consent", "the person shown has not agreed to it: ask first, and state who agrees to what."
        )
    if isinstance(source, np.ndarray):
        picture, told = _pixels(source, most, against), PictureFile("array")
    else:
        data = read_bytes(source, most.max_bytes, FORMATS, against)
        told = read_picture_file(data) if data is not None else PictureFile("")
        picture = _decoded(data, told, most, against) if data is not None else None
    size = (picture.shape[1], picture.shape[0]) if picture is not None else (told.width, told.height)
    shown = Shown(faces, classifier)
    if picture is not None:
        shown.look(picture, against)
        shown.close(against)
    return against.verdict(
        size=size if all(size) else None,
        format=told.format,
        metadata=tuple(told.metadata),
        scores=shown.scores,
        faces=shown.faces,
        frames=int(picture is not None),
        picture=picture,
    )


class Shown:
    """What pictures show: faces, and what the classifier sees in them."""

    def __init__(self, finder: FaceFinder | None, classifier: ImageClassifier | None) -> None:
        self._finder, self._classifier = finder, classifier
        self.faces: int | None = None
        self.scores: dict[str, float] = {}

    def look(self, picture: U8, against: Complaints, where: str = "") -> None:
        """Look at one picture; `where` ends a reason: " at 4 s"."""
        if self._finder is not None:
            self.faces = max(self.faces or 0, self._finder.count(picture))
        if self._classifier is None:
            return
        try:
            scores = self._classifier.scores(picture)
        except ModerationError as error:  # closed: what was not judged is not shown
            against.add("classifier", str(error))
            return
        for category, score in scores.items():
            self.scores[category] = max(self.scores.get(category, 0.0), score)
            if score >= self._classifier.threshold(category):
                action = Action.ESCALATE if category is Category.SEXUAL_MINORS else Action.REFUSE
                what = category.replace("_", " ")
                against.add(category, f"it shows {what}{where} (score {score:.2f}): use another one.", action)

    def close(self, against: Complaints) -> None:
        """All pictures were seen: complain where none showed a face."""
        if self.faces == 0:
            against.add(
                "no_face",
                "no face is found: give a portrait, upright, evenly lit, with the whole face visible.",
            )


def read_bytes(source: Path | str | bytes, most: int, wanted: str, against: Complaints) -> bytes | None:
    """A file's bytes, or none and a complaint; never more than `most`."""
    data = source if isinstance(source, bytes) else b""
    if not isinstance(source, bytes):
        path = Path(source)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                against.add("unreadable", f"{path} is no file: give {wanted}.")
                return None
            with path.open("rb") as file:
                data = file.read(most + 1)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            against.add("unreadable", f"{path} cannot be read ({why}): check the path, and give {wanted}.")
            return None
    if len(data) > most:
        against.add("bytes", f"it has more than {most / 1e6:.0f} MB: export it smaller.")
        return None
    return data


def _decoded(data: bytes, told: PictureFile, most: ImageLimits, against: Complaints) -> U8 | None:
    """The pixels, upright, where nothing in the file speaks against decoding it."""
    before = len(against.found)
    if not told.format:
        against.add("format", f"it is {told.other}: give {FORMATS}.")
        return None
    if told.bomb:
        against.add("bomb", "it is built from more pieces than any picture needs: export it again.")
    if told.foreign:
        against.add("polyglot", "it holds a program, a script, a document or an archive: export it again.")
    if told.width and told.height:
        _sized(told.width, told.height, most, against)
    elif told.complete:
        against.add("damaged", "it does not tell its size: export it again.")
    if not told.complete and not told.bomb:
        against.add("truncated", "it is cut short or damaged: copy or export it again.")
    if told.frames > 1:
        against.add("animated", f"it is animated ({told.frames} pictures): export one of them.")
    if len(against.found) > before:
        return None
    import cv2

    try:
        # turned as the camera was held; the metadata is left behind
        found: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        found = None
    if found is None or set(found.shape[:2]) != {told.width, told.height}:
        against.add("damaged", "it cannot be decoded, or is not as large as it says: export it again.")
        return None
    return np.ascontiguousarray(found[:, :, ::-1])


def _sized(width: int, height: int, most: ImageLimits, against: Complaints) -> None:
    if width * height > most.max_pixels:
        against.add(
            "pixels",
            f"it has {width}×{height} pixels, at most {most.max_pixels / 1e6:.0f} megapixels work: "
            "export it smaller.",
        )
    elif min(width, height) < most.min_side:
        against.add(
            "small",
            f"it has {width}×{height} pixels, at least {most.min_side} a side are needed: give a larger one.",
        )
    elif max(width, height) > most.max_ratio * min(width, height):
        against.add("ratio", f"it has {width}×{height} pixels: cut it to a usual shape.")


def _pixels(pixels: NDArray[Any], most: ImageLimits, against: Complaints) -> U8 | None:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        shape = ", ".join(map(str, pixels.shape))
        against.add("format", f"it is {pixels.dtype}[{shape}]: give uint8[H, W, 3 or 4], RGB or RGBA.")
        return None
    before = len(against.found)
    _sized(pixels.shape[1], pixels.shape[0], most, against)
    return np.ascontiguousarray(pixels[:, :, :3]) if len(against.found) == before else None
