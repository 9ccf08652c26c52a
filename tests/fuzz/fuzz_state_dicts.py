"""State dicts of all optimizers, with something else at any place of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
from atheris import FuzzedDataProvider
from optimizers import FORMATS, drawn, step

import gradstep as gs

warnings.simplefilter("ignore", gs.CheckpointWarning)
warnings.simplefilter("ignore", gs.DetachedParameterWarning)

ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400,
    0.0, -0.0, 0.5, 1.0, -1.0, 1e308, 5e-324, math.inf, -math.inf, math.nan, 1j,
    "", "p0", "p1", "ema", "exp_avg", "adam", "Adam", "float32", "None", "'skip'", "\ud800", "\0",
    "(", "(" * 5000, "()", "(None, None)", "nan", "-inf", "1e999", "Constant(0.5)", "Table([",
    "Plateau(schedule=Constant(value=0.5))", b"", b"0", (), (0.5,), [], [0.5], [[]], {}, {"p0": None},
    {"a": {}}, object(), float, range(3), {1, 2}, slice(None), ..., Random,
    np.float32(1), np.int64(2), np.bool_(True), np.array(1.0), np.array([]), np.ones(3),
    np.ones(3, np.float32), np.ones((2, 3)),
    np.ones(17)[::-1], np.full(3, np.nan), np.array([None, {}], object),
    np.array(["a"]), np.ma.masked_array([1.0, 2.0, 3.0]),
]  # fmt: skip


DEEPEST = 7
"""Places further in are not looked for: a mutation may have put a dict into itself."""


def seeds() -> Iterator[bytes]:
    """Bytes that make many different ones."""
    for i in range(20):
        yield Random(i).randbytes(120)


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all that is in dicts and lists."""
    items: Any = ()
    if len(path) < DEEPEST:
        items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def mutate(data: FuzzedDataProvider, tree: Any) -> None:
    """Put something else at a place, or take away what is there."""
    paths = list(places(tree))
    path: tuple[Any, ...] = paths[data.ConsumeIntInRange(0, len(paths) - 1)] if paths else ("",)
    *way, key = path
    container: Any = tree
    for part in way:
        container = container[part]
    match data.ConsumeIntInRange(0, 7):
        case 0:
            del container[key]
        case 1 if isinstance(container, dict):
            container[data.PickValueInList([x for x in ODD if x.__hash__])] = container.pop(key)
        case 2 if isinstance(container, list):
            container.append(container[key])
        case 3:
            container[key] = container
        case 4:
            container[key] = data.ConsumeInt(9)
        case 5:
            container[key] = data.ConsumeFloat()
        case 6:
            container[key] = data.ConsumeUnicode(40)
        case _:
            container[key] = data.PickValueInList(ODD)


def remembered(opt: Any) -> tuple[Any, ...]:
    """All that a refused state dict must leave as it is, the parameters among them."""
    state = repr(plain(opt.state_dict()))
    return state, repr(opt.hyperparameters), plain(opt.params)


def plain(tree: Any) -> Any:
    """The same with the bytes of the arrays, or what tells them from others."""
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [plain(value) for value in tree]
    if isinstance(tree, np.ndarray):
        return tree.tobytes() if tree.nbytes < 1000 else hash(tree.tobytes())
    return tree


def check(given: bytes) -> str:
    """It is refused with nothing changed; or it is loaded, and steps go on or say why they do not."""
    data = FuzzedDataProvider(given)
    make = drawn(data)
    other = {"state_dtype": data.PickValueInList([None, *FORMATS])} if data.ConsumeBool() else {}
    try:
        opt, saved = make(**other), make().state_dict()
    except (TypeError, ValueError):
        return "without an optimizer"
    for _ in range(data.ConsumeIntInRange(1, 3)):
        mutate(data, saved)
    options = {option: data.ConsumeBool() for option in ("strict", "hyperparameters", "convert")}
    if data.ConsumeBool():
        options["rename"] = {data.PickValueInList(["p0", "p*", "*"]): data.PickValueInList(["p1", "q*", ""])}
    before = remembered(opt)
    try:
        opt.load_state_dict(saved, **options)
    except (TypeError, ValueError):
        assert remembered(opt) == before
        return "refused"
    again = make(**other)
    again.load_state_dict(opt.state_dict(), hyperparameters=True)
    for _ in range(2):
        before = remembered(opt)
        try:
            step(opt, 0.5)
        except ValueError:
            assert remembered(opt) == before
    return "loaded"
