"""Threads: how many, and after a fork."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, digest
from processes import printed, run
from refusals import refuses

#: Enough for several threads, and for the GIL to be released for some milliseconds.
LARGE = 1 << 20
TIMEOUT = 60


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with gs.num_threads(2):
        yield


def large() -> tuple[Array, gs.Optimizer]:
    p = np.linspace(-1, 1, LARGE, dtype=np.float32)
    return p, gs.Adam(p, lr=0.01, clip_norm=1.0)


def gradient(t: int) -> Array:
    return np.linspace(1, 2 + t, LARGE, dtype=np.float32)


def steps_alone(n: int) -> str:
    """What n steps on this thread alone leave."""
    with gs.num_threads(1):
        p, opt = large()
        for t in range(n):
            opt.step(gradient(t))
    return digest([p, *opt.state["0"].values()])


def test_set_and_get() -> None:
    gs.set_num_threads(3)
    assert gs.get_num_threads() == 3
    gs.set_num_threads(np.int64(1))  # type: ignore[arg-type]
    assert gs.get_num_threads() == 1


def test_with_restores_the_number() -> None:
    with gs.num_threads(5):
        assert gs.get_num_threads() == 5
        with gs.num_threads(1):
            assert gs.get_num_threads() == 1
        assert gs.get_num_threads() == 5
        with pytest.raises(KeyError), gs.num_threads(4):
            raise KeyError
        assert gs.get_num_threads() == 5
    assert gs.get_num_threads() == 2


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (0, ValueError, "num_threads must be an integer from 1 to 1024, got 0"),
        (-1, ValueError, "num_threads must be an integer from 1 to 1024, got -1"),
        (1025, ValueError, "num_threads must be an integer from 1 to 1024, got 1025"),
        (2**70, ValueError, f"num_threads must be below 2**63, got {2**70}"),
        (2.0, TypeError, "num_threads must be an integer, got float"),
        (True, TypeError, "num_threads must be an integer, got bool"),
        ("2", TypeError, "num_threads must be an integer, got str"),
        (None, TypeError, "num_threads must be an integer, got None"),
    ],
    ids=repr,
)
def test_bad_numbers(n: Any, error: type[Exception], message: str) -> None:
    with refuses(error, message):
        gs.set_num_threads(n)
    with refuses(error, message), gs.num_threads(n):
        pass
    assert gs.get_num_threads() == 2


PRINT = "import gradstep as gs; print(gs.get_num_threads())"


def test_the_variable_sets_the_default() -> None:
    assert printed(PRINT, GRADSTEP_NUM_THREADS="7") == "7"
    assert printed(PRINT, OMP_NUM_THREADS="7") == printed(PRINT) == printed(PRINT, GRADSTEP_NUM_THREADS="")


@pytest.mark.parametrize("bad", ["0", "-1", "two", "1.5", "1025", "99999999999999999999"])
def test_a_bad_variable_is_an_error_at_import(bad: str) -> None:
    done = run("-c", "import gradstep", GRADSTEP_NUM_THREADS=bad)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == f"ValueError: GRADSTEP_NUM_THREADS must be an integer from 1 to 1024, got {bad}"


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="the system wants text")
@pytest.mark.parametrize("variable", ["GRADSTEP_NUM_THREADS", "GRADSTEP_SIMD"])
def test_a_variable_that_is_no_text_is_an_error_at_import(variable: str) -> None:
    done = run("-c", "import gradstep", **{variable: os.fsdecode(b"2\xff")})
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ValueError: {variable} must be ")
    assert "got 2\N{REPLACEMENT CHARACTER}" in last.replace("'", "")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_the_default_honours_affinity() -> None:
    pin = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    assert printed(pin + PRINT) == "1"


def has_helpers() -> bool:
    """Whether this process has a thread of the pool: a fork leaves all but the caller behind.

    A step does not wait for its helpers to come up, so they may take a moment to appear.
    """
    tasks = pathlib.Path("/proc/self/task")
    end = time.monotonic() + TIMEOUT / 2
    while tasks.exists() and time.monotonic() < end:
        if any("gradstep" in (task / "comm").read_text() for task in tasks.iterdir()):
            return True
        time.sleep(0.01)
    return not tasks.exists()


def fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork, from Python 3.12 on
        return os.fork()


def wait(child: int) -> int:
    """The exit status of a child, which is killed if it hangs."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_with_a_warm_pool() -> None:
    p, opt = large()
    opt.step(gradient(0))  # builds the pool
    child = fork()
    if child == 0:
        try:
            opt.step(gradient(1))
            if not has_helpers():
                os._exit(2)
            # A second generation, from a pool that the child has built.
            grandchild = fork()
            if grandchild == 0:
                opt.step(gradient(2))
                os._exit(0 if digest([p, *opt.state["0"].values()]) == steps_alone(3) else 5)
            good = digest([p, *opt.state["0"].values()]) == steps_alone(2) and wait(grandchild) == 0
            os._exit(0 if good else 3)
        finally:
            os._exit(4)
    assert wait(child) == 0
    opt.step(gradient(1))
    assert digest([p, *opt.state["0"].values()]) == steps_alone(2)


def work(queue: Any) -> None:
    p, opt = large()
    for t in range(3):
        opt.step(gradient(t))
    queue.put(digest([p, *opt.state["0"].values()]))


@pytest.mark.skipif(sys.platform != "linux", reason="fork is not safe elsewhere")
def test_multiprocessing_with_fork() -> None:
    large()[1].step(gradient(0))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        workers = [context.Process(target=work, args=(queue,), daemon=True) for _ in range(2)]
        for worker in workers:
            worker.start()
    results = [queue.get(timeout=TIMEOUT) for _ in workers]
    for worker in workers:
        worker.join(TIMEOUT)
        assert worker.exitcode == 0
    assert results == [steps_alone(3)] * 2
    queue.close()
