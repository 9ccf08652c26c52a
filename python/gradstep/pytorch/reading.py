"""State dicts of torch's optimizers made into our own."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from gradstep import _core, optimizers
from gradstep.checkpoints import CheckpointWarning
from gradstep.checkpoints.faults import type_name
from gradstep.checkpoints.records import Record, of_group, of_parameter, whole
from gradstep.optimizers import Optimizer
from gradstep.pytorch.forms import FORMS, Form, base, formulas
from gradstep.types import Floats


def from_torch_state_dict(
    state_dict: Mapping[str, Any],
    names: Sequence[str] | Mapping[str, Any] | None = None,
    *,
    rule: type[Optimizer] | None = None,
    step_count: int | None = None,
) -> dict[str, Any]:
    """Make a state dict for `Optimizer.load_state_dict` of one of a ``torch.optim`` optimizer.

    For SGD, Adagrad, RMSprop, Adam, AdamW, Adadelta, Adamax, NAdam, RAdam and Rprop. The arrays are copies.
    torch is not needed: tensors on the CPU are read as NumPy reads them, those of bfloat16 as float32; arrays
    and numbers will do too.

    Args:
        state_dict: what ``optimizer.state_dict()`` of torch gives: ``{"state": {0: {"step": ...}, ...},
            "param_groups": [{"lr": ..., "params": [0, ...]}, ...]}``.
        names: the path names that the parameters have here, in torch's order; those of an optimizer are
            ``list(opt.state)``. Where torch has no state of a parameter as yet, a mapping of them to arrays
            or tensors, for shapes and dtypes. None: those that torch was given with the parameters,
            ``"param_names"`` in the groups.
        rule: the class, where the dict does not tell it, as those of older versions of torch do not tell
            AdamW from Adam.
        step_count: the number of updates done, by which schedules go. None: the largest that a parameter
            has had. torch's SGD does not count; without any it has 1 if there is momentum already, else 0,
            and a `CheckpointWarning` says so.

    Returns:
        A state dict. Its groups are numbered as torch's. Of hyperparameters it has those that torch has.
        NAdam's ``mu_product`` is left out, as here it follows from the count.

    Raises:
        TypeError: it is no state dict of an optimizer, or a part of it is of the wrong type.
        ValueError: it does not tell its rule; it has what the rule has not; the names are not as many; a
            hyperparameter is out of range; the shape of a parameter is not known.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> theirs = {
        ...     "state": {0: {"step": 3.0, "exp_avg": np.full(2, 0.5), "exp_avg_sq": np.full(2, 0.25)}},
        ...     "param_groups": [
        ...         {"lr": 0.1, "betas": (0.9, 0.99), "amsgrad": False, "decoupled_weight_decay": True,
        ...          "weight_decay": 0.01, "params": [0]}
        ...     ],
        ... }
        >>> opt = gs.AdamW({"w": np.ones(2)}, lr=0.1, beta2=0.99)
        >>> opt.load_state_dict(gs.from_torch_state_dict(theirs, ["w"]))
        {}
        >>> opt.step_count, opt.state["w"]["exp_avg"]
        (3, array([0.5, 0.5]))
    """
    state, groups = parts(state_dict)
    kind, form = told(groups, state) if rule is None else base(rule)
    named = in_order(names, groups)
    found = {i: of_state(f"state[{i!r}]", state.get(i, {}), kind, form) for i in ids(groups)}
    most = max(count for count, _ in found.values())
    if step_count is None:
        step_count = most
        if not form.numbers:
            warnings.warn(
                f"torch's {kind.__name__} does not count its steps; {step_count} is taken for step_count, by "
                "which schedules go, as none is given",
                CheckpointWarning,
                stacklevel=2,
            )
    elif step_count < most:
        raise ValueError(f"step_count must be at least {most}, got {step_count}")
    of_groups, parameters = [], {}
    for number, group in enumerate(groups):
        options = ours(form, group, f"param_groups[{number}]")
        # Which checks them, and knows the switches that torch has not.
        of_one = of_group(kind, kind(**options)._hyperparameters[0], {})
        known = {name: text for name, text in of_one["hyperparameters"].items() if name in options}
        of_groups.append({**of_one, "hyperparameters": known})
        for i in group["params"]:
            name = named[i]
            count, slots = found[i]
            if slots:
                like = next(iter(slots.values()))
            elif isinstance(names, Mapping):
                like = np.zeros_like(array(f"names[{name!r}]", names[name]))
                slots = dict(kind(like, **options).state["0"])
            else:
                raise ValueError(
                    f"state has no arrays of {name!r}, so its shape is not known: give names as a dict of "
                    "arrays"
                )
            # Who does not count has no need of it but to know whether there has been a step.
            count = count if form.numbers or not slots else min(count, 1) * step_count
            parameters[name] = of_parameter(list(like.shape), like.dtype.name, number, count, slots)
    return whole(
        (rule or kind).__name__, kind.rule, step_count=step_count, parameters=parameters, groups=of_groups
    )


def parts(state_dict: Mapping[str, Any]) -> tuple[Mapping[Any, Any], list[Record]]:
    """Check what a dict is made of, and give its two parts."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"state_dict must be a dict, got {type_name(state_dict)}")
    for key, kind in (("state", Mapping), ("param_groups", list)):
        if key not in state_dict:
            raise ValueError(f"state_dict has no {key!r}; torch's has 'state' and 'param_groups'")
        if not isinstance(state_dict[key], kind):
            what = "a dict" if kind is Mapping else "a list"
            raise TypeError(f"state_dict[{key!r}] must be {what}, got {type_name(state_dict[key])}")
    state, groups = state_dict["state"], state_dict["param_groups"]
    for i, group in enumerate(groups):
        if not isinstance(group, Mapping):
            raise TypeError(f"param_groups[{i}] must be a dict, got {type_name(group)}")
        if not isinstance(group.get("params"), list):
            what = type_name(group.get("params"))
            raise TypeError(f"param_groups[{i}]['params'] must be a list, got {what}")
    known = ids(groups)
    if not known:
        raise ValueError("param_groups has no parameters")
    if strange := [i for i in state if i not in known]:
        raise ValueError(f"state has {strange[0]!r}, but param_groups has not")
    for i, of_one in state.items():
        if not isinstance(of_one, Mapping):
            raise TypeError(f"state[{i!r}] must be a dict, got {type_name(of_one)}")
    return state, groups


