"""Optimizers that go on with the state that they find in their directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.checkpoints.differences import Comparison
from gradstep.checkpoints.loading import advance, kept, warn
from gradstep.checkpoints.records import record

if TYPE_CHECKING:
    from gradstep import _core
    from gradstep.directories.directory import StateDirectory


def resume(optimizer: _core.Optimizer, rule: str, directory: StateDirectory) -> None:
    """Bring a new optimizer to where the one was whose state its directory has.

    Its arrays are there already.

    Raises:
        ValueError: the two differ; all differences are listed.
    """
    assert directory.saved is not None
    own = record(optimizer, rule, live=True)
    saved = {
        **directory.saved,
        "parameters": {
            name: {**of_one, "slots": slots(directory, own["parameters"], name, of_one)}
            for name, of_one in directory.saved["parameters"].items()
        },
    }
    fits = Comparison(own, saved)
    if fits.found:
        where = f"the state in {directory.path} does not fit this optimizer:"
        raise ValueError("\n  ".join([where, *fits.found]))
    fits.slots = {name: {} for name in fits.slots}
    advance(optimizer, own, saved, fits, {})
    mine, theirs = ([group["hyperparameters"] for group in one["groups"]] for one in (own, saved))
    warn(list(kept(mine, theirs, ())), stacklevel=5)


def slots(
    directory: StateDirectory, own: dict[str, Any], name: str, of_one: dict[str, Any]
) -> dict[str, Any]:
    """Give the arrays of a parameter that were opened; of the others, what they are like."""
    return {
        slot: own[name]["slots"][slot]
        if (name, slot) in directory.files
        else np.broadcast_to(np.empty((), of_one["dtype"]), of_one["shape"])
        for slot in of_one["slots"]
    }
