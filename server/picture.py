"""Pictures and clips that are given: checked by the desk's policy before anything is made of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avatar.errors import AvatarError, InputError
from server.given import check_file
from speech.models import find

if TYPE_CHECKING:
    from avatar.photo.landmarks import Landmarker
    from moderation.image import U8
    from moderation.policy import Policy

ImageOption = Annotated[
    Path | None, typer.Option("--image", help="A picture or clip to screen instead of a text.")
]
ConsentOption = Annotated[
    bool | None,
    typer.Option("--consent/--no-consent", help="With --image: whether the person shown agreed to it."),
]
FaceOption = Annotated[bool, typer.Option("--face", help="With --image: a face must be there.")]
FACES = 4
"""Faces looked for at most."""


class LandmarkerFaces:
    """The avatar's landmarker as the face finder that moderation asks."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker

    def count(self, picture: U8) -> int:
        """How many faces RGB uint8[H, W, 3] shows."""
        return len(self._landmarker.search(picture))


def policy_of(desk: str) -> Policy:
    """The policy of a desk, by its name or folder.

    Raises:
        DeskError: there is no such desk, or its settings are wrong.
        PolicyError: its policy is wrong.
    """
    from agent.desk import Desk
    from moderation import Policy

    return Policy.load(Desk.load(desk).policy_file)


def check_photo_file(photo: Path, policy: Policy | None = None) -> None:
    """See that a photo is safe to decode and shows what it may; consent and face are looked at elsewhere.

    Args:
        photo: the file.
        policy: whose limits and classifier count; the default one's if left out.

    Raises:
        InputError: it will not do; the message says why and what to do.
        ModerationError: the policy's classifier cannot be opened.
    """
    from moderation import Policy, check_image
    from moderation.image_settings import open_image_classifier

    chosen = policy or Policy.load()
    verdict = check_image(photo, classifier=open_image_classifier(chosen), limits=chosen.images.limits)
    if not verdict.passes:
        raise InputError(f"{photo}: {verdict.reasons[0]}")


def screen_picture(
    file: Path, desk: str, *, consent: bool | None = None, face: bool = False
) -> dict[str, Any]:
    """What `visavis screen --image` tells of a picture or clip.

    Args:
        file: the picture or clip.
        desk: name or folder of the one whose limits and classifier count.
        consent: whether the person shown agreed; None: not asked.
        face: whether a face must be there.

    Raises:
        UsageError: the file is not there.
        AvatarError: faces cannot be looked for.
        ModerationError: the policy's classifier cannot be opened.
    """
    from moderation import check_clip, check_image
    from moderation.clip import is_clip
    from moderation.image_settings import open_image_classifier

    policy = policy_of(desk)
    check_file(file, "a picture (JPEG, PNG, WebP) or a clip (mp4, mov, webm, mkv)")
    classifier = open_image_classifier(policy)
    with ExitStack() as stack:
        faces = None
        if face:
            from avatar.photo.landmarks import Landmarker
            from server.faces import PULL

            folder = find("face-landmarker")
            if folder is None:
                raise AvatarError(f"finding faces needs a model that is not here; run: {PULL} (4 MB)")
            finder = Landmarker(folder / "face_landmarker.task", faces=FACES)
            faces = LandmarkerFaces(stack.enter_context(finder))
        if is_clip(file):
            verdict = check_clip(file, consent=consent, faces=faces, classifier=classifier)
        else:
            limits = policy.images.limits
            verdict = check_image(file, consent=consent, faces=faces, classifier=classifier, limits=limits)
    return {
        "action": verdict.action.value,
        "scores": {category: round(score, 4) for category, score in verdict.scores.items()},
        "rule": verdict.rule,
        "text": "",
        "rules": list(verdict.rules),
        "reasons": list(verdict.reasons),
        "format": verdict.format,
        "size": list(verdict.size) if verdict.size else None,
        "faces": verdict.faces,
        "metadata": list(verdict.metadata),
        "duration_s": verdict.duration_s,
        "frames": verdict.frames,
    }
