"""State dicts: all that an optimizer remembers, by the names of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradstep.checkpoints import narrow, texts
from gradstep.optimizers.hypers import Fixed
from gradstep.orders import order_of

if TYPE_CHECKING:
    from gradstep import _core

Record = dict[str, Any]

FORMAT = 1
"""The version of the form of the dicts."""


def record(optimizer: _core.Optimizer, rule: str, live: bool = False) -> Record:
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
        RuntimeError: it is in the middle of a step, or has made one meanwhile.
    """
    before, state = optimizer._progress, optimizer._state
    counts, frozen, waiting = before["counts"], before["frozen"], before["waiting"]
    parameters = {}
    for i, (name, shape, dtype, group) in enumerate(optimizer._parameters):
        slots = {slot: a if live else a.copy(order="K") for slot, a in narrow.spread(state[name])}
        of_one = of_parameter(shape, dtype, group, counts[i], slots, frozen[i], waiting[i])
        codes = [a for slot, a in slots.items() if slot.endswith(".codes")]
        parameters[name] = (
            {**of_one, "order": order_of(codes[0].shape, codes[0].strides)} if codes else of_one
        )
    kind = type(optimizer)
    groups = [
        of_group(kind, options, scalars)
        for options, scalars in zip(optimizer._hyperparameters, optimizer.scalars, strict=True)
    ]
    feedback = list(optimizer.feedback_state)
    if place(optimizer._progress) != place(before):
        raise RuntimeError("another thread made a step of this optimizer while its state was read")
    return whole(
        kind.__name__,
        rule,
        step_count=before["step_count"],
        skipped=before["skipped"],
        parameters=parameters,
        groups=groups,
        feedback=feedback,
        window=before["window"],
    )


def place(progress: Record) -> tuple[int, ...]:
    """Tell where a run is: no step leaves all of these as they are."""
    return progress["step_count"], progress["skipped"], progress["window"]["count"]


def of_parameter(
    shape: list[int],
    dtype: str,
    group: int,
    count: int,
    slots: dict[str, Any],
    frozen: bool = False,
    waiting: bool = False,
) -> Record:
    """Put down one parameter."""
    return {
        "shape": shape,
        "dtype": dtype,
        "group": group,
        "count": count,
        "frozen": frozen,
        "waiting": waiting,
        "slots": slots,
    }


def of_group(kind: type, options: Record, scalars: dict[str, float]) -> Record:
    """Put down the options of a group."""
    fixed = switches(kind)
    return {
        "switches": {name: value for name, value in options.items() if name in fixed},
        "hyperparameters": {name: texts.write(v) for name, v in options.items() if name not in fixed},
        "scalars": scalars,
    }


def whole(
    kind: str,
    rule: str,
    *,
    step_count: int,
    parameters: dict[str, Record],
    groups: list[Record],
    skipped: int = 0,
    feedback: list[Record] | None = None,
    window: Record | None = None,
) -> Record:
    """Put the parts together; no window is one that has just begun."""
    return {
        "format": FORMAT,
        "class": kind,
        "rule": rule,
        "step_count": step_count,
        "skipped": skipped,
        "parameters": parameters,
        "groups": groups,
        "feedback": feedback or [],
        "window": window or {"count": 0, "scale": 0.0, "loss_sum": 0.0, "losses": 0},
    }


def switches(kind: type) -> set[str]:
    """Name the options of a class that decide on the formula or the state."""
    return {name for name in dir(kind) if isinstance(getattr(kind, name), Fixed)}
