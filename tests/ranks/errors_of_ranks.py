"""Makes one mistake after another on one of the ranks, and prints what all ranks say to it.

After each, nothing may have changed, and the next step has to work on all. Arguments: ``large`` or ``small``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

import gradstep as gs
from bits import digest
from gradstep import mpi
from gradstep.mpi import replicas
from ranks.cases import state_of

COMM = MPI.COMM_WORLD
RANK = COMM.rank
CHUNK = 32 * 1024


class Interruption(BaseException):
    """What is no Exception, as KeyboardInterrupt."""


def params() -> dict[str, Any]:
    return {"w": np.full((3, CHUNK), 0.5), "b": np.zeros(4)}


def grads(t: int) -> dict[str, Any]:
    return {"w": np.full((3, CHUNK), 0.1 + RANK + t), "b": np.arange(4.0) - RANK}


def rate(only: int, act: Callable[[], float]) -> gs.schedules.Schedule:
    """A schedule that does something else on one rank, at the second step."""
    state = {"bad": False}

    def at(_: int) -> float:
        return act() if state["bad"] and only == RANK else 0.01

    made = gs.schedules.Lambda(at)
    SWITCHES.append(state)
    return made


SWITCHES: list[dict[str, bool]] = []


def fails() -> float:
    raise ZeroDivisionError("of the schedule")


def interrupts() -> float:
    raise Interruption("of the schedule")


def wrong(**changes: Any) -> dict[str, Any]:
    return grads(1) | changes


def on(rank: int, bad: Any, good: Any = None) -> Any:
    return bad if rank == RANK else good


Step = Callable[[Any], Any]

#: What is done in the place of the second step, and the options of the optimizer.
MISTAKES: dict[str, tuple[dict[str, Any], Step]] = {
    "shape": ({}, lambda opt: opt.step(on(2, wrong(w=np.zeros((3, 4))), grads(1)))),
    "name": ({}, lambda opt: opt.step(on(1, {"w": grads(1)["w"]}, grads(1)))),
    "dtype": ({}, lambda opt: opt.step(on(0, wrong(b=np.arange(4)), grads(1)))),
    "rows": ({}, lambda opt: opt.step(on(0, wrong(w=gs.Rows(np.array([0]), np.ones((1, CHUNK)))), grads(1)))),
    "no parts": ({}, lambda opt: opt.step(on(1, None, grads(1)))),
    "too many": ({}, lambda opt: [opt.add(grads(1)) for _ in range(2 if RANK == 0 else 1)] and opt.step()),
    "loss": ({}, lambda opt: opt.step(grads(1), loss=on(1, "low", 1.0))),
    "no loss": ({}, lambda opt: opt.step(grads(1), loss=on(0, None, 1.0))),
    "loss alone": ({}, lambda opt: opt.step(loss=1.0)),
    "scale": ({}, lambda opt: opt.step(grads(1), scale=on(0, np.inf, 1.0))),
    "scales": ({}, lambda opt: opt.step(grads(1), scale=on(0, 0.5, 1.0))),
    "NaN": ({"clip_norm": 1.0}, lambda opt: opt.step(on(2, wrong(b=np.array([0, 0, 0, np.nan])), grads(1)))),
    "NaN raises": (
        {"nonfinite": "raise"},
        lambda opt: opt.step(on(1, wrong(w=np.full((3, CHUNK), np.inf)), grads(1))),
    ),
    "NaN in 8 bits": (
        {"state_dtype": "8bit"},
        lambda opt: opt.step(on(0, wrong(w=np.full((3, CHUNK), np.nan)), grads(1))),
    ),
    "schedule": ({"lr": "fails"}, lambda opt: opt.step(grads(1))),
    "schedule, clipped": ({"lr": "fails", "clip_norm": 1.0}, lambda opt: opt.step(grads(1))),
    "interrupt": ({"lr": "interrupts", "clip_norm": 1.0}, lambda opt: opt.step(grads(1))),
    "rates": ({"lr": "differs"}, lambda opt: opt.step(grads(1))),
    "lr": ({}, lambda opt: assigned(opt, "lr", on(2, 0.25, 0.01))),
    "clip_norm": ({}, lambda opt: assigned(opt, "clip_norm", on(1, 0.5))),
    "step_count": ({}, lambda opt: assigned(opt, "step_count", on(0, 7, 1))),
    "frozen": ({}, lambda opt: (on(0, True) and opt.freeze("b"), opt.step(grads(1)))),
    "observe": ({}, lambda opt: opt.observe(on(1, None, 1.0))),
}


def assigned(opt: Any, name: str, value: Any) -> None:
    setattr(opt, name, value)
    opt.step(grads(1))


def mend(opt: Any, name: str) -> None:
    """Make all alike again."""
    if name == "lr":
        opt.lr = 0.01
    if name == "clip_norm":
        opt.clip_norm = None
    if name == "step_count":
        opt.step_count = 1
    if name == "frozen" and RANK == 0:
        opt.unfreeze("b")


def tried(name: str, options: dict[str, Any], step: Step) -> str:
    act = {"fails": fails, "interrupts": interrupts, "differs": lambda: 0.02}.get(str(options.get("lr")))
    if act is not None:
        options = options | {"lr": rate(1, act)}
    mine = params()
    if "state_dtype" in options:
        mine = {name: array.astype(np.float32) for name, array in mine.items()}
    opt = mpi.Sharded(gs.Adam, mine, **({"lr": 0.01} | options))
    opt.step(grads(0))
    for state in SWITCHES:
        state["bad"] = True
    before = digest([*mine.values(), *state_of(opt).values()])
    start = time.monotonic()
    try:
        step(opt)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    else:
        said = "nothing"
    SWITCHES.clear()
    after = digest([*mine.values(), *state_of(opt).values()])
    assert after == before, f"{name} has changed something"
    if act is not None:
        opt.lr = 0.01
    mend(opt, name)
    opt.step(grads(1))
    assert time.monotonic() - start < 10.0, name
    assert opt.step_count == 2
    assert len(set(COMM.allgather(digest(mine.values())))) == 1
    return said


#: What is given to the constructor.
MADE: dict[str, Callable[[], Any]] = {
    "shapes": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(on(1, 4, 3))}),
    "names": lambda: mpi.Sharded(gs.Adam, {on(1, "v", "w"): np.zeros(3)}),
    "orders": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros((2, 3), order=on(2, "F", "C"))}),
    "dtypes": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3, on(0, "f4", "f8"))}),
    "options": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, beta1=on(0, 0.5, 0.9)),
    "schedules": lambda: mpi.Sharded(
        gs.Adam, {"w": np.zeros(3)}, lr=gs.schedules.Linear(1.0, on(0, 0.5, 0.9), 9)
    ),
    "parts": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, parts=on(0, 4, 8)),
    "no parts": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, parts=0),
    "rules": lambda: mpi.Sharded(on(2, gs.AdamW, gs.Adam), {"w": np.zeros(3)}),
    "not a rule": lambda: mpi.Sharded(on(2, dict, gs.Adam), {"w": np.zeros(3)}),
    "no comm": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, comm=3),  # type: ignore[arg-type]
    "state_dir": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, state_dir=3),
    "state_dtype": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, groups={"w": {"state_dtype": "8bit"}}),
    "copy_to": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, copy_to={"w": np.zeros(3, np.uint16)}),
    "copies": lambda: mpi.Sharded(
        gs.Adam, {"w": np.zeros(4, np.float32)}, copy_to={"w": np.zeros(on(1, 3, 4), np.uint16)}
    ),
    "option": lambda: mpi.Sharded(gs.Adam, {"w": np.zeros(3)}, **on(1, {"betas": 3}, {})),
}


def main() -> None:
    replicas.LARGEST = 0 if sys.argv[1] == "large" else 1 << 40
    said = {name: COMM.allgather(tried(name, *mistake)) for name, mistake in MISTAKES.items()}
    for name, make in MADE.items():
        try:
            make()
        except Exception as error:
            said[f"making: {name}"] = COMM.allgather(f"{type(error).__name__}: {error}")
        else:
            said[f"making: {name}"] = COMM.allgather("nothing")
    if RANK == 0:
        print(json.dumps(said))


if __name__ == "__main__":
    main()
