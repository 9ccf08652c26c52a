"""Optimizers as pickles and copies: what they are made of again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep import _core
from gradstep.checkpoints.differences import Comparison
from gradstep.checkpoints.loading import advance, copy
from gradstep.checkpoints.records import record

if TYPE_CHECKING:
    from collections.abc import Callable


class Blank:
    """What a parameter is like, of which there is no array: zeros once it is unpickled."""

    def __init__(self, shape: list[int], dtype: str) -> None:
        self.shape, self.dtype = shape, dtype

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[list[int], str]]:
        return np.zeros, (self.shape, self.dtype)


def reduced(optimizer: _core.Optimizer, rule: str) -> dict[str, Any]:
    """Give what `restore` takes: containers and schedules themselves, so that what is shared stays so.

    Raises:
        RuntimeError: inside ``swap_averaged``, or in the middle of a step.
    """
    given = optimizer._given
    parameters = optimizer._parameters
    params, groups = given["params"], given["groups"]
    bound = params is not None
    if groups:
        params = [group["params"] for group in groups]
    elif parameters and not bound:
        params = optimizer._structured([Blank(shape, dtype) for _, shape, dtype, _ in parameters])
    return {
        "params": params,
        "bound": bound,
        "grouped": bool(groups),
        "patterns": given["patterns"],
        "options": given["options"],
        "hyperparameters": optimizer._hyperparameters,
        "step_count": optimizer.step_count,
        "record": record(optimizer, rule, live=True) if parameters else None,
        "attributes": vars(optimizer),
        "copy_to": optimizer._structured(copies) if (copies := optimizer._copies) else None,
    }


def empty(kind: type[_core.Optimizer]) -> _core.Optimizer:
    """Make one that `restore` is to fill."""
    return kind.__new__(kind)


def restore(optimizer: _core.Optimizer, rule: str, decoupled: bool, state: dict[str, Any]) -> None:
    """Make an optimizer what another one was."""
    params, hypers, own = state["params"], state["hyperparameters"], state["options"]
    of_groups = [{name: value for name, value in group.items() if name in own} for group in hypers]
    common = {name: value for name, value in hypers[-1].items() if name not in own}
    if state["grouped"]:
        given: Any = [{"params": p, **options} for p, options in zip(params, of_groups, strict=True)]
        options = common
    else:
        given = params if state["bound"] else None
        options = {**common, **of_groups[-1], "groups": dict(zip(state["patterns"], of_groups, strict=False))}
    options["copy_to"] = state["copy_to"]
    _core.Optimizer.__init__(optimizer, rule, given, decoupled_weight_decay=decoupled, **options)
    vars(optimizer).update(state["attributes"])
    if state["record"] is None:
        optimizer.step_count = state["step_count"]
        return
    if state["bound"]:
        # Who has a copy finds its parameters there, and needs no warning that nobody else has them.
        _ = optimizer._params
    else:
        optimizer._resemble(params)
    now, then = record(optimizer, rule, live=True), state["record"]
    fits = Comparison(now, then)
    advance(optimizer, now, then, fits, {})
    copy(fits)
