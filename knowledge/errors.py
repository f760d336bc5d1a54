"""What can go wrong with knowledge; every message says what to do next."""


class KnowledgeError(Exception):
    """Base of this package's errors.

    Attributes:
        retryable: True when the same call may succeed later without any change.
    """

    retryable = False


class DocumentError(KnowledgeError):
    """A document cannot be read; the message names it and says why."""


class StoreError(KnowledgeError):
    """The index cannot be opened or written (no space, no permission, damaged)."""


class EmbedderError(KnowledgeError):
    """An embedder or a re-ranker cannot be loaded or does not answer."""

    retryable = True


class BusyError(KnowledgeError):
    """Another command is changing the knowledge."""

    retryable = True
