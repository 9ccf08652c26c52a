"""What can be assigned to on an optimizer, and what is said of the rest."""

from __future__ import annotations

from gradstep import _core
from gradstep.optimizers.hypers import Hyper, Limit, Option

#: What can be assigned to besides hyperparameters, to resume a run.
RESTORED = ("step_count", "counts", "scalars", "feedback_state")


def may_be_set(kind: type, name: str) -> bool:
    """Tell whether something comes of assigning to an attribute of an optimizer.

    That is where the class has something that takes it or that it covers (a method, for a wrapper of it), and
    for the own attributes of a subclass.
    """
    owner = next((base for base in kind.__mro__ if name in vars(base)), None)
    if owner is None:
        return name.startswith("_")
    attribute = vars(owner)[name]
    if isinstance(attribute, property):
        return attribute.fset is not None
    if owner is _core.Optimizer and not callable(attribute):
        return name in RESTORED
    ours = owner.__module__.partition(".")[0] == "gradstep" or owner is object
    return hasattr(attribute, "__set__") or callable(attribute) or not ours


def refusal(kind: type, name: str) -> str:
    """Say why an attribute cannot be assigned to, and which can."""
    public = {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}
    settable = [name for name in public if isinstance(public[name], (Hyper, Limit, Option))]
    settable += RESTORED
    what = "cannot be changed" if hasattr(kind, name) else "does not exist"
    return f"{kind.__name__}.{name} {what}; those that can be assigned to are {', '.join(settable)}"
