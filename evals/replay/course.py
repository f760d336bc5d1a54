"""The course of a replay, in words or in sound: what it begins with, and what is written down afterwards."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import PurePath

from agent.conversation import Conversation
from agent.threads import runs_tools
from evals.replay.desk import INDEX, DeskUnderTest, at_its_time
from evals.replay.driver import Driver, Mouth
from evals.replay.probe import Probe
from evals.replay.record import ConversationRecord, Mode
from evals.replay.state import rows_of
from evals.replay.virtual_time import VirtualLoop, virtual_loop
from evals.scripts import Script


def begun(desk: DeskUnderTest, script: Script, mode: Mode, repeat: int) -> ConversationRecord:
    """Lay out what a script begins with, and return a record without its turns.

    What a desk's tools leave to chance is the same at every run, whatever was replayed before.

    Raises:
        ScriptError: a file that the script begins with cannot be copied.
    """
    desk.fresh(script)
    random.seed(f"{script.fixtures.seed + repeat} {script.id}")
    record = blank(script, desk.desk.folder.name, mode, repeat)
    record.engines, record.knowledge = desk.engines.names(), desk.engines.knowledge.digest()
    wanted = script.fixtures.knowledge
    if wanted and not record.knowledge.startswith(wanted):
        record.notes.append(
            f"line {script.line('fixtures', 'knowledge')}: written for the knowledge {wanted}, and "
            f"{record.knowledge} answered: look whether what it expects is out of date, and name that one"
        )
    for name in script.fixtures.files:
        if PurePath(name).parts[0] == INDEX:
            line = script.line("fixtures", "files", name)
            record.notes.append(
                f"line {line}: {name} is laid into the index, from which nothing is learnt: put documents "
                "into the desk's own folder, and run `visavis learn`"
            )
    return record


def blank(script: Script, desk: str, mode: Mode, repeat: int) -> ConversationRecord:
    """Return a record in which nothing has happened yet."""
    return ConversationRecord(
        script.id,
        desk,
        mode,
        repeat,
        script.fixtures.seed,
        script.language,
        list(script.tags),
        script.title,
        str(script.file) if script.file.name else "",
    )


@contextmanager
def measured(desk: DeskUnderTest, script: Script, record: ConversationRecord) -> Iterator[VirtualLoop]:
    """Give the loop that a script is replayed on; write down how long it took, and what was done."""
    began_s, began_cpu_s = time.perf_counter(), _cpu_s(record.mode)
    with at_its_time(script), virtual_loop(_at_once) as loop:
        yield loop
        record.lasted_s = round(loop.time(), 3)
    record.databases = rows_of(script, desk.state)
    record.took_s = round(time.perf_counter() - began_s, 4)
    record.cpu_s = round(_cpu_s(record.mode) - began_cpu_s, 4)


async def played(
    conversation: Conversation,
    probe: Probe,
    mouth: Mouth,
    script: Script,
    record: ConversationRecord,
    driver: Callable[..., Driver] = Driver,
) -> None:
    """Have a conversation run while the visitor says the script's turns; closes it, and its stage."""
    running = asyncio.create_task(conversation.run())
    try:
        if script.turns[0].barge_in is not None:
            await conversation.greet()
        await driver(script, probe, mouth, asyncio.get_running_loop().time).play()
    finally:
        record.turns, record.greeting = probe.turns, probe.greeting
        mouth.rest()
        await conversation.close()
        conversation.stage.close()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _cpu_s(mode: Mode) -> float:
    """Processor time of this process so far, and of the workers that sound needs."""
    if mode == "text":
        return time.process_time()
    import psutil

    times = [psutil.Process().cpu_times()]
    for worker in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times.append(worker.cpu_times())
    return float(sum(one.user + one.system for one in times))


def _at_once(executor: Executor | None) -> bool:
    """Whether work is done on the loop's thread: all but what tools do, which may hang."""
    return not runs_tools(executor)
