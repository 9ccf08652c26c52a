"""What stands in the groups of an optimizer: torch's words for hyperparameters, and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import torch

from gradstep.pytorch.forms import FORMS, MANNERS, Form, form, formulas

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from gradstep.types import Rate

    Number: TypeAlias = Rate | torch.Tensor
    """A hyperparameter: a number, a schedule of the step number, or a tensor of one element."""

    Pair: TypeAlias = tuple[Number, Number]
    Triple: TypeAlias = tuple[Number, Number, Number]


class Options(TypedDict, total=False):
    """The options of gradstep that every class takes besides torch's arguments; see `gradstep.Optimizer`.

    Those below the line are of all groups together; a group may have its own of the others. The switches of
    a rule's formula, ``eps_hat=True`` and its like, are taken by those classes whose namesake in gradstep has
    them.
    """

    clip_norm_each: Rate | None
    l1: Rate
    bounds: tuple[float | None, float | None] | None
    ema: Rate | None
    decoupled: bool | Literal["after"] | None
    state_dtype: Literal["bfloat16", "8bit"] | None
    eps_hat: bool
    bias_correction: bool
    first_count: Rate
    momentum_form: Literal["torch", "keras", "average"]
    # ----
    clip_norm: Rate | None
    clip_value: Rate | None
    clip_eps: float
    nonfinite: Literal["raise", "skip", "propagate"] | None
    accumulate: int
    measure: bool
    seed: int


class RootOptions(Options, total=False):
    """Those of a class that has not got this one as an argument."""

    eps_root: Rate


#: The options that belong to no group.
COMMON = ("clip_norm", "clip_value", "clip_eps", "nonfinite", "accumulate", "measure", "seed")

#: Options of gradstep that have no place in a class of torch's kind, and why.
ELSEWHERE = {
    "groups": "param_groups has them",
    "state_dir": "the state is in tensors",
    "copy_to": "half.copy_(p) of each parameter after a step makes copies in bfloat16",
}

#: What torch would do otherwise, and what cannot be done here.
REFUSED = {
    "capturable": "there is no CUDA graph to capture: the step is not torch's",
    "differentiable": "autograd does not see the step",
}

#: What torch has not got, written down as torch would.
OTHERS = {
    "AdaBelief": "lr betas eps eps_root weight_decay maximize",
    "Adan": "lr betas eps eps_root weight_decay maximize",
    "ADOPT": "lr betas eps weight_decay use_clipping maximize",
    "AdEMAMix": "lr betas alpha eps weight_decay maximize",
    "DoG": "lr reps_rel eps weight_decay maximize",
    "LAMB": "lr betas eps weight_decay maximize",
    "LARS": "lr momentum trust_coefficient eps weight_decay nesterov maximize",
    "Lion": "lr betas weight_decay maximize",
    "Prodigy": "lr betas beta3 eps d0 d_coef growth_rate weight_decay safeguard_warmup use_bias_correction "
    "maximize",
    "ScheduleFreeAdamW": "lr betas eps warmup_steps r weight_lr_power weight_decay maximize",
    "ScheduleFreeSGD": "lr momentum warmup_steps r weight_lr_power weight_decay maximize",
    "Yogi": "lr betas eps initial_accumulator_value weight_decay maximize",
}

#: Of these, those whose betas are three.
THREE = ("Adan", "AdEMAMix")


class Words:
    """The words of one class.

    Args:
        name: the class.

    Attributes:
        form: how torch writes it down, or would.
        ours: our names for each key of a group that decides on the result.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.form: Form = FORMS[name] if name in FORMS else form(OTHERS[name], "", "")
        self.ours = formulas(self.form)
        if name in THREE:
            self.ours["betas"] = ("beta1", "beta2", "beta3")

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers in the state of a parameter."""
        return self.form.numbers

    def instead(self, name: str) -> str | None:
        """Say where a hyperparameter is that torch has in a pair with others."""
        pairs = (key for key, ours in self.ours.items() if name in ours and len(ours) > 1)
        return next((f"it is in {key}" for key in pairs), None)

    def ordered(self, slots: dict[str, Any]) -> dict[str, Any]:
        """Put the state of a parameter into torch's order."""
        return {slot: slots[slot] for slot in (*self.form.slots, *slots) if slot in slots}

    def read(self, label: str, group: dict[str, Any], besides: tuple[str, ...]) -> dict[str, Any]:
        """Give the hyperparameters of a group by our names, and those ``besides`` that it has, too.

        Raises:
            TypeError, ValueError: a value makes no sense, or asks for what is not done.
        """
        self.check_manners(label, group)
        options: dict[str, Any] = {}
        for key in self.ours:
            options |= self.values(label, group, key)
        return options | {name: group[name] for name in besides if name in group and name not in self.ours}

    def read_again(self, label: str, group: dict[str, Any], keys: list[str]) -> dict[str, Any]:
        """Give those of these keys alone."""
        options: dict[str, Any] = {}
        for key in keys:
            if key in MANNERS:
                self.check_manners(label, group)
            elif key in self.ours:
                options |= self.values(label, group, key)
            else:
                options[key] = group[key]
        return options

    def values(self, label: str, group: dict[str, Any], key: str) -> dict[str, Any]:
        """Give what stands under a key of torch's by our names."""
        if key not in group:
            raise KeyError(f"{label} has no {key!r}")
        names, value = self.ours[key], group[key]
        if len(names) == 1:
            return {names[0]: number(label, key, value)}
        if not isinstance(value, tuple | list) or len(value) != len(names):
            raise ValueError(f"{label}[{key!r}] must be {len(names)} numbers, got {value!r}")
        return {name: number(label, key, part) for name, part in zip(names, value, strict=True)}

    def check_manners(self, label: str, group: dict[str, Any]) -> None:
        """Refuse what cannot be done here."""
        for key, why in REFUSED.items():
            if group.get(key):
                raise ValueError(f"{label}[{key!r}] must be False: {why}")

    def keys(self, group: dict[str, Any], besides: tuple[str, ...]) -> tuple[str, ...]:
        """Name what has to stay as it is in a group for the hyperparameters to be those that were read."""
        known = (*self.ours, *MANNERS, *besides)
        return tuple(dict.fromkeys(key for key in known if key in group))


def number(label: str, key: str, value: Any) -> Any:
    """Give what a tensor of one element holds; anything else as it is."""
    if type(value) is float or not isinstance(value, torch.Tensor):
        return value
    if value.numel() != 1:
        raise ValueError(f"{label}[{key!r}] must be a number, got a tensor of shape {tuple(value.shape)}")
    return value.detach().item()
