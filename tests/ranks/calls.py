"""What can be called and read beside steps, looked at on each rank. Arguments: ``large`` or ``small``."""

from __future__ import annotations

import copy
import os
import sys
import warnings
from typing import Any

import numpy as np
from mpi4py import MPI

import gradstep as gs
from gradstep import mpi
from gradstep.mpi import replicas

COMM = MPI.COMM_WORLD
SIZE = 70_000


def refused(function: Any, *arguments: Any) -> str:
    try:
        function(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("nothing was refused")


def rank_0_has_the_values() -> None:
    params = {"w": np.full(SIZE, float(COMM.rank + 1)), "f": np.full((2, 3), COMM.rank + 1.0, order="F")}
    mpi.Sharded(gs.SGD, params)
    assert (params["w"] == 1.0).all()
    assert (params["f"] == 1.0).all()


def gradients_without_copies() -> None:
    parts, results = 2 * COMM.size, []
    for lent in (False, True):
        params: Any = {"w": np.zeros(SIZE), "b": np.zeros(3, np.float32)}
        opt: Any = mpi.Sharded(gs.Adam, mpi.flatten(params) if lent else params, parts=parts, lr=0.1)
        for t in range(3):
            for part in opt.parts:
                given: Any = opt.gradients() if lent else {"w": np.empty(SIZE), "b": np.empty(3)}
                assert given["b"].dtype == (np.float32 if lent else np.float64)
                given["w"][...] = np.sin(np.arange(SIZE) * (part + 1) + t)
                given["b"][...] = part - t
                opt.add(given)
            assert opt.step()
        results.append(opt.params)
    assert all((results[0][name] == results[1][name]).all() for name in ("w", "b"))


def flat_on_one_rank() -> None:
    params: Any = {"w": np.zeros(SIZE), "b": np.zeros(3), "v": np.zeros(SIZE)}
    if COMM.rank == 0:
        params = mpi.flatten(params)
    opt: Any = mpi.Sharded(gs.SGD, params, lr=1.0)
    assert opt.step({name: np.arange(float(array.size)) for name, array in params.items()})
    assert all((array == -np.arange(float(array.size))).all() for array in params.values())


def attributes() -> None:
    params = {"w": np.zeros(SIZE), "b": np.zeros(3)}
    opt: Any = mpi.Sharded(gs.AdamW, params, parts=COMM.size, lr=0.1, measure=True)
    assert opt.step({"w": np.ones(SIZE), "b": np.ones(3)}, loss=COMM.rank)
    assert opt.loss == sum(range(COMM.size)) / COMM.size
    assert (opt.step_count, opt.lr, opt.beta1, opt.accumulate) == (1, 0.1, 0.9, 1)
    assert opt.update_norm > 0.0
    assert opt.counts == {"w": 1, "b": 1}
    assert list(opt.parts) == [COMM.rank]
    assert list(opt.stretch) == list(opt.state) == ["w", "b"]
    for name, part in opt.stretch.items():
        assert opt.state[name]["exp_avg"].shape == (part.stop - part.start,)
        assert (opt.state[name]["exp_avg"] == 1.0 - 0.9).all()
    opt.beta1 = 0.5
    opt.lr = gs.schedules.Constant(0.25)
    opt.step_count = 9
    assert (opt.beta1, opt.lr, opt.counts["w"]) == (0.5, 0.25, 9)
    opt.freeze("b")
    assert opt.frozen == ("b",)
    before = params["b"].copy()
    assert opt.step({"w": np.ones(SIZE), "b": np.ones(3)})
    assert (params["b"] == before).all()
    assert opt.counts == {"w": 10, "b": 9}
    assert "AdamW" in repr(opt)
    assert "save it, and load it" in refused(copy.deepcopy, opt)
    assert refused(setattr, opt, "momentum", 0.5) == "AttributeError: Sharded.momentum does not exist"
    assert refused(setattr, opt, "amsgrad", True) == "AttributeError: Sharded.amsgrad cannot be changed"
    assert refused(setattr, opt, "loss", 1.0) == "AttributeError: Sharded.loss cannot be changed"
    assert refused(getattr, opt, "momentum") == "AttributeError: 'Sharded' object has no attribute 'momentum'"
    history = gs.History()
    history.record(opt, loss=opt.loss)


def schedules_of_two_kinds() -> None:
    """Only one of the ranks runs Python code to know its rate, which is that of the others."""
    params = {"w": np.zeros(SIZE)}
    opt: Any = mpi.Sharded(gs.SGD, params, lr=0.5)
    for t in range(3):
        if t == 1 and COMM.rank == 0:
            opt.lr = gs.schedules.Lambda(lambda _: 0.5)
        assert opt.step({"w": np.ones(SIZE)})
    assert (params["w"] == -1.5).all()


def observations() -> None:
    opt: Any = mpi.Sharded(
        gs.SGD, {"w": np.zeros(3)}, lr=gs.feedback.Plateau(gs.schedules.Constant(1.0), patience=0)
    )
    opt.observe(float(COMM.rank))
    opt.observe(5.0 + COMM.rank)
    assert opt.lr == 0.1


def averages() -> None:
    params = {"w": np.ones(SIZE)}
    opt: Any = mpi.Sharded(gs.SGD, params, lr=0.5, ema=0.75)
    opt.step({"w": np.ones(SIZE)})
    assert (opt.averaged["w"] == 0.875).all()
    with opt.swap_averaged():
        assert (params["w"] == 0.875).all()
        assert "RuntimeError" in refused(lambda: opt.swap_averaged().__enter__())
        assert "inside swap_averaged" in refused(opt.step, {"w": np.ones(SIZE)})
    assert (params["w"] == 0.5).all()
    assert opt.step({"w": np.ones(SIZE)})


def forms_of_other_libraries() -> None:
    for library in ("keras", "optax", "thinc"):
        params, plain = {"w": np.ones(SIZE)}, {"w": np.ones(SIZE)}
        one = gs.Adam.like(library, plain, lr=0.1)
        opt: Any = mpi.Sharded(gs.Adam, params, parts=1, **dict[str, Any](one.hyperparameters[0]))
        for t in range(2):
            grads = {"w": np.sin(np.arange(float(SIZE)) + t)}
            one.step(grads)
            for _ in opt.parts:
                opt.add(grads)
            opt.step()
        assert (params["w"] == plain["w"]).all()


def narrow_state() -> None:
    w: Any = np.zeros((SIZE // 100, 100), np.float32, order="F")
    opt: Any = mpi.Sharded(gs.Adam, {"w": w}, state_dtype="8bit")
    opt.step({"w": np.ones(w.shape)})
    for slot in opt.state["w"].values():
        assert slot.shape == (opt.stretch["w"].stop - opt.stretch["w"].start,)
        assert slot.format == "8bit"
    slot[...] = 0.25
    assert (np.asarray(opt.state["w"]["exp_avg_sq"]) == 0.25).all()
    assert "only written into" in refused(opt.state["w"].__setitem__, "exp_avg", slot)
    assert "are not finite" in refused(opt.step, {"w": np.full(w.shape, np.nan)})

    class Mine(gs.Adam):
        """It says itself how its state is kept."""

        def __init__(self, params: Any) -> None:
            super().__init__(params, state_dtype="bfloat16")

    if replicas.LARGEST == 0 and COMM.size > 1:
        assert "Mine has a state_dtype of its own" in refused(mpi.Sharded, Mine, {"w": w})


def copies() -> None:
    def rounded(w: Any) -> Any:
        copy = np.empty_like(w, np.uint16)
        gs.SGD(w, copy_to=copy)
        return copy

    for flat in (False, True):
        params: Any = {"w": np.full((SIZE // 70, 70), 1.0 / 3.0, np.float32, order="F")}
        params["b"] = np.zeros(3, np.float32)
        params = mpi.flatten(params) if flat else params
        copy: Any = {name: np.full_like(array, 7, np.uint16) for name, array in params.items()}
        opt: Any = mpi.Sharded(gs.SGD, params, copy_to=copy, nonfinite="skip", lr=0.7)
        before = params["w"].copy()
        for t in range(3):
            assert all((copy[name] == rounded(params[name])).all() for name in params)
            grads = {"w": np.sin(np.arange(SIZE).reshape(params["w"].shape) + t), "b": np.ones(3)}
            opt.step(grads)
        assert (copy["w"] != rounded(before)).mean() > 0.9
        before = copy["w"].copy()
        grads["w"][-1] = np.nan
        assert not opt.step(grads)
        assert (copy["w"] == before).all()
        params["w"] *= 2.0
        opt.refresh_copies()
        assert (copy["w"] == rounded(params["w"])).all()
        assert (copy["w"] != before).any()
        some = {"copy_to": copy} if COMM.rank == 0 else {}
        opt = mpi.Sharded(gs.SGD, params, lr=0.3, **some)
        assert opt.step({"w": np.ones(params["w"].shape), "b": np.ones(3)})
        assert (copy["w"] == rounded(params["w"])).all() == (COMM.rank == 0)


def replaced_parameters() -> None:
    params = {"w": np.ones(SIZE)}
    opt: Any = mpi.Sharded(gs.SGD, params)
    if COMM.rank == 0:
        params["w"] = params["w"] - 1.0
    assert "was replaced by another object" in refused(opt.step, {"w": np.ones(SIZE)})
    assert "was replaced by another object" in refused(opt.step, opt.gradients())
    assert opt.step_count == 0


def many_optimizers() -> None:
    """A communicator has not many duplicates."""
    for _ in range(3000 if COMM.size == 1 else 30):
        opt = mpi.Sharded(gs.SGD, {"w": np.zeros(2)})
    assert opt._comm is mpi.Sharded(gs.Adam, [np.zeros(3)])._comm


def structures() -> None:
    for params in (np.ones(SIZE), [np.ones(SIZE), (np.ones(3), {"a": np.ones(2)})]):
        opt: Any = mpi.Sharded(gs.SGD, params, lr=1.0)
        opt.step(opt.params)
        assert all((array == 0.0).all() for array in opt._intakes.arrays)


def small_inboxes() -> None:
    digests = []
    for inbox in (1, 1 << 16, 1 << 25):
        params = {"w": np.ones(5 * SIZE)}
        opt: Any = mpi.Sharded(gs.Adam, params, parts=2 * COMM.size + 1, inbox=inbox, clip_norm=1.0)
        for part in opt.parts:
            opt.add({"w": np.cos(np.arange(5 * SIZE) * (1.0 + part))})
        opt.step()
        digests.append(params["w"].tobytes())
    assert digests[0] == digests[1] == digests[2]


def threads() -> None:
    if COMM.size == 1 or "GRADSTEP_NUM_THREADS" in os.environ:
        return
    seen: list[int] = []

    def rate(_: int) -> float:
        seen.append(gs.get_num_threads())
        return 0.1

    usual = gs.get_num_threads()
    opt: Any = mpi.Sharded(gs.SGD, {"w": np.ones(SIZE)}, lr=gs.schedules.Lambda(rate))
    seen.clear()
    opt.step({"w": np.ones(SIZE)})
    assert seen == [max(1, usual // COMM.size)], (seen, usual)
    assert gs.get_num_threads() == usual
    gs.set_num_threads(usual + 1)
    seen.clear()
    opt.step({"w": np.ones(SIZE)})
    assert seen == [usual + 1]


def main() -> None:
    warnings.simplefilter("error")
    large = sys.argv[1] == "large"
    replicas.LARGEST = 0 if large else 1 << 40
    looks = [
        rank_0_has_the_values,
        gradients_without_copies,
        flat_on_one_rank,
        attributes,
        schedules_of_two_kinds,
        observations,
        averages,
        forms_of_other_libraries,
        narrow_state,
        copies,
        replaced_parameters,
        structures,
        small_inboxes,
        many_optimizers,
        *([threads] if large else []),
    ]
    for look in looks:
        look()
        COMM.Barrier()
    if COMM.rank == 0:
        print("looked at", len(looks))


if __name__ == "__main__":
    main()
