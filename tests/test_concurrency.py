"""Several threads with one optimizer, or one each; and an optimizer used in the middle of its own step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, digest
from test_threads import TIMEOUT, gradient, large, steps_alone


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with gs.num_threads(2):
        yield


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


def test_another_thread_reads_while_a_step_runs() -> None:
    """What the documentation says can be read at any time is that of before the step or of after it."""
    _, opt = large()
    opt.lr = gs.schedules.Linear(1.0, 0.0, 1000)
    opt.step(gradient(0))
    done = threading.Event()
    seen: set[tuple[int, float]] = set()
    refused: set[str] = set()

    def read() -> None:
        while not done.is_set():
            before = opt.step_count
            rate: float = opt.lr
            assert before <= round(1000 * (1 - rate)) <= opt.step_count
            assert opt.grad_norm is not None
            assert opt.clip_norm == 1.0
            assert repr(opt).startswith("<Adam(lr=Linear(")
            assert opt.hyperparameters[0]["beta1"] == 0.9
            seen.add((before, rate))
            try:
                _ = opt.state
            except RuntimeError as error:
                refused.add(str(error))

    def steps() -> None:
        try:
            end = time.monotonic() + TIMEOUT
            while opt.step_count < 5 or not refused or len(seen) < 3:
                opt.step(gradient(0))
                assert time.monotonic() < end, "a running step was never met"
        except RuntimeError as error:  # the other thread was asking for the state
            refused.add(str(error))
            steps()
        finally:
            done.set()

    in_threads(steps, read)
    assert refused == {"this optimizer is in the middle of a step, in another thread or in its own schedule"}
    assert opt.step_count < 1000


def test_state_dicts_taken_beside_steps_are_of_one_moment() -> None:
    # After n gradients of ones each sum is n.
    params = {name: np.zeros(1 << 17) for name in "abcd"}
    opt = gs.Adagrad(params, lr=0.1)
    grads = {name: np.ones(1 << 17) for name in "abcd"}
    taken: list[dict[str, Any]] = []
    refused: list[str] = []
    ended = threading.Event()

    def save() -> None:
        while not ended.is_set() or not taken:
            try:
                taken.append(opt.state_dict())
            except RuntimeError as error:
                refused.append(str(error))

    def steps() -> None:
        while opt.step_count < 200:
            try:
                opt.step(grads)
            except RuntimeError as error:
                refused.append(str(error))
        ended.set()

    in_threads(save, steps)
    assert all("a step" in message for message in refused)
    for saved in taken:
        for of_one in saved["parameters"].values():
            assert (of_one["slots"]["sum"] == saved["step_count"]).all()
