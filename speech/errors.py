"""What can go wrong in hearing and speaking; every message says what to do next."""


class SpeechError(Exception):
    """Base of this package's errors.

    Attributes:
        retryable: True when the same call may succeed later without any change.
    """

    retryable = False


class AudioError(SpeechError):
    """The sound that was given cannot be used: missing, empty, no audio in it, too long, not finite."""


class EngineUnavailable(SpeechError):
    """An engine or its model is not present; the message names the command that brings it."""


class WorkerDied(SpeechError):
    """A worker process ended while it was needed; the next call starts a new one."""

    retryable = True
