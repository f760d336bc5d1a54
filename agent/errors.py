"""What can go wrong in the conversation; every message says what to do next."""


class AgentError(Exception):
    """Base of this package's errors.

    Attributes:
        retryable: True when the same call may succeed later without any change.
    """

    retryable = False


class DeskError(AgentError):
    """A desk is missing or wrong; the message names file, key and remedy."""


class ToolError(AgentError):
    """A desk's tool failed or was called wrongly."""


class AnswererError(AgentError):
    """The language model could not be reached, was too slow, or broke off."""

    retryable = True
