"""What can go wrong in moderation; every message says what to do next."""


class ModerationError(Exception):
    """Base of this package's errors.

    Attributes:
        retryable: True when the same call may succeed later without any change.
    """

    retryable = False


class PolicyError(ModerationError):
    """A policy file is wrong; the message names file, key and remedy."""


class EngineError(ModerationError):
    """An engine did not judge: it cannot be reached, refuses, or answers what cannot be read."""

    retryable = True
    kind = "error"
    """Name of the rule that tells of it: "engine.error"."""


class EngineTimeout(EngineError):
    """An engine did not judge within its time."""

    kind = "timeout"
