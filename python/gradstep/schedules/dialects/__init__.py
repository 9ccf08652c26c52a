"""The schedulers of other libraries, under their names and arguments, as compositions of ours.

As of the versions that docs/schedulers.md names; `make parity` compares.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from gradstep.schedules.base import Schedule
from gradstep.schedules.dialects import keras, optax, torch, transformers

LIBRARIES: dict[str, dict[str, Callable[..., Schedule]]] = {
    "keras": keras.SCHEDULERS,
    "optax": optax.SCHEDULERS,
    "torch": torch.SCHEDULERS,
    "transformers": transformers.SCHEDULERS,
}


def like(library: str, name: str, /, **arguments: Any) -> Schedule:
    """Make what a scheduler of another library computes, under its own name and arguments.

    It is a composition of the schedules here, so that its repr shows how it is built, and what it gives at t
    is the rate of the library's update number t, counted from 0. Past its end, where some libraries raise, it
    holds its last value.

    Args:
        library: ``"keras"``, ``"optax"``, ``"torch"`` or ``"transformers"``.
        name: The scheduler's name there: ``"OneCycleLR"``, ``"CosineDecay"``, ``"cosine_decay_schedule"`` or
            in short ``"cosine_decay"``, ``"cosine_with_restarts"`` or ``"get_wsd_schedule"``.
        arguments: The scheduler's own, by name. Where a library takes the rate from the optimizer, as torch
            and transformers do, it is ``lr``. Schedules take the place of schedulers.

    Raises:
        TypeError: If an argument is missing or unknown, or of the wrong type.
        ValueError: If the library or the scheduler is unknown, or an argument out of its range.

    Example:
        >>> from gradstep.schedules import like
        >>> like("transformers", "cosine", lr=1e-3, num_warmup_steps=100, num_training_steps=1000)
        Warmup(schedule=Cosine(start=0.001, steps=900, end=0.0, periodic=True), steps=100, start=0.0, \
shape='linear')
        >>> like("torch", "ExponentialLR", lr=0.1, decay=0.9)
        Traceback (most recent call last):
            ...
        TypeError: ExponentialLR like 'torch' takes lr, gamma; missing a required argument: 'gamma'

    References:
        docs/schedulers.md has the formula of each, and where it differs from its neighbours.
    """
    for what, given in (("library", library), ("name", name)):
        if not isinstance(given, str):
            raise TypeError(f"{what} must be a str, got {type(given).__name__}")
    if library not in LIBRARIES:
        raise ValueError(f"library must be one of {_listed(LIBRARIES)}, got {library!r}")
    schedulers = LIBRARIES[library]
    make = schedulers.get(name) or {each.__name__: each for each in schedulers.values()}.get(name)
    if make is None:
        raise ValueError(f"there is no {name!r} like {library!r}; there are {_listed(schedulers)}")
    signature = inspect.signature(make)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        takes = (str(one.replace(annotation=one.empty)) for one in signature.parameters.values())
        raise TypeError(f"{name} like {library!r} takes {', '.join(takes)}; {error}") from None
    try:
        return make(**arguments)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} like {library!r}: {error}") from None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
