"""The rules as other libraries compute them: their formulas and defaults, as options of ours.

As of the versions that docs/variants.md names; `make parity` compares. What is not said here is as in the
class.
"""

from __future__ import annotations

from typing import Any

#: Where ε stands inside the root.
INSIDE = "eps_root"

#: Keras has the rate inside the momentum, no coupled decay, and no ε beside a norm.
_KERAS = {"decoupled": True, "clip_eps": 0.0}
_FLOWER = {"maximize": True, "eps_hat": True}
_THINC = {"decoupled": "after", "clip_norm_each": 1.0, "clip_eps": 0.0}

DIALECTS: dict[str, dict[str, dict[str, Any]]] = {
    "torch": {
        name: {}
        for name in (
            *("SGD", "Adagrad", "RMSprop", "Adam", "AdamW"),
            *("Adadelta", "Adamax", "NAdam", "RAdam", "Rprop"),
        )
    },
    "keras": {
        "SGD": {"lr": 0.01, "momentum_form": "keras"} | _KERAS,
        "Adagrad": {"lr": 1e-3, "initial_accumulator_value": 0.1, "eps": 0.0, INSIDE: 1e-7} | _KERAS,
        "RMSprop": {"lr": 1e-3, "alpha": 0.9, "eps": 0.0, INSIDE: 1e-7, "momentum_form": "keras"} | _KERAS,
        "Adam": {"lr": 1e-3, "eps": 1e-7, "eps_hat": True} | _KERAS,
        "AdamW": {"lr": 1e-3, "eps": 1e-7, "eps_hat": True, "weight_decay": 4e-3} | _KERAS,
        "Adadelta": {"lr": 1e-3, "rho": 0.95, "eps": 1e-7} | _KERAS,
        "Adamax": {"lr": 1e-3, "eps": 1e-7, "eps_hat": True} | _KERAS,
        "NAdam": {"lr": 1e-3, "eps": 1e-7, "momentum_decay": 1.0} | _KERAS,
        "Lion": {"lr": 1e-3} | _KERAS,
    },
    "optax": {
        "SGD": {"clip_eps": 0.0},
        "Adagrad": {"initial_accumulator_value": 0.1, "eps": 0.0, INSIDE: 1e-7, "clip_eps": 0.0},
        "RMSprop": {"alpha": 0.9, "eps": 0.0, INSIDE: 1e-8, "momentum_form": "keras", "clip_eps": 0.0},
        "Adam": {"clip_eps": 0.0},
        "AdamW": {"weight_decay": 1e-4, "clip_eps": 0.0},
        "Adadelta": {"rho": 0.9, "eps": 1e-6, "clip_eps": 0.0},
        "Adamax": {"clip_eps": 0.0},
        # Its momentum does not grow: 0.96^ψ is nothing.
        "NAdam": {"momentum_decay": 1e4, "clip_eps": 0.0},
        "RAdam": {"eps_hat": False, "clip_eps": 0.0},
        "Lion": {"weight_decay": 1e-3, "clip_eps": 0.0},
        **{
            name: {"clip_eps": 0.0}
            for name in ("AdaBelief", "Yogi", "Adan", "ADOPT", "AdEMAMix", "LAMB", "LARS", "DoG")
        },
    },
    "mlx": {
        "SGD": {},
        "Adagrad": {"eps": 1e-8},
        "RMSprop": {},
        "Adam": {"bias_correction": False},
        "AdamW": {"bias_correction": False},
        "Adadelta": {},
        "Adamax": {"bias_correction": False, "eps_hat": True},
        "Lion": {},
    },
    "sklearn": {
        "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "momentum_form": "keras"},
        "Adam": {"eps_hat": True},
    },
    "autograd": {
        "SGD": {"lr": 0.1, "momentum": 0.9, "momentum_form": "average"},
        "RMSprop": {"lr": 0.1, "alpha": 0.9, "initial_accumulator_value": 1.0},
        "Adam": {},
    },
    "thinc": {
        "SGD": _THINC,
        "Adam": {"eps_hat": True} | _THINC,
    },
    "flower": {
        "SGD": {"lr": 1.0},
        "Adagrad": {"lr": 0.1, "eps": 1e-3, "maximize": True},
        "Adam": {"lr": 0.1, "beta2": 0.99, "eps": 1e-3, "first_count": 2.0} | _FLOWER,
        "Yogi": {
            "lr": 0.01,
            "beta2": 0.99,
            "eps": 1e-3,
            "bias_correction": False,
            "initial_accumulator_value": 0.0,
            "maximize": True,
        },
    },
    "pennylane": {
        "SGD": {"lr": 0.01, "momentum_form": "keras"},
        "Adagrad": {"lr": 0.01, "eps": 0.0, INSIDE: 1e-8},
        "RMSprop": {"lr": 0.01, "alpha": 0.9, "eps": 0.0, INSIDE: 1e-8},
        "Adam": {"lr": 0.01, "beta2": 0.99, "eps_hat": True},
    },
    "openai_es": {
        "SGD": {"momentum": 0.9, "momentum_form": "average"},
        "Adam": {"eps_hat": True},
    },
}


def dialect(name: str, library: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Give the options that make the class of that name compute what a library does."""
    libraries = [library for library, rules in DIALECTS.items() if name in rules]
    if library not in DIALECTS:
        raise ValueError(f"library must be one of {_listed(DIALECTS)}, got {library!r}")
    if library not in libraries:
        who = f"those that have it are {_listed(libraries)}" if libraries else "none of those known has it"
        raise ValueError(f"there is no {name} like {library!r}; {who}")
    options = dict(DIALECTS[library][name])
    if INSIDE in options and "eps" in overrides:
        if INSIDE in overrides:
            raise ValueError(f"eps and {INSIDE} are one number of {library!r}, but both are given")
        # The library's one ε.
        overrides = {INSIDE if option == "eps" else option: value for option, value in overrides.items()}
    if library == "optax" and overrides.get("amsgrad") is True:
        overrides = overrides | {"amsgrad": "corrected"}
    return options | overrides


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
