"""Running a suite on many machines: Ray shares the scripts out (the extra `[scale]`).

Every machine has Visavis installed, and the desk's folder under the same path; scripts travel with the tasks.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from evals.results import Result
from evals.running import HANGS_S, SuiteError
from evals.worker import Job, Replayer, Task, failed

LOCAL = "local"
"""Address that stands for processes of this machine alone."""


def run_on_ray(
    tasks: Sequence[Task], job: Job, workers: int | None, address: str
) -> Iterator[tuple[Task, Result]]:
    """Replay tasks on a Ray cluster and give each result when it is there.

    Args:
        tasks: in their order.
        job: what they share.
        workers: how many actors; None: one a processor of the cluster.
        address: of the cluster, for example "auto" or "ray://head:10001"; "local" begins one here.

    Raises:
        SuiteError: Ray is not installed, the cluster cannot be reached, or a desk cannot be opened.
    """
    try:
        import ray
    except ImportError:
        raise SuiteError("--ray needs the extra: pip install 'visavis[scale]'") from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports to its maker
    mine = not ray.is_initialized()
    try:
        ray.init(
            address=None if address == LOCAL else address,
            ignore_reinit_error=True,
            include_dashboard=False if address == LOCAL else None,
            log_to_driver=False,
            logging_level="error",
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SuiteError(
            f"the Ray cluster {address} cannot be used ({error}): is `ray start` done there?"
        ) from error
    try:
        count = workers or int(ray.cluster_resources().get("CPU", 1))
        yield from _shared_out(ray, tasks, job, max(1, min(count, len(tasks))))
    finally:
        if mine:
            ray.shutdown()


def _shared_out(ray: Any, tasks: Sequence[Task], job: Job, count: int) -> Iterator[tuple[Task, Result]]:
    actor = ray.remote(num_cpus=1, max_restarts=-1)(Replayer)
    waiting = deque(tasks)
    running: dict[Any, tuple[Any, Task]] = {}

    def give(worker: Any) -> None:
        if waiting:
            task = waiting.popleft()
            running[worker.replay.remote(task)] = worker, task

    for worker in [actor.remote(job) for _ in range(count)]:
        give(worker)
    while running:
        done, _ = ray.wait(list(running), num_returns=1, timeout=HANGS_S[job.mode] * 5)
        if not done:
            raise SuiteError("no machine of the Ray cluster has answered for minutes: look at `ray status`")
        worker, task = running.pop(done[0])
        try:
            yield task, ray.get(done[0])
        except ray.exceptions.RayActorError as error:
            if getattr(error, "actor_init_failed", False):
                raise SuiteError(f"a worker could not begin: {error}") from None
            yield task, Result(failed(task, job, "the replay was lost: its process ended"))
        except ray.exceptions.RayError as error:
            yield task, Result(failed(task, job, f"the replay was lost: {type(error).__name__}"))
        give(worker)
