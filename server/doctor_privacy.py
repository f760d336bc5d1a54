"""What a desk keeps of its visitors, as `visavis doctor` tells it."""

from __future__ import annotations

from agent.desk import Desk
from moderation.errors import ModerationError
from server.finding import Finding


def find_privacy(desk: Desk) -> Finding:
    """Say what is kept and for how long, and what a desk gives up by its `[privacy]`."""
    from server.live.masking import presidio_of
    from server.live.options import KEPT_DAYS

    settings = desk.settings.privacy
    try:
        presidio_of(desk)
    except ModerationError as error:
        told = f"[privacy] presidio: {error}"
        return Finding(
            "privacy", False, settings.keep, "no server starts with it", told, "or leave it out of desk.toml"
        )
    days = settings.transcripts_for(KEPT_DAYS)
    kept = {
        "masked": f"words are kept for {days:g} days without personal data",
        "plain": f"words are kept for {days:g} days as they were said",
        "none": "no words are kept, and nothing is recorded",
    }[settings.keep]
    if desk.settings.web.record and settings.keep != "none":
        sound = "as it was said" if settings.mute == "off" else "with personal data muted"
        kept += f"; recordings for {settings.recordings_for(KEPT_DAYS):g} days, {sound}"
    open_ = [
        name
        for name, given_up in (
            ('keep = "plain"', settings.keep == "plain"),
            ("mask_names = false", settings.keep == "masked" and not settings.mask_names),
            ('mute = "off"', desk.settings.web.record and settings.mute == "off"),
            ("mute_unclear = false", desk.settings.web.record and not settings.mute_unclear),
        )
        if given_up
    ]
    return Finding(
        "privacy",
        True,
        settings.keep,
        kept,
        f"[privacy] {', '.join(open_)}: personal data of visitors is kept" if open_ else "",
        "leave that out of desk.toml unless the law and your visitors allow it" if open_ else "",
    )
