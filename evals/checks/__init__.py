"""Checks of a replayed conversation: what the script expects, against what came."""

from evals.checks.check import Check

__all__ = ["Check"]
