"""A desk that is open: its engines, its face and what visitors are told of it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent.desk import Desk
from agent.engines import Engines, Step
from server.live.acting import watched
from server.live.documents import DeskDocument
from server.live.errors import LiveError
from server.live.quality import STEPS
from server.live.talk import Sink, Talk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.conversation_events import ConversationEvent
    from agent.painter import Easels
    from avatar import Renderer
    from server.live.masking import Masker
    from server.live.overhearing import OverheardEars
    from server.live.studio import Place

log = logging.getLogger("visavis.live")

JPEG_QUALITY = 88
"""Of posters: 512 pixels take some 40 kB."""
SCALES = tuple({step.scale for step in STEPS})
"""Sizes at which faces are drawn, as shares of the full one."""
_ID = re.compile(r"[^A-Za-z0-9_-]+")


Sinks = Callable[[], Sequence[Sink]]


@dataclass
class OpenDesk:
    """A desk with everything that its sessions share."""

    id: str
    desk: Desk
    engines: Engines
    renderer: Renderer
    smaller: Mapping[float, Renderer] = field(default_factory=dict)
    """Renderers of smaller pictures, by their share of the full size."""
    poster: bytes = b""
    """JPEG of its idle face; empty: none was made."""
    kept_days: float | None = None
    """For how many days the server keeps what was said; None: it keeps nothing."""

    @cached_property
    def masker(self) -> Masker:
        """What masks personal data in what is kept of its conversations."""
        from moderation.policy import Policy
        from server.live.masking import Masker, presidio_of

        policy = getattr(self.engines.guard, "policy", None) or Policy.load(self.desk.policy_file)
        return Masker(policy, self.desk.settings.privacy, presidio_of(self.desk))

    @property
    def records(self) -> bool:
        """Whether visitors may be asked whether they agree to a recording."""
        settings = self.desk.settings
        return settings.web.record and settings.privacy.keep != "none"

    def document(self) -> DeskDocument:
        """Return what visitors are told of it."""
        settings = self.desk.settings
        return DeskDocument(
            id=self.id,
            name=settings.name,
            persona=settings.persona.name,
            company=settings.persona.company,
            languages=list(settings.languages),
            greeting={one: self.desk.phrases(one).greeting for one in settings.languages},
            captions=settings.avatar.captions,
            record=self.records,
            size=(self.renderer.width, self.renderer.height),
            poster=f"/desks/{self.id}/poster.jpg" if self.poster else None,
            keep=settings.privacy.keep,
            kept_days=None if self.kept_days is None else settings.privacy.transcripts_for(self.kept_days),
        )

    def check_language(self, language: str) -> None:
        """Check a language that a visitor wants; "" is whichever comes.

        Raises:
            LiveError: the desk does not speak it.
        """
        languages = self.desk.settings.languages
        if language and language not in languages:
            raise LiveError(
                "no_such_language",
                f"this desk does not speak {language}",
                f"choose of: {', '.join(languages)}",
            )

    def check_question(self, text: str) -> None:
        """Check a typed question.

        Raises:
            LiveError: it is too long.
        """
        limit = self.desk.settings.limits.question_chars
        if len(text) > limit:
            raise LiveError(
                "too_long", f"the question has {len(text)} characters", f"ask in at most {limit}", status=413
            )

    def easels(self) -> Easels:
        """Return what draws its face in this process."""
        from agent.painter import Easels

        label = self.desk.settings.avatar.ai_label
        return Easels(self.renderer, smaller=self.smaller, ai_label=label)

    def close(self) -> None:
        """End the engines."""
        self.engines.close()


def open_desk(name: str, desk: Desk, *, step: Step = lambda _: None) -> OpenDesk:
    """Open a desk's engines and face and warm them; takes seconds.

    Raises:
        AgentError, AvatarError, KnowledgeError, ModerationError, SpeechError: something cannot be opened.
    """
    from agent.face import open_renderers
    from agent.stage import warm
    from avatar import Pose

    engines = Engines.open(desk, hearing=True, step=step, watched=watched)
    try:
        step("face")
        smaller = open_renderers(desk, SCALES)
        renderer = smaller.pop(1.0)
        poster = poster_of(renderer.draw(Pose()), ai_label=desk.settings.avatar.ai_label)
        warm()
        step("warming up")
        heard = engines.recognizer.languages if engines.recognizer else desk.settings.languages
        engines.warm([one for one in desk.settings.languages if one in heard])
        opened = OpenDesk(name, desk, engines, renderer, smaller, poster)
        opened.masker.findings("", own=True, language="en")  # who cannot mask must not begin
    except BaseException:
        engines.close()
        raise
    return opened


def poster_of(face: NDArray[Any], *, ai_label: bool) -> bytes:
    """Return a face as visitors see it before a conversation.

    Args:
        face: RGB[H, W, 3], uint8.
        ai_label: whether "AI" is written onto it.

    Returns:
        A JPEG; empty where it cannot be encoded.
    """
    import cv2

    from avatar.lettering import Lettering

    height, width = face.shape[:2]
    lettering = Lettering(size=width, height=height, ai_label=ai_label, captions=False)
    done, data = cv2.imencode(
        ".jpg", lettering.draw(face)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    return bytes(data.tobytes()) if done else b""


@dataclass(slots=True)
class Cast:
    """The conversation of one session, and what moves it."""

    talk: Talk
    play: Callable[[Sinks], Coroutine[Any, Any, None]]
    """Runs the media clock until cancelled: every moment of the stage goes to every sink."""
    thin: Callable[[int, float], None]
    """Told one of how many moments needs a picture, 0: none, and at which share of the full size."""
    done: Callable[[], None]
    """Called at the end, once nothing moves any more."""
    ears: OverheardEars | None = None
    """What tells a recording what is heard; None: the recording takes the sound as it comes."""


SessionCast = Callable[["Place", "Callable[[ConversationEvent], None]"], Cast]
"""(what paints, told what happens) → the conversation of one session, not yet running."""
CastOf = Callable[[OpenDesk, "Place", str, int, "Callable[[ConversationEvent], None]"], Cast]
"""(desk, what paints, language, seed, told what happens) → the conversation, not yet running."""


def cast_of(
    opened: OpenDesk,
    place: Place,
    language: str,
    seed: int,
    on_event: Callable[[ConversationEvent], None],
) -> Cast:
    """Make a conversation with a stage and a clock of its own."""
    from agent.clock import MediaClock
    from agent.conversation import Conversation
    from agent.stage import Stage
    from server.live.overhearing import OverheardEars

    stage = Stage(place, seed=seed)
    ears = OverheardEars(
        opened.engines.recognizer,
        turn_end=opened.engines.turn_end,
        above_background_db=opened.engines.desk.settings.hearing.above_background_db,
    )
    talk = Conversation(
        opened.engines,
        stage,
        ears=ears,
        on_event=on_event,
        language=language,
    )
    clock = MediaClock()

    async def play(sinks: Sinks) -> None:
        await clock.run(stage, sinks)

    return Cast(talk, play, stage.thin, stage.close, ears)


def named(desks: Sequence[Desk]) -> dict[str, Desk]:
    """Return the desks by the names that addresses know them by: their folders', made unique."""
    by_name: dict[str, Desk] = {}
    for desk in desks:
        stem = _ID.sub("-", desk.folder.name).strip("-")[:40] or "desk"
        name, number = stem, 2
        while name in by_name:
            name, number = f"{stem}-{number}", number + 1
        by_name[name] = desk
    return by_name


async def closed(opened: Sequence[OpenDesk], within_s: float) -> None:
    """Close desks in threads: workers take a moment to end; one that hangs is left behind."""
    closing = {asyncio.create_task(asyncio.to_thread(one.close), name=f"close {one.id}") for one in opened}
    if not closing:
        return
    done, hung = await asyncio.wait(closing, timeout=within_s)
    for task in hung:
        log.error("%s did not end within %g s; left behind", task.get_name(), within_s)
        task.cancel()
    for task in done:
        if (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
