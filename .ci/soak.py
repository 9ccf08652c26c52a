"""Make a million steps in many ways, and hold the resident memory to be flat.

Each round makes an optimizer, steps it in one of several call shapes, saves, loads, copies and pickles it,
and runs into errors that it catches; every other one has state in fewer bits and gradients of some rows.
After the warm-up, memory may grow by no more than a megabyte.
"""

import copy
import itertools
import pickle
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import soak_narrow
from environments import Failure

import gradstep as gs

STEPS = 1_000_000
WARM_UP = 200_000
"""Until the allocators have what they ever need."""
ALLOWED = 1 << 20
ROUND = 500
"""Steps of one optimizer."""


def rate(t: int) -> float:
    """Fall, as computed in Python."""
    return 0.1 / (1 + t)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"ema": 0.9, "accumulate": 2},
    {"clip_norm": 1.0, "clip_norm_each": 0.5, "measure": True},
    {"nonfinite": "skip", "bounds": (-9.0, 9.0), "l1": 1e-3},
    {"lr": gs.schedules.Lambda(rate), "groups": {"b": {"maximize": True}}},
    {"clip_value": gs.feedback.LossScaled(gs.schedules.Constant(1.0), beta=0.5)},
]
RULES = [
    kind
    for name in gs.optimizers.__all__
    if (kind := getattr(gs, name)) is not gs.Optimizer
]  # fmt: skip

Arrays = dict[str, Any]


def step(opt: gs.Optimizer, _: Arrays, grads: Arrays) -> None:
    """In place."""
    opt.step(grads, loss=1.0)


def strided(opt: gs.Optimizer, _: Arrays, grads: Arrays) -> None:
    """In place, with gradients that have to be converted, and one that is missing."""
    opt.step({"w": np.asarray(grads["w"], np.float64)[::-1], "b": None}, loss=1.0)


def apply_gradients(opt: gs.Optimizer, params: Arrays, grads: Arrays) -> None:
    """New arrays."""
    opt.apply_gradients(grads, params, loss=1.0)


def updates(opt: gs.Optimizer, params: Arrays, grads: Arrays) -> None:
    """Differences."""
    opt.updates(grads, params, loss=1.0)


def refused(opt: gs.Optimizer, _: Arrays, grads: Arrays) -> None:
    """A step that is refused, and one that is not."""
    with suppress(ValueError):
        opt.step({"w": np.ones(3), "b": grads["b"]}, loss=1.0)
    opt.step(grads, loss=1.0)


def functional(opt: gs.Optimizer, params: Arrays, grads: Arrays) -> None:
    """A function beside it."""
    gs.functional.adam(params["b"], grads["b"], np.zeros(3), np.zeros(3), step=0, lr=1e-3)
    opt.step(grads, loss=1.0)


SHAPES: list[Callable[[gs.Optimizer, Arrays, Arrays], None]] = [
    step, strided, apply_gradients, updates, refused, functional,
]  # fmt: skip


def around(opt: Any, params: Arrays) -> None:
    """All that is done with an optimizer beside stepping it."""
    opt.load_state_dict(opt.state_dict())
    pickle.loads(pickle.dumps(opt))
    copy.deepcopy(opt)
    repr(opt)
    opt.bind({name: array.copy() for name, array in params.items()})
    opt.flush()
    with suppress(AttributeError):
        opt.no_such = 1
    with suppress(ValueError):
        opt.weight_decay = -1.0


def rounds(folder: Path) -> Iterator[str]:
    """Make a round for each rule, options and shape, for ever; tell what was done."""
    random = np.random.default_rng(0)
    for number in itertools.count():
        kind = RULES[number % len(RULES)]
        options = OPTIONS[number % len(OPTIONS)]
        shape = SHAPES[number // len(OPTIONS) % len(SHAPES)]
        params: Arrays = {"w": random.normal(size=(8, 5)).astype(np.float32), "b": random.normal(size=3)}
        grads = {name: random.normal(size=array.shape).astype(array.dtype) for name, array in params.items()}
        in_files = number % 7 == 0
        opt = kind(params, state_dir=folder / str(number) if in_files else None, **options)
        for _ in range(ROUND):
            shape(opt, params, grads)
        around(opt, params)
        if in_files:
            del opt
            kind(params, state_dir=folder / str(number), **options)
            for path in (folder / str(number)).iterdir():
                path.unlink()
        yield shape.__name__


def resident() -> int:
    """Count the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    """Make the steps; print what was done, or fail if memory grew."""
    if sys.platform != "linux":
        raise Failure("resident memory is read as Linux shows it")
    # No text stands for a function.
    warnings.simplefilter("ignore", gs.CheckpointWarning)
    begun, counts, done, first = time.perf_counter(), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        both = zip(rounds(Path(folder)), soak_narrow.rounds(Path(folder), ROUND), strict=True)
        for shape in itertools.chain.from_iterable(both):
            done += ROUND
            counts[shape] += ROUND
            if done == WARM_UP:
                first = resident()
            if done >= WARM_UP and done % WARM_UP == 0:
                print(f"{done:9,} steps: {resident() / 2**20:7.2f} MiB resident", flush=True)
            if done >= STEPS:
                break
        grown = resident() - first
    print(", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    took = time.perf_counter() - begun
    print(f"{len(RULES)} rules in {took:.0f} s, {grown / 2**10:+,.0f} KiB since the warm-up")
    if grown > ALLOWED:
        raise Failure("memory grows")


if __name__ == "__main__":
    main()
