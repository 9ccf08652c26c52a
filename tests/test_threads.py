"""Threads: how many, after a fork, and several callers at once."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits, digest
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


def in_threads(*targets: Any) -> None:
    """Runs the targets at once, and raises what one of them raised."""
    errors: list[BaseException] = []

    def guarded(target: Any) -> None:
        try:
            target()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


def test_two_optimizers_in_two_threads() -> None:
    models = [large() for _ in range(3)]

    def steps(opt: gs.Optimizer) -> None:
        for t in range(10):
            opt.step(gradient(t))

    in_threads(*(lambda opt=opt: steps(opt) for _, opt in models))
    want = steps_alone(10)
    for p, opt in models:
        assert digest([p, *opt.state["0"].values()]) == want


def test_one_optimizer_in_two_threads_raises_and_stays_whole() -> None:
    p, opt = large()
    g = gradient(0)
    refused, done = [], []

    def steps() -> None:
        for _ in range(500):
            try:
                opt.step(g)
                done.append(1)
            except RuntimeError as error:
                refused.append(str(error))
            if refused and len(done) > 5:
                return

    in_threads(steps, steps)
    assert set(refused) == {
        "this optimizer is in the middle of a step, in another thread or in its own schedule"
    }
    assert opt.step_count == len(done)
    with gs.num_threads(1):
        want, alone = large()
        for _ in done:
            alone.step(g)
    assert_same_bits(p, want, "p")
    for slot, array in opt.state["0"].items():
        assert_same_bits(array, alone.state["0"][slot], slot)


@pytest.mark.parametrize("hyper", ["lr", "momentum", "weight_decay", "clip_norm"])
def test_a_step_inside_its_own_schedule_raises(hyper: str) -> None:
    p = np.ones(3)
    uses: list[Callable[[], Any]] = [
        lambda: opt.step(p),
        lambda: opt.state,
        lambda: opt.params,
        lambda: opt.feedback_state,
        lambda: opt.observe(1.0),
        lambda: setattr(opt, "lr", 0.1),
        lambda: setattr(opt, "step_count", 3),
        lambda: gs.SGD.__init__(opt, p),
    ]
    messages: list[str] = []

    def value(t: int) -> float:
        for use in uses if t else []:
            with pytest.raises(RuntimeError) as caught:
                use()
            messages.append(str(caught.value))
        if t == 1:
            opt.step(p)
        return 0.5

    opt = gs.SGD(p, **({"momentum": 0.5} | {hyper: gs.schedules.Lambda(value)}))  # type: ignore[arg-type]
    opt.step(np.ones(3))
    before = p.copy()
    with pytest.raises(RuntimeError, match="in the middle of a step"):
        opt.step(np.ones(3))
    busy = "this optimizer is in the middle of a step, in another thread or in its own schedule"
    assert messages == [busy] * len(uses)
    assert_same_bits(p, before, "p")
    assert opt.step_count == 1


def test_count_hyperparameters_and_norm_can_be_read_in_the_middle_of_a_step() -> None:
    seen: list[Any] = []

    def momentum(t: int) -> float:
        if t:
            seen.append((opt.step_count, opt.lr, opt.clip_norm, opt.grad_norm, repr(opt)[:15]))
        return 0.5

    opt = gs.SGD(
        np.ones(4), lr=gs.schedules.Linear(1.0, 0.0, 4), momentum=gs.schedules.Lambda(momentum), clip_norm=9.0
    )
    opt.step(np.ones(4))
    opt.step(np.ones(4))
    assert seen == [(1, 0.75, 9.0, 2.0, "<SGD(lr=Linear(")]
