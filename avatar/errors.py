"""What can go wrong with the face; every message says what to do next."""


class AvatarError(Exception):
    """Base of this package's errors.

    Attributes:
        retryable: True when the same call may succeed later without any change.
    """

    retryable = False


class InputError(AvatarError):
    """What was given will not do: a photo, a video, a track, a background, a size; the message says why."""


class RigError(AvatarError):
    """A rig is missing, incomplete or made for another version of the format."""


class ClipError(AvatarError):
    """A clip cannot be written (no space, no permission, encoder missing)."""
