"""Rounds of `soak.py` with state in fewer bits, gradients of some rows, and copies of parameters."""

import copy
import itertools
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import gradstep as gs

FORMATS: list[Any] = ["bfloat16", "8bit", None]
RULES: list[Any] = [gs.Adam, gs.RMSprop, gs.Lion, gs.Adan, gs.LAMB, gs.Prodigy, gs.Adagrad]

Arrays = dict[str, Any]


def whole(opt: Any, grads: Arrays) -> None:
    """All rows."""
    opt.step(grads)


def halves(opt: Any, grads: Arrays) -> None:
    """Gradients of 16 bits, one of them in another order."""
    opt.step({name: np.asfortranarray(g.astype(np.float16)) for name, g in grads.items()})


def rows(opt: Any, grads: Arrays) -> None:
    """Some rows, one of them twice, some in another dtype; where they are refused, all."""
    indices = np.array([3, -1, 3, 0])
    some = {name: gs.Rows(indices, g[indices].astype(np.float64)) for name, g in grads.items()}
    try:
        opt.step(some)
    except ValueError:
        opt.step(grads)


def new_arrays(opt: Any, grads: Arrays) -> None:
    """New parameters, whose copies are made."""
    opt.apply_gradients(grads, opt.params)


def refused(opt: Any, grads: Arrays) -> None:
    """Rows that there are not, numbers that are none, and a step."""
    with suppress(ValueError):
        opt.step({"w": gs.Rows([0, 70], grads["w"][:2]), "b": grads["b"]})
    with suppress(ValueError):
        gs.Rows([0, 1], grads["w"][:3])
    opt.step(grads)


def written(opt: Any, grads: Arrays) -> None:
    """Slots that are read and written, by rights and not."""
    slot: Any = next(iter(opt.state["w"].values()))
    slot[0] = np.asarray(slot)[0]
    with suppress(ValueError):
        slot[...] = np.zeros(3)
    with suppress(TypeError, ValueError):
        gs.Packed("bfloat16", {"bits": grads["w"]})
    opt.step(grads)


SHAPES: list[Callable[[Any, Arrays], None]] = [whole, halves, rows, new_arrays, refused, written]


def around(opt: Any, kind: Any, params: Arrays, form: Any, path: Path) -> None:
    """All that is done with an optimizer beside stepping it, and its state brought into the next format."""
    gs.save(path, opt)
    gs.load(path, opt)
    other: Any = kind({name: p.copy() for name, p in params.items()}, state_dtype=form, copy_to=None)
    with suppress(ValueError):
        other.load_state_dict(opt.state_dict())
    other.load_state_dict(opt.state_dict(), convert=True)
    pickle.loads(pickle.dumps(opt))
    copy.deepcopy(opt)
    opt.refresh_copies()
    for slot in opt.state["w"].values():
        repr(slot), pickle.loads(pickle.dumps(slot)), copy.copy(slot), slot == slot.copy()


def rounds(folder: Path, steps: int) -> Iterator[str]:
    """Make a round of so many steps for each rule, format and shape, for ever; tell what was done."""
    random = np.random.default_rng(1)
    for number in itertools.count():
        kind, form = RULES[number % len(RULES)], FORMATS[number % len(FORMATS)]
        shape = SHAPES[number // len(FORMATS) % len(SHAPES)]
        params = {"w": random.normal(size=(70, 61)), "b": random.normal(size=(7, 2))}
        params = {name: p.astype(np.float32) for name, p in params.items()}
        grads = {name: random.normal(size=p.shape).astype(np.float32) for name, p in params.items()}
        copies = {name: np.zeros(p.shape, np.uint16) for name, p in params.items()}
        opt = kind(params, state_dtype=form, copy_to=copies, seed=number)
        for _ in range(steps):
            shape(opt, grads)
        around(opt, kind, params, FORMATS[(number + 1) % len(FORMATS)], folder / "narrow.npz")
        yield f"narrow {shape.__name__}"
