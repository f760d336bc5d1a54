"""What a desk keeps of its visitors, and for how long: `[privacy]` in `desk.toml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agent.section import Section

Days = Annotated[float, Field(gt=0, le=36_500)]


class Privacy(Section):
    """What is kept of a conversation."""

    keep: Literal["masked", "none", "plain"] = "masked"
    """masked: words without personal data; none: no words, only events and figures, and no recordings;
    plain: words as the guard let them through."""
    mask_names: bool = True
    """Names and postal addresses that visitors tell of themselves are masked too."""
    presidio: dict[Annotated[str, Field(pattern="^[a-z]{2}$")], Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """Language → spaCy's model for it, a package or a folder beside `desk.toml`: names and addresses that
    Presidio finds in visitors' words are masked too. Empty: Presidio is not asked."""
    mute: Literal["silence", "tone", "off"] = "silence"
    """What is heard in a recording in place of personal data."""
    mute_unclear: bool = True
    """A visitor's words that the desk could not make out are muted in recordings, and sound that does not fit
    the words that were made of it: nobody can tell what was said."""
    retention_days: Days | None = None
    """Transcripts are deleted so long after the conversation; left out: the server's `--keep-days`."""
    recordings_days: Days | None = None
    """The same for recordings; left out: as transcripts."""

    @property
    def mutes(self) -> bool:
        """Whether something of recordings is muted, so that it must be known when each word was said."""
        return self.keep != "none" and self.mute != "off"

    def transcripts_for(self, server_days: float) -> float:
        """Return for how many days transcripts are kept, where the server keeps them for so many."""
        return self.retention_days if self.retention_days is not None else server_days

    def recordings_for(self, server_days: float) -> float:
        """Return for how many days recordings are kept."""
        return self.recordings_days if self.recordings_days is not None else self.transcripts_for(server_days)
