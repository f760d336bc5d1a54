"""Doing once, at set-up, what the first answer would otherwise wait for."""

from __future__ import annotations

from agent.desk import Desk
from agent.library import open_knowledge
from agent.presence import Presence
from avatar import Pose


def warm_up() -> None:
    """Compile the renderer's kernels into their cache and index the demo desk."""
    desk = Desk.load()
    open_knowledge(desk).close()
    presence = Presence.open(desk)
    presence.renderer.draw(Pose())
    presence.close()
