"""Who of the company's people could take a conversation over just now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Staff:
    """What a reply may know of the people behind the desk."""

    known: bool = False
    """There are people who look after this desk's inbox; False: nobody will ever take over."""
    there: bool = False
    """It is the time of day at which they are there."""
    reachable: bool = True
    """Whether they could take over here; False: at no time of day, as in a chat of typed words over HTTP."""
    waiting: bool = False
    """This visitor waits for one of them."""
    place: int = 1
    """The visitor's place in the line, from 1; of one who does not wait yet, the place they would have."""

    @property
    def free(self) -> bool:
        """Whether a visitor who does not wait yet may be passed on now."""
        return self.known and self.there and not self.waiting
