"""Processes that make trials: started anew, ended when they hang, and none the worse if one is killed."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, Any

from gradstep.sweeps.trials import Outcome, Task, brief, execute

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

THREADS_OF_LIBRARIES = (
    "BLIS_NUM_THREADS",
    "GRADSTEP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Environment variables that are read when NumPy, and what else computes, is imported."""
NOT_STARTED = (
    "a worker process ended before it took its first run, {how}. If its traceback stands above, the script "
    'was imported and failed: what it does belongs under `if __name__ == "__main__":`. '
    "workers=0 trains in this process"
)


class Worker:
    """A process that makes one trial after the other.

    Args:
        run: the function of the trials, pickled.
        metric: what the sweep is judged by.
        threads: how many each library may use there.
    """

    def __init__(self, run: bytes, metric: str, threads: int) -> None:
        self.connection, theirs = get_context("spawn").Pipe()
        self.process = get_context("spawn").Process(target=serve, args=(theirs, run, metric), daemon=True)
        with variables({name: str(threads) for name in THREADS_OF_LIBRARIES}), without_interrupts():
            self.process.start()
        theirs.close()
        self.began = False
        self.number = -1
        """Of the task that it works on, or -1."""
        self.begin, self.deadline = 0.0, float("inf")

    def give(self, number: int, task: Task, time_limit: float | None) -> None:
        """Let it work on a task."""
        self.number = number
        self.begin = time.monotonic()
        self.deadline = float("inf") if time_limit is None else self.begin + time_limit
        # If it has just died, that is seen when its answer is waited for.
        with suppress(OSError):
            self.connection.send(task)

    def take(self) -> Any:
        """Read what it has to say: None if it has died, True when it is ready, or an outcome or an error."""
        try:
            if self.connection.poll():
                return self.connection.recv()
        except (EOFError, OSError):
            self.process.join(5.0)
            return None
        return None if not self.process.is_alive() else False

    def death(self) -> str:
        """Say how it ended."""
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"killed by signal {-code}"
        return f"with exit status {code}"

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def outcomes(
    run: bytes,
    metric: str,
    tasks: Sequence[Task],
    *,
    workers: int,
    threads: int,
    time_limit: float | None,
) -> Generator[tuple[int, Outcome], None, None]:
    """Make trials in processes, and yield the number and the outcome of each as it ends.

    Args:
        run: the function of the trials, pickled.
        metric: what the sweep is judged by.
        tasks: what is to be tried.
        workers: how many processes work at a time.
        threads: how many each library may use in each of them.
        time_limit: after how many seconds a trial has failed.

    Raises:
        RuntimeError: the workers cannot begin. They are all gone then, as at any end of the iteration.
    """
    waiting = deque(range(len(tasks)))
    crew: list[Worker] = []
    try:
        while waiting or crew:
            while len(crew) < workers and len(waiting) > sum(not worker.began for worker in crew):
                crew.append(Worker(run, metric, threads))
            await_news(crew)
            for worker in tuple(crew):
                said = worker.take()
                if isinstance(said, str):
                    raise RuntimeError(said)
                if said is None and not worker.began:
                    raise RuntimeError(NOT_STARTED.format(how=worker.death()))
                if said is None and worker.number >= 0:
                    yield worker.number, lost(f"the worker ended, {worker.death()}", worker)
                if isinstance(said, Outcome):
                    yield worker.number, said
                if said is False and time.monotonic() >= worker.deadline:
                    yield worker.number, lost(f"took longer than {time_limit:g} s", worker)
                    said = None
                if said is None or (said is not False and not waiting):
                    worker.kill()
                    crew.remove(worker)
                elif said is not False:
                    worker.began = True
                    number = waiting.popleft()
                    worker.give(number, tasks[number], time_limit)
    finally:
        for worker in crew:
            worker.kill()


def await_news(crew: list[Worker]) -> None:
    """Wait until a worker has something to say, has died, or has no time left."""
    left = min(worker.deadline for worker in crew) - time.monotonic()
    things = [thing for worker in crew for thing in (worker.connection, worker.process.sentinel)]
    connection.wait(things, None if left == float("inf") else max(0.0, left))


def lost(error: str, worker: Worker) -> Outcome:
    """Make the outcome of a trial whose process is no more."""
    return Outcome("failed", None, {}, time.monotonic() - worker.begin, error)


def serve(parent: connection.Connection, run: bytes, metric: str) -> None:
    """Make trials in a worker's process, until it is ended."""
    # Ctrl-C goes to all processes of a terminal; the parent is the one to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        function = pickle.loads(run)
    except Exception as error:
        parent.send(
            f"the worker processes cannot import run: {brief(error)}; workers=0 trains in this process"
        )
        return
    parent.send(True)
    while True:
        parent.send(execute(function, metric, parent.recv()))


def end_with_parent() -> None:
    """End this process when its parent is gone, however that ended."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for what is started inside a ``with`` block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, not even while they import; here it comes in the end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker  # not everywhere

    # Its start would let interrupts through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