def ids(groups: list[Record]) -> list[Any]:
    """Give the keys of the parameters, in torch's order."""
    return list(chain.from_iterable(group["params"] for group in groups))


def told(groups: list[Record], state: Mapping[Any, Any]) -> tuple[type[Optimizer], Form]:
    """Find the rule that a dict is of."""
    keys, entries = set(groups[0]), set(chain.from_iterable(state.values()))
    known = set(chain.from_iterable(map(formulas, FORMS.values())))
    fitting = {
        name: form
        for name, form in FORMS.items()
        if form.signs <= keys | entries
        and keys & known <= set(form.keys)
        and entries <= {*form.slots, *form.numbers}
    }
    decoupled = groups[0].get("decoupled_weight_decay")
    if "AdamW" in fitting and decoupled is not None:
        del fitting["Adam" if decoupled else "AdamW"]
    if len(fitting) != 1:
        which = f"it may be {' or '.join(fitting)}" if fitting else f"those known are {', '.join(FORMS)}"
        raise ValueError(f"state_dict does not tell its rule, {which}: give rule=, such as gradstep.AdamW")
    ((name, form),) = fitting.items()
    return getattr(optimizers, name), form


def in_order(names: Sequence[str] | Mapping[str, Any] | None, groups: list[Record]) -> dict[Any, str]:
    """Give the name of each parameter by torch's key."""
    keys = ids(groups)
    if names is None:
        if not all("param_names" in group for group in groups):
            raise ValueError("names must be given, as param_groups has no 'param_names'")
        names = list(chain.from_iterable(group["param_names"] for group in groups))
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError("names must be a list of str, or a dict of arrays by names")
    for what, given in (("param_groups", keys), ("names", names)):
        if twice := [one for one, count in Counter(list(given)).items() if count > 1]:
            raise ValueError(f"{what} has {twice[0]!r} more than once")
    if len(names) != len(keys):
        raise ValueError(f"names has {len(names)} names, but param_groups has {len(keys)} parameters")
    return dict(zip(keys, names, strict=True))


def ours(form: Form, group: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Give the hyperparameters of a group by our names."""
    options: dict[str, Any] = {}
    for key, names in formulas(form).items():
        if key not in group:
            continue
        values = (group[key],) if len(names) == 1 else group[key]
        if not isinstance(values, list | tuple) or len(values) != len(names):
            raise ValueError(f"{label}[{key!r}] must be a pair, got {values!r}")
        options.update(zip(names, values, strict=True))
    return options


def of_state(
    label: str, entry: Mapping[str, Any], kind: type[Optimizer], form: Form
) -> tuple[int, dict[str, Floats]]:
    """Give the count and the arrays of a parameter; nothing of one that has had no step."""
    if strange := [key for key in entry if key not in (*form.slots, *form.numbers)]:
        raise ValueError(f"{label} has {strange[0]!r}, but torch's {kind.__name__} has no such state")
    slots = {
        slot: array(f"{label}[{slot!r}]", a)
        for slot, a in entry.items()
        if slot in form.slots and a is not None
    }
    if "step" not in form.numbers:
        return int(bool(slots)), slots
    if slots and "step" not in entry:
        raise ValueError(f"{label} has no 'step'")
    step = _core.real(f"{label}['step']", entry.get("step", 0))
    if not (step >= 0 and step.is_integer()):
        raise ValueError(f"{label}['step'] must be a whole number ≥ 0, got {step}")
    return int(step), slots


def array(label: str, value: Any) -> Floats:
    """Copy a tensor or an array."""
    if not hasattr(value, "__array__"):
        raise TypeError(f"{label} must be a tensor or an array, got {type_name(value)}")
    # A parameter of torch's is no array before it is detached; one of bfloat16 never is.
    given = value.detach() if hasattr(value, "detach") else value
    is_narrow = str(getattr(given, "dtype", "")) == "torch.bfloat16"
    values: Floats = np.asarray(given.float() if is_narrow else given)
    return values.copy(order="K")
