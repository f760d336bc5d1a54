"""A process that replays scripts, one after the other, with a desk's engines open."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from agent.desk import Desk
from evals.checks.conversation import check_conversation
from evals.checks.grounding import Grounding
from evals.checks.judge import Judge
from evals.replay.course import blank
from evals.replay.record import ConversationRecord, Mode
from evals.results import Result
from evals.scripts import Script, ScriptError
from evals.variant import Variant

LEAVING_S = 5.0
"""A process whose parent is gone may take so long to remove what it made."""


@dataclass(frozen=True, slots=True)
class Task:
    """One replay."""

    script: Script
    repeat: int = 0
    variant: int = 0
    """Which of the job's variants."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all replays of a suite share."""

    variants: tuple[Variant, ...]
    mode: Mode = "text"
    video: bool = False
    """Draw the face, and measure it; audio mode only."""
    media: Path | None = None
    """Where sound and video of replays are kept; None: nowhere."""
    told: bool = False
    """Audio mode: take the scripts' words for what was heard."""
    cache: Path = Path()
    """Of judgements."""
    server: str = ""
    """Address of a running server that is talked to over WebRTC; empty: the desk is opened here."""


class Replayer:
    """Replays scripts in this process.

    Args:
        job: what they share.

    Raises:
        AgentError, KnowledgeError, ModerationError, SpeechError: a desk cannot be opened.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._judge = Judge.from_environment(job.cache)
        self._remote = None
        if job.server:
            from evals.remote import Remote

            self._remote = Remote(job.server, job.variants[0], job.mode, media=job.media, video=job.video)
        with ExitStack() as opened:
            opening = () if self._remote else job.variants
            self._desks = [opened.enter_context(one.open(job.mode)) for one in opening]
            desks = [self._remote.desk] if self._remote else [one.desk for one in self._desks]
            self._groundings = [Grounding(_own_lines(one)) for one in desks]
            if self._remote:
                opened.callback(self._remote.close)
            self._opened = opened.pop_all()

    def replay(self, task: Task) -> Result:
        """Replay a script and check what came; whatever goes wrong stands in the record."""
        try:
            record = self._record(task)
        except Exception as error:  # one script must not end the others
            return Result(failed(task, self._job, _why(error)))
        grounding = self._groundings[task.variant]
        try:
            checks = check_conversation(task.script, record, grounding, self._judge)
        except Exception as error:
            record.error = _why(error)
            checks = []
        return Result(record, tuple(checks))

    def close(self) -> None:
        """Close the desks."""
        self._opened.close()

    def _record(self, task: Task) -> ConversationRecord:
        job = self._job
        if self._remote is not None:
            return self._remote.replay(task.script, task.repeat)
        desk = self._desks[task.variant]
        if job.mode == "text":
            from evals.replay.text import replay_text

            return replay_text(desk, task.script, repeat=task.repeat)
        from evals.replay.audio import replay_audio

        transcribe = any(turn.expect.reply_wer is not None for turn in task.script.turns)
        return replay_audio(
            desk,
            task.script,
            repeat=task.repeat,
            folder=job.media,
            label=f"-{task.variant + 1}" if len(job.variants) > 1 else "",
            video=job.video,
            transcribe=transcribe,
            told=job.told,
        )


def failed(task: Task, job: Job, why: str) -> ConversationRecord:
    """Return the record of a replay that failed itself."""
    record = blank(task.script, job.variants[task.variant].desk, job.mode, task.repeat)
    record.error = why
    return record


def work(pipe: Connection, job: Job) -> None:
    """Serve as a worker: say "ready", then answer every task with its result, until None comes.

    Args:
        pipe: to the process that has the tasks.
        job: what they share.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the desk's state is removed all the same
    os.dup2(2, 1)  # what a desk's tools print must not stand in the JSON on standard output
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    with suppress(EOFError, OSError):  # where the parent is gone, nobody is left to be told
        try:
            replayer = Replayer(job)
        except Exception as error:
            pipe.send(_why(error))
            return
        try:
            pipe.send("ready")
            while (task := pipe.recv()) is not None:
                pipe.send(replayer.replay(task))
        finally:
            replayer.close()


@contextmanager
def prints_aside() -> Iterator[None]:
    """Have what is printed in this process meanwhile, by tools or their programs, come out as a message."""
    sys.stdout.flush()
    out = os.dup(1)
    try:
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(out, 1)
        os.close(out)


def _leave_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(LEAVING_S)
    os._exit(1)


def _why(error: Exception) -> str:
    if os.environ.get("VISAVIS_DEBUG"):
        return "".join(traceback.format_exception(error))
    if isinstance(error, ScriptError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _own_lines(desk: Desk) -> tuple[str, ...]:
    """Return what a desk says of itself and need not cite."""
    settings = desk.settings
    lines = list(settings.persona.contact.values())
    for language in settings.languages:
        lines += [line for line in vars(desk.phrases(language)).values() if isinstance(line, str)]
    return (settings.persona.name, settings.persona.company, *lines)
