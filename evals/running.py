"""Running a suite: scripts shared out among worker processes, each result kept as soon as it is there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from evals.results import Key, Result
from evals.scripts import Script
from evals.worker import LEAVING_S, Job, Replayer, Task, failed, prints_aside, work

OPENING_S = 300.0
"""Longest that a worker may take to open a desk: the first time, its knowledge is learnt."""
HANGS_S = {"text": 60.0, "audio": 600.0}
"""Mode → longest that one replay may take on the wall's clock; after that its worker is ended."""
PATIENCE_S = 0.5
"""How often is looked whether a worker hangs."""


class SuiteError(Exception):
    """Nothing can be run: a desk cannot be opened."""


def tasks_of(
    scripts: Sequence[Script], job: Job, repeat: int, done: Sequence[Iterable[Key]] = ()
) -> list[Task]:
    """Return what is to be replayed, repeats and variants taking turns, so that noise meets all alike.

    Args:
        scripts: those that make no sense in the job's mode are left out.
        job: mode and variants.
        repeat: how often each.
        done: what need not be replayed again, for each variant.
    """
    known = [set(one) for one in done] or [set[Key]()] * len(job.variants)
    return [
        Task(script, number, variant)
        for number in range(repeat)
        for script in scripts
        if script.runs_in(job.mode)
        for variant in range(len(job.variants))
        if (script.id, job.mode, number) not in known[variant]
    ]


def run(tasks: Sequence[Task], job: Job, workers: int) -> Iterator[tuple[Task, Result]]:
    """Replay tasks and give each result when it is there.

    Args:
        tasks: in their order.
        job: what they share.
        workers: how many processes; 0: this one, where a replay that hangs is not ended.

    Raises:
        SuiteError: a desk cannot be opened.
    """
    if workers == 0:
        with prints_aside():
            replayer = Replayer(job)
        try:
            for task in tasks:
                with prints_aside():
                    result = replayer.replay(task)
                yield task, result
        finally:
            replayer.close()
        return
    yield from _Workers(tasks, job, min(workers, len(tasks))).results()


@dataclass(slots=True)
class _Worker:
    """One process, and what it is at."""

    process: BaseProcess
    pipe: Connection
    since_s: float
    ready: bool = False
    task: Task | None = None


@dataclass(slots=True)
class _Workers:
    tasks: Sequence[Task]
    job: Job
    count: int
    _waiting: deque[Task] = field(init=False)
    _workers: list[_Worker] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._waiting = deque(self.tasks)

    def results(self) -> Iterator[tuple[Task, Result]]:
        """Give each result when it is there."""
        try:
            for _ in range(self.count):
                self._begin()
            while self._waiting or any(worker.task for worker in self._workers):
                for worker in self._speaking():
                    yield from self._hear(worker)
                for worker in list(self._workers):
                    yield from self._look_at(worker)
        finally:
            _end(self._workers)

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self.job), daemon=False)
        with _no_interrupt():
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours, time.monotonic()))

    def _speaking(self) -> list[_Worker]:
        pipes = wait([worker.pipe for worker in self._workers], timeout=PATIENCE_S)
        return [worker for worker in self._workers if worker.pipe in pipes]

    def _hear(self, worker: _Worker) -> Iterator[tuple[Task, Result]]:
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(timeout=5.0)
            yield from self._lost(worker, f"its process ended (code {worker.process.exitcode})")
            return
        if isinstance(said, Result) and worker.task is not None:
            task, worker.task = worker.task, None
            yield task, said
        elif said == "ready":
            worker.ready = True
        else:
            raise SuiteError(str(said))
        self._give(worker)

    def _look_at(self, worker: _Worker) -> Iterator[tuple[Task, Result]]:
        """End a worker that hangs."""
        slow = "audio" if self.job.server else self.job.mode  # a server's time is everybody's
        limit_s = HANGS_S[slow] if worker.ready else OPENING_S
        if (worker.task is None and worker.ready) or time.monotonic() - worker.since_s < limit_s:
            return
        if not worker.ready:
            raise SuiteError(f"the desk did not open within {OPENING_S:g} s; try `visavis doctor`")
        yield from self._lost(worker, f"it did not end within {limit_s:g} s and was stopped")

    def _lost(self, worker: _Worker, why: str) -> Iterator[tuple[Task, Result]]:
        """A worker is gone: what it was at has failed, another one goes on."""
        self._workers.remove(worker)
        _end([worker])
        if worker.task is None and not worker.ready:
            raise SuiteError(f"a worker could not begin: {why}")
        if worker.task is not None:
            yield worker.task, Result(failed(worker.task, self.job, f"the replay was lost: {why}"))
        if self._waiting:
            self._begin()

    def _give(self, worker: _Worker) -> None:
        worker.since_s = time.monotonic()
        if self._waiting:
            worker.task = self._waiting.popleft()
            with suppress(OSError):  # it has just died: its pipe's end tells of that
                worker.pipe.send(worker.task)


def _end(workers: Sequence[_Worker]) -> None:
    """Have processes end: those that wait for work at once, the others in order, and by force at last."""
    for worker in workers:
        with suppress(OSError):
            worker.pipe.send(None)
        worker.pipe.close()
    _join(workers, PATIENCE_S)
    for worker in workers:
        worker.process.terminate()
    _join(workers, LEAVING_S)
    for worker in workers:
        worker.process.kill()
        worker.process.join()


def _join(workers: Sequence[_Worker], longest_s: float) -> None:
    until_s = time.monotonic() + longest_s
    for worker in workers:
        worker.process.join(timeout=max(until_s - time.monotonic(), 0.0))


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Let Ctrl-C not reach processes that are begun now: they print where they were, and we end them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def usual_workers(tasks: int) -> int:
    """Return how many processes are worth their opening: one for every twenty replays, at most one a core."""
    return max(1, min(os.cpu_count() or 1, tasks // 20))
