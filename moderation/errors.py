"""What can go wrong in moderation; every message says what to do next."""


class ModerationError(Exception):
    """Base of this package's errors.

    Attributes:
        retryable: True when the same call may succeed later without any change.
    """

    retryable = False


class PolicyError(ModerationError):
    """A policy file is wrong; the message names file, key and remedy."""
