"""`ema=`: averages of the parameters, and `swap_averaged`, which lends them their place."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, digest
from drawings import OPTIMIZERS
from refusals import refuses
from trees import STRUCTURES, copied, leaves, like, normal

#: Rules whose point for evaluation is an average of their own; `ema` is beside it in the state.
OWN_AVERAGES = {"ScheduleFreeSGD", "ScheduleFreeAdamW"}


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - OWN_AVERAGES))
@pytest.mark.parametrize("structure", STRUCTURES)
def test_each_average_is_a_mean_with_all_that_its_parameter_was(name: str, structure: str) -> None:
    """A ← βA + (1−β)p from A = p, in the dtype of the parameter."""
    params = STRUCTURES[structure]()
    opt = OPTIMIZERS[name](params, lr=0.1, ema=0.75)
    averages = copied(params)
    for t in range(4):
        opt.step(like(params, t))
        for average, p in zip(leaves(averages), leaves(params), strict=True):
            c = p.real.dtype.type
            average[...] = c(0.75) * average + c(0.25) * p
    for got, want, p in zip(leaves(opt.averaged), leaves(averages), leaves(params), strict=True):
        assert_same_bits(got, want, "an average")
        assert got.strides == p.strides
    assert type(opt.averaged) is type(params)


def test_the_weight_may_follow_a_schedule() -> None:
    """β = t/(t+1) is the plain mean of all iterates, of Polyak and Ruppert."""
    w = np.zeros(1)
    opt: Any = gs.SGD(w, lr=1.0, ema=gs.schedules.Lambda(lambda t: t / (t + 1)))
    for _ in range(4):
        opt.step(np.full(1, -1.0))
    assert opt.averaged[0] == pytest.approx((1 + 2 + 3 + 4) / 4)


def test_averages_are_copies() -> None:
    opt: Any = gs.SGD({"w": np.ones(2)}, lr=0.5, ema=0.5)
    before = opt.averaged
    opt.step({"w": np.ones(2)})
    assert before["w"].tolist() == [1.0, 1.0]
    opt.averaged["w"][...] = 7
    assert opt.averaged["w"].tolist() == [0.75, 0.75]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_inside_the_block_the_parameters_are_the_averages_and_then_again_themselves(structure: str) -> None:
    params = STRUCTURES[structure]()
    opt: Any = gs.Adam(params, lr=0.1, ema=0.5)
    for t in range(3):
        opt.step(like(params, t))
    own, averages = digest(leaves(params)), digest(leaves(opt.averaged))
    with opt.swap_averaged():
        assert digest(leaves(params)) == averages
        assert digest(leaves(opt.averaged)) == averages
        for leaf in leaves(params):
            leaf[...] = 7
    assert digest(leaves(params)) == own
    assert digest(leaves(opt.averaged)) == averages
    assert opt.step(like(params, 3))


def test_an_exception_inside_comes_out_with_the_parameters_restored() -> None:
    w = normal(1, 3)
    opt: Any = gs.SGD(w, lr=0.5, ema=0.5)
    opt.step(np.ones(3))
    before = digest([w])
    with pytest.raises(KeyError), opt.swap_averaged():
        raise KeyError
    assert digest([w]) == before
    assert opt.step(np.ones(3))


SHAPES: list[Any] = [
    lambda opt: opt.step(np.ones(3)),
    lambda opt: opt.apply_gradients(np.ones(3), np.ones(3)),
    lambda opt: opt.updates(np.ones(3)),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_step_is_made_inside(shape: Any) -> None:
    w = np.ones(3)
    opt: Any = gs.SGD(w, lr=0.5, ema=0.5)
    opt.step(np.ones(3))
    with opt.swap_averaged():
        with refuses(RuntimeError, "no step is made inside swap_averaged: the parameters are averages"):
            shape(opt)
        assert w.tolist() == [0.75] * 3
    assert (w.tolist(), opt.step_count) == ([0.5] * 3, 1)


def test_blocks_are_not_nested() -> None:
    w = np.ones(3)
    opt: Any = gs.SGD(w, lr=0.5, ema=0.5)
    opt.step(np.ones(3))
    with opt.swap_averaged():
        with refuses(RuntimeError, "the averages are in the parameters already"), opt.swap_averaged():
            pass
        assert w.tolist() == [0.75] * 3
        with refuses(RuntimeError, "no step is made inside swap_averaged: the parameters are averages"):
            opt.step(np.ones(3))
    assert w.tolist() == [0.5] * 3
    assert opt.step(np.ones(3))


def test_an_array_that_cannot_be_written_to_does_not_lock_the_optimizer() -> None:
    a, b = np.ones(2), np.ones(2)
    opt: Any = gs.SGD([a, b], lr=0.5, ema=0.5)
    opt.step([np.ones(2), np.ones(2)])
    b.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"), opt.swap_averaged():
        pass
    assert a.tolist() == [0.5, 0.5]
    b.flags.writeable = True
    assert opt.step([np.ones(2), np.ones(2)])


def test_another_thread_cannot_step_meanwhile() -> None:
    opt: Any = gs.SGD(np.ones(3), lr=0.5, ema=0.5)
    refused: list[str] = []

    def step() -> None:
        try:
            opt.step(np.ones(3))
        except RuntimeError as error:
            refused.append(str(error))

    with opt.swap_averaged():
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
    assert refused == ["no step is made inside swap_averaged: the parameters are averages"]


def entered(opt: Any) -> None:
    with opt.swap_averaged():
        pass


NONE = "this SGD keeps no averages; make it with ema=0.999"


def test_without_averages_it_says_so() -> None:
    opt: Any = gs.SGD(np.ones(1))
    for use in (lambda: opt.averaged, lambda: entered(opt)):
        with refuses(ValueError, NONE):
            use()
    partly: Any = gs.SGD([{"params": [np.ones(1)], "ema": 0.9}, {"params": [np.ones(1)]}])
    with refuses(ValueError, NONE):
        _ = partly.averaged


def test_groups_have_averages_of_their_own_weight() -> None:
    a, b = np.zeros(1), np.zeros(1)
    opt: Any = gs.SGD([{"params": {"a": a}, "ema": 0.5}, {"params": [b]}], lr=1.0, ema=0.75)
    opt.step([{"a": np.ones(1)}, [np.ones(1)]])
    averages = opt.averaged
    assert (averages[0]["a"].tolist(), averages[1][0].tolist()) == ([-0.5], [-0.25])
    with opt.swap_averaged():
        assert (a.tolist(), b.tolist()) == ([-0.5], [-0.25])
    assert (a.tolist(), b.tolist()) == ([-1.0], [-1.0])


def test_an_average_moves_with_updates_only() -> None:
    w = {"w": np.zeros(1), "x": np.zeros(1)}
    opt: Any = gs.SGD(w, lr=1.0, ema=0.5, accumulate=2)
    opt.step({"w": np.ones(1), "x": None})
    assert opt.averaged["w"].tolist() == [0.0]
    opt.step({"w": np.ones(1), "x": None})
    assert (opt.averaged["w"].tolist(), opt.averaged["x"].tolist()) == ([-0.5], [0.0])


def test_it_can_be_assigned_but_not_begun_or_ended() -> None:
    opt: Any = gs.SGD(np.zeros(1), lr=1.0, ema=0.5)
    opt.ema = 0.75
    opt.step(np.ones(1))
    assert opt.averaged.tolist() == [-0.25]
    for bad in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match="ema"):
            opt.ema = bad
    with pytest.raises((AttributeError, TypeError, ValueError), match="ema"):
        opt.ema = None
    with pytest.raises((AttributeError, TypeError, ValueError), match="ema"):
        gs.SGD(np.zeros(1)).ema = 0.5
    assert opt.ema == 0.75


def test_averages_of_new_arrays_follow_them() -> None:
    p = normal(1, 3)
    opt: Any = gs.SGD(lr=0.5, ema=0.5)
    new = opt.apply_gradients(np.ones(3), p)
    assert_same_bits(opt.averaged, 0.5 * p + 0.5 * new, "the average")
