"""State dicts: all that an optimizer remembers, by the names of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradstep.checkpoints import texts
from gradstep.optimizers.hypers import Fixed

if TYPE_CHECKING:
    from gradstep import _core

FORMAT = 1
"""The version of the form of the dicts."""


def record(optimizer: _core.Optimizer, rule: str, live: bool = False) -> dict[str, Any]:
    """Put down where an optimizer is.

    Args:
        optimizer: it has parameters, or knows what they are like.
        rule: the name of its rule.
        live: whether the slots are views of the optimizer's own arrays and not copies.

    Returns:
        ``format``, ``class``, ``rule``, ``step_count``, ``skipped``; ``parameters``, a dict for each by name;
        ``groups``, a dict for each in order; ``feedback``, the states of the feedback schedules; and
        ``window``, what is known of gradients that wait for their update.

    Raises:
        ValueError: it has no parameters as yet.
    """
    progress, state = optimizer._progress, optimizer._state
    counts, frozen, waiting = progress["counts"], progress["frozen"], progress["waiting"]
    parameters = {
        name: {
            "shape": shape,
            "dtype": dtype,
            "group": group,
            "count": counts[i],
            "frozen": frozen[i],
            "waiting": waiting[i],
            "slots": {slot: a if live else a.copy(order="K") for slot, a in state[name].items()},
        }
        for i, (name, shape, dtype, group) in enumerate(optimizer._parameters)
    }
    fixed = switches(type(optimizer))
    groups = [
        {
            "switches": {name: value for name, value in options.items() if name in fixed},
            "hyperparameters": {name: texts.write(v) for name, v in options.items() if name not in fixed},
            "scalars": scalars,
        }
        for options, scalars in zip(optimizer._hyperparameters, optimizer.scalars, strict=True)
    ]
    return {
        "format": FORMAT,
        "class": type(optimizer).__name__,
        "rule": rule,
        "step_count": progress["step_count"],
        "skipped": progress["skipped"],
        "parameters": parameters,
        "groups": groups,
        "feedback": list(optimizer.feedback_state),
        "window": progress["window"],
    }


def switches(kind: type) -> set[str]:
    """Name the options of a class that decide on the formula or the state."""
    return {name for name in dir(kind) if isinstance(getattr(kind, name), Fixed)}
