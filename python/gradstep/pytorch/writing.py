"""State dicts made into those of torch's optimizers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.checkpoints import CheckpointWarning, narrow
from gradstep.optimizers import Optimizer
from gradstep.pytorch.forms import MANNERS, Form, base, formulas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradstep.checkpoints.records import Record
    from gradstep.types import Floats

#: What torch has elsewhere, or not at all, but what is no part of a rule.
AROUND = (
    "l1",
    "bounds",
    "ema",
    "clip_norm",
    "clip_norm_each",
    "clip_value",
    "nonfinite",
    "accumulate",
    "state_dtype",
)

#: What changes no later step by itself.
IDLE = ("initial_accumulator_value", "clip_eps", "measure", "seed")


def to_torch_state_dict(
    optimizer: Optimizer,
    names: Sequence[str] | None = None,
    *,
    tensor: Callable[[Floats], Any] | None = None,
) -> dict[str, Any]:
    """Make a state dict as ``load_state_dict`` of the ``torch.optim`` optimizer of the same name takes it.

    For the classes of `from_torch_state_dict`. State in fewer bits is written as float32. torch wants
    tensors: ``theirs.load_state_dict(gs.to_torch_state_dict(opt, tensor=torch.from_numpy))``.

    Args:
        optimizer: it has made any number of steps.
        names: the path names in the order of torch's parameters; groups stay in their order. None: as here,
            ``list(optimizer.state)``.
        tensor: what is made of each array, ``"step"`` included. None: the arrays, which are copies.

    Returns:
        ``{"state": {0: {"step": ..., ...}, ...}, "param_groups": [...]}``. Hyperparameters are those of the
        next step; schedules have no place in it. ``"param_names"`` has the names here.

    Warns:
        CheckpointWarning: of options, averages and frozen parameters that torch's dict has no place for.

    Raises:
        TypeError: it is no optimizer.
        ValueError: torch has not got its rule or a switch of its formula; gradients wait for their update;
            the names are not those of its parameters.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> opt = gs.Adam({"w": np.ones(2)}, lr=0.5)
        >>> opt.step({"w": np.ones(2)})
        True
        >>> theirs = gs.to_torch_state_dict(opt)
        >>> theirs["state"][0]["step"], theirs["state"][0]["exp_avg"]
        (array(1., dtype=float32), array([0.1, 0.1]))
        >>> theirs["param_groups"][0]["betas"]
        (0.9, 0.999)
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an optimizer of gradstep, got {type(optimizer).__name__}")
    kind, form = base(type(optimizer))
    saved = optimizer.state_dict()
    if count := saved["window"]["count"]:
        raise ValueError(f"{count} gradients wait for their update, for which torch's dict has no place")
    defaults = kind()._hyperparameters[0]
    if unknown := [*strange(optimizer, form, defaults)]:
        raise ValueError(f"torch's {kind.__name__} has no {', no '.join(unknown)}")
    if left := [*left_behind(optimizer, defaults)]:
        warnings.warn(f"not in torch's dict: {', '.join(left)}", CheckpointWarning, stacklevel=2)
    parameters = saved["parameters"]
    ordered = list(parameters if names is None else names)
    if sorted(ordered) != sorted(parameters):
        raise ValueError(f"names has {ordered}, but the parameters are {list(parameters)}")
    state: Record = {}
    groups: list[Record] = []
    for number in range(len(saved["groups"])):
        mine = [name for name in ordered if parameters[name]["group"] == number]
        first = sum(len(group["params"]) for group in groups)
        group = of_group(optimizer, form, number)
        group |= {"params": list(range(first, first + len(mine))), "param_names": mine}
        groups.append(group)
        for i, name in zip(group["params"], mine, strict=True):
            state[i] = of_parameter(parameters[name], form, group, tensor or np.asarray)
    # torch has no entry where it has no state.
    return {"state": {i: of_one for i, of_one in state.items() if of_one}, "param_groups": groups}


def strange(optimizer: Optimizer, form: Form, defaults: Record) -> Iterator[str]:
    """Describe what torch's class cannot be told."""
    said = {name for names in formulas(form).values() for name in names}
    for group in optimizer.hyperparameters:
        for name, value in group.items():
            if name in said:
                # Where there is a choice of words, torch has yes and no.
                if isinstance(value, str):
                    yield f"{name}={value!r}"
            elif name not in (*AROUND, *IDLE) and value != defaults[name]:
                yield f"{name}={value!r}"


def left_behind(optimizer: Optimizer, defaults: Record) -> Iterator[str]:
    """Describe what is no part of the rule, and what is frozen."""
    for group in optimizer.hyperparameters:
        for name in AROUND:
            if name in group and group[name] != defaults[name]:
                yield f"{name}={group[name]!r}"
    if optimizer.frozen:
        yield f"that {', '.join(optimizer.frozen)} {'is' if len(optimizer.frozen) == 1 else 'are'} frozen"


def of_group(optimizer: Optimizer, form: Form, number: int) -> Record:
    """Give the hyperparameters of a group by torch's names."""
    several, names = len(optimizer.hyperparameters) > 1, formulas(form)
    group: Record = {}
    for key in form.keys:
        if key in MANNERS:
            group[key] = MANNERS[key]
            continue
        values = [getattr(optimizer, name) for name in names[key]]
        pair = tuple(value[number] if several else value for value in values)
        group[key] = pair if len(pair) > 1 else pair[0]
    return group


def of_parameter(of_one: Record, form: Form, group: Record, tensor: Callable[[Floats], Any]) -> Record:
    """Give the state of a parameter: nothing where torch keeps none."""
    count, slots = of_one["count"], narrow.decoded(of_one["slots"])
    numbers: Record = {}
    if "step" in form.numbers:
        # As torch has it; beyond 2²⁴ float32 does not know every number.
        numbers["step"] = tensor(np.array(count, np.float32 if count <= 2**24 else np.float64))
    if "mu_product" in form.numbers:
        numbers["mu_product"] = tensor(np.array(momentum_product(count, group)))
    first = not form.numbers and count == 0
    return numbers | {slot: None if first else tensor(slots[slot]) for slot in form.slots if slot in slots}


def momentum_product(count: int, group: Record) -> float:
    """Multiply NAdam's momenta of all updates so far, as torch does."""
    product, beta, decay = 1.0, group["betas"][0], group["momentum_decay"]
    for t in range(1, count + 1):
        product *= beta * (1.0 - 0.5 * 0.96 ** (t * decay))
        # From here on nothing changes it.
        if product == 0.0:
            break
    return product
