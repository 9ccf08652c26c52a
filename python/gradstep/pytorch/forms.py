"""What stands in the state dicts of torch's optimizers: the one table for both ways."""

from __future__ import annotations

from typing import Any, NamedTuple

from gradstep import optimizers
from gradstep.optimizers import Optimizer


class Form(NamedTuple):
    """How torch writes down an optimizer of the class that has the same name here."""

    #: The keys of a group, in torch's order.
    keys: tuple[str, ...]
    #: The arrays of a parameter, which have the same names here.
    slots: tuple[str, ...]
    #: Keys of groups or arrays by which it is known.
    signs: frozenset[str]
    #: The numbers of a parameter.
    numbers: tuple[str, ...] = ("step",)


def form(keys: str, slots: str, signs: str, **others: Any) -> Form:
    """Make a form of words."""
    return Form(tuple(keys.split()), tuple(slots.split()), frozenset(signs.split()), **others)


_ADAM = form(
    "lr betas eps weight_decay amsgrad maximize foreach capturable differentiable fused "
    "decoupled_weight_decay",
    "exp_avg exp_avg_sq max_exp_avg_sq",
    "betas amsgrad",
)

FORMS = {
    "SGD": form(
        "lr momentum dampening weight_decay nesterov maximize foreach differentiable fused",
        "momentum_buffer",
        "dampening",
        numbers=(),
    ),
    "Adagrad": form(
        "lr lr_decay eps weight_decay initial_accumulator_value foreach maximize differentiable fused",
        "sum",
        "lr_decay",
    ),
    "RMSprop": form(
        "lr momentum alpha eps centered weight_decay capturable foreach maximize differentiable",
        "square_avg momentum_buffer grad_avg",
        "alpha centered",
    ),
    "Adam": _ADAM,
    "AdamW": _ADAM,
    "Adadelta": form(
        "lr rho eps weight_decay maximize capturable foreach differentiable", "square_avg acc_delta", "rho"
    ),
    "Adamax": form(
        "lr betas eps weight_decay foreach maximize differentiable capturable",
        "exp_avg exp_inf",
        "betas exp_inf",
    ),
    "NAdam": form(
        "lr betas eps weight_decay momentum_decay decoupled_weight_decay maximize foreach capturable "
        "differentiable",
        "exp_avg exp_avg_sq",
        "momentum_decay",
        numbers=("step", "mu_product"),
    ),
    "RAdam": form(
        "lr betas eps weight_decay maximize foreach capturable decoupled_weight_decay differentiable",
        "exp_avg exp_avg_sq",
        "betas decoupled_weight_decay",
    ),
    "Rprop": form(
        "lr etas step_sizes foreach maximize differentiable capturable", "prev step_size", "etas step_sizes"
    ),
}

#: How torch goes about it, which changes no result: its defaults.
MANNERS = {"foreach": None, "capturable": False, "differentiable": False, "fused": None}

#: Our names for torch's keys, where they differ.
NAMES = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
    "decoupled_weight_decay": ("decoupled",),
}


def formulas(form: Form) -> dict[str, tuple[str, ...]]:
    """Give the keys that decide on the result, with our names for them."""
    return {key: NAMES.get(key, (key,)) for key in form.keys if key not in MANNERS}


def base(rule: type[Optimizer]) -> tuple[type[Optimizer], Form]:
    """Find the class that torch has too, of which this is one.

    Raises:
        TypeError: it is no class of optimizers.
        ValueError: torch has none.
    """
    if not (isinstance(rule, type) and issubclass(rule, Optimizer)):
        what = rule.__name__ if isinstance(rule, type) else type(rule).__name__
        raise TypeError(f"rule must be a class of optimizers, such as gradstep.Adam, got {what}")
    for kind in rule.__mro__:
        if kind.__name__ in FORMS and kind is getattr(optimizers, kind.__name__):
            return kind, FORMS[kind.__name__]
    raise ValueError(f"torch has no {rule.__name__}; both have {', '.join(FORMS)}")
