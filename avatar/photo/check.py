"""Is this photo fit to become a face? Each refusal says what is wrong and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.errors import InputError
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.photo.landmarks import CHEEKS, EYE_RIM, INNER_LOWER, INNER_UPPER, OVAL, FoundFace

U8 = NDArray[np.uint8]

SMALLEST_FACE_PX = 80.0
"""Least distance between the cheeks; below, eyes and lips have too few pixels to move."""
COARSE_FACE_PX = 200.0
"""Below this the rig looks soft, which is said."""
LARGEST_YAW_DEG = 25.0
LARGEST_PITCH_DEG = 22.0
LARGEST_ROLL_DEG = 25.0
"""Turned farther than this, one side of the face is hidden or the eyes lie too slanted."""
BRIDGE = (6, 168, 197)
"""Landmarks along the bridge of the nose."""
LEAST_HALF = 0.2
"""Share of the face's width beside the bridge, on the far side, below which too little of it is shown."""
SHARPNESS_PX = 160
"""Width to which a face is brought before its sharpness is measured."""
LEAST_SHARPNESS = 6.0
"""Variance of the Laplacian relative to the face's contrast: see `sharpness`."""
CLOSED_EYE = 0.13
"""Opening of an eye relative to its width below which it is shut."""
WIDE_MOUTH = 0.20
"""Opening of the mouth relative to the width of the face: a yawn or a laugh."""
SECOND_FACE = 0.35
"""A second face this large, relative to the first, is a second person and not a picture on the wall."""
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""Names of rigs."""
LEAST_CONSENT = 20
"""Characters of a consent statement: who agreed, and to what."""
LONGEST_CONSENT = 5000
"""A page; the statement is read with every rig."""


@dataclass(frozen=True, slots=True)
class PhotoCheck:
    """What was measured, for the report."""

    face_px: float
    head_deg: tuple[float, float, float]
    sharpness: float
    eye_opening: float
    mouth_opening: float
    notes: tuple[str, ...]


def check_consent(text: str) -> str:
    """The consent statement, stripped.

    Raises:
        AvatarError: it is missing, too short to say who agreed to what, or longer than a page.
    """
    stripped = " ".join(text.split())
    if len(stripped) < LEAST_CONSENT or len(stripped.split()) < 3 and stripped.isascii():
        raise InputError(
            "a face may only be used with the person's consent: state who agrees to what, for example "
            '"I, Jane Roe, agree that this photo of me is animated as our reception avatar"'
        )
    if len(stripped) > LONGEST_CONSENT:
        raise InputError(
            f"the consent statement has {len(stripped)} characters, at most {LONGEST_CONSENT} are kept: "
            "state who agrees to what, and keep the contract elsewhere"
        )
    return stripped


def check_photo(picture: U8, faces: list[FoundFace]) -> PhotoCheck:
    """Judge a photo.

    Args:
        picture: RGB uint8[H, W, 3].
        faces: what the landmarker found, the largest first.

    Raises:
        AvatarError: the photo cannot become a good rig; the message says why and what to do.
    """
    if not faces:
        raise InputError(
            "no face is found in the photo: give a portrait, upright, evenly lit, with the whole face visible"
        )
    face = faces[0]
    others = sum(other.width_px > SECOND_FACE * face.width_px for other in faces[1:])
    if others:
        raise InputError(f"{others + 1} faces are in the photo: cut it to the one person who agreed")
    if face.width_px < SMALLEST_FACE_PX:
        raise InputError(
            f"the face is {face.width_px:.0f} pixels wide, at least {SMALLEST_FACE_PX:.0f} are needed: "
            "give a larger photo, or one taken from nearer"
        )
    oval = face.points[list(OVAL), :2]
    height, width = picture.shape[:2]
    slack = 0.02 * face.width_px
    if (oval < -slack).any() or (oval[:, 0] > width + slack).any() or (oval[:, 1] > height + slack).any():
        raise InputError("the photo cuts the face off: give one with the whole head in it")
    yaw, pitch, roll = face.head_deg
    for angle, most, what in (
        (yaw, LARGEST_YAW_DEG, "is turned to the side"),
        (pitch, LARGEST_PITCH_DEG, "looks up or down"),
        (roll, LARGEST_ROLL_DEG, "is tilted"),
    ):
        if abs(angle) > most:
            raise InputError(
                f"the head {what} by {abs(angle):.0f}°, at most {most:.0f}° work: give a photo that faces "
                "the camera"
            )
    if _far_half(face) < LEAST_HALF:
        raise InputError(
            "the head is turned to the side: the nose hides the far half of the face; give a photo that "
            "faces the camera"
        )
    sharp = sharpness(picture, face)
    if sharp < LEAST_SHARPNESS:
        raise InputError(
            f"the face is blurred (sharpness {sharp:.0f}, at least {LEAST_SHARPNESS:.0f} is needed): give a "
            "photo in focus, without motion blur"
        )
    eyes = _eye_opening(face)
    if min(eyes) < CLOSED_EYE:
        raise InputError("the eyes are closed: give a photo with both eyes open")
    mouth = _mouth_opening(face)
    if mouth > WIDE_MOUTH:
        raise InputError("the mouth is wide open: give a photo with the mouth closed")
    return PhotoCheck(face.width_px, face.head_deg, sharp, min(eyes), mouth, _notes(face, sharp, mouth))


def _notes(face: FoundFace, sharp: float, mouth: float) -> tuple[str, ...]:
    notes = []
    if face.width_px < COARSE_FACE_PX:
        notes.append(
            f"the face is only {face.width_px:.0f} pixels wide and will look soft: a photo with 300 or more "
            "is better"
        )
    if mouth > 0.03:
        notes.append(
            "the mouth is open in the photo: it is closed by calculation; a closed mouth looks better"
        )
    smile = float(
        face.blendshapes[[BLENDSHAPE_INDEX["mouthSmileLeft"], BLENDSHAPE_INDEX["mouthSmileRight"]]].mean()
    )
    if smile > 0.4:
        notes.append("the person smiles: smile lines stay in the skin; a neutral photo looks better")
    if abs(face.head_deg[0]) > 12:
        notes.append("the head is turned aside: the far side of the face is drawn from little")
    aside = max(
        float(face.blendshapes[BLENDSHAPE_INDEX[n]])
        for n in ("eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight")
    )
    if aside > 0.45:
        notes.append("the person looks past the camera: the eyes are turned to the viewer")
    return tuple(notes)


def sharpness(picture: U8, face: FoundFace) -> float:
    """How sharp a face is: variance of the Laplacian over that of the grey levels, times 1000.

    The face is brought to 160 px first, so that large photos are not asked for detail that a rig cannot show.
    """
    import cv2

    low = np.floor(face.points[:, :2].min(0)).astype(int).clip(0)
    high = np.ceil(face.points[:, :2].max(0)).astype(int)
    cut = picture[low[1] : high[1], low[0] : high[0]]
    grey = cv2.cvtColor(np.ascontiguousarray(cut), cv2.COLOR_RGB2GRAY)
    k = SHARPNESS_PX / grey.shape[1]
    way = cv2.INTER_AREA if k < 1 else cv2.INTER_CUBIC
    grey = cv2.resize(grey, None, fx=k, fy=k, interpolation=way).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 200.0) * 1000)


def _far_half(face: FoundFace) -> float:
    """Width of the narrower half of the face, beside the bridge of the nose, by the width of the whole."""
    first, second = (face.points[i, :2] for i in CHEEKS)
    across = (second - first) / max(float(((second - first) ** 2).sum()), 1e-6)
    place = float(((face.points[list(BRIDGE), :2].mean(0) - first) * across).sum())
    return min(place, 1 - place)


def _eye_opening(face: FoundFace) -> list[float]:
    out = []
    for rim in EYE_RIM.values():
        points = face.points[list(rim), :2]
        wide = float(np.linalg.norm(points[0] - points[8]))
        # the rim's order: outer corner, upper lid, inner corner, lower lid
        tall = np.linalg.norm(points[[3, 4, 5]] - points[[13, 12, 11]], axis=1).mean()
        out.append(float(tall / max(wide, 1e-6)))
    return out


def _mouth_opening(face: FoundFace) -> float:
    gap = face.points[list(INNER_LOWER), :2] - face.points[list(INNER_UPPER), :2]
    return float(np.linalg.norm(gap, axis=1).max() / face.width_px)
