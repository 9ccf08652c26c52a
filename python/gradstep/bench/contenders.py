"""Who takes the step: gradstep, NumPy, and torch and numba where they are installed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata, util
from typing import Any, TypeAlias

import numpy as np

import gradstep as gs
from gradstep.bench import hypers, in_place, textbook
from gradstep.bench.rules import Rule
from gradstep.bench.workloads import WORKLOADS, Floats

Step: TypeAlias = Callable[[], object]
Make: TypeAlias = Callable[[list[Floats], list[Floats]], Step]
"""From parameters and gradients, always the same arrays, to a call that takes one step."""

OWN = "gradstep"
TITLES = {
    OWN: "gradstep",
    "numpy": "NumPy, textbook",
    "numpy-out": "NumPy, in place",
    "torch": "torch, loop",
    "torch-foreach": "torch, foreach",
    "torch-fused": "torch, fused",
    "numba": "numba",
    "numba-parallel": "numba ∥",
    "numba-unchecked": "numba unchecked",
    "numba-unchecked-parallel": "numba unchecked ∥",
    "numba-fastmath": "numba fastmath",
    "numba-fastmath-parallel": "numba fastmath ∥",
}
NOTES = {
    "numba": 'numba ∥: parallel=True; unchecked: error_model="numpy"; fastmath: with that, fastmath=True',
}
"""What explains the titles, by the package."""
PACKAGES = ("torch", "numba")
"""What contenders need beyond NumPy; a contender's key begins with it."""

CHECKED_SCALES = (1.0, 1e-3, 0.3)
"""What the gradients are multiplied by in the steps of `check`: clipping must act on some, not on all."""
TOLERANCE = 2e-6
"""The largest difference in a parameter of size 1 after those steps: some ulps of float32."""


@dataclass(frozen=True)
class Contender:
    """An implementation.

    Attributes:
        key: its name on the command line.
        steps: by the rule's key; what it does not have is left out.
    """

    key: str
    steps: Mapping[str, Make]

    @property
    def title(self) -> str:
        """Its name in the report."""
        return TITLES[self.key]


class DisagreementError(RuntimeError):
    """A contender that does not compute what gradstep computes."""


@cache
def installed() -> dict[str, Contender]:
    """List the contenders that can run here, gradstep first."""
    return {contender.key: contender for contender in _installed()}


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported, without importing it."""
    return util.find_spec(package) is not None


def _installed() -> Iterator[Contender]:
    yield Contender(OWN, OWN_STEPS)
    yield Contender("numpy", TEXTBOOK_STEPS)
    yield Contender("numpy-out", IN_PLACE_STEPS)
    if is_installed("torch"):
        from gradstep.bench import pytorch

        yield Contender("torch", pytorch.steps("loop"))
        yield Contender("torch-foreach", pytorch.steps("foreach"))
        yield Contender("torch-fused", pytorch.steps("fused"))
    if is_installed("numba"):
        from gradstep.bench import compiled

        forms: dict[str, dict[str, Any]] = {
            "numba": {},
            "numba-unchecked": {"error_model": "numpy"},
            "numba-fastmath": {"error_model": "numpy", "fastmath": True},
        }
        for key, options in forms.items():
            yield Contender(key, compiled.steps(parallel=False, **options))
            yield Contender(f"{key}-parallel", compiled.steps(parallel=True, **options))


def versions() -> dict[str, str]:
    """Name the installed packages' versions."""
    found = {OWN: gs.__version__, "numpy": np.__version__}
    return found | {name: metadata.version(name) for name in PACKAGES if is_installed(name)}


def check(rule: Rule, contenders: Mapping[str, Contender]) -> None:
    """Let every contender take three steps from the same parameters, and compare with gradstep.

    Raises:
        DisagreementError: if a parameter differs by more than rounding explains.
    """
    workload = WORKLOADS["policy"]
    expected = _steps_taken(rule, installed()[OWN])
    for contender in contenders.values():
        if rule.key not in contender.steps:
            continue
        for tensor, (ours, theirs) in enumerate(zip(expected, _steps_taken(rule, contender), strict=True)):
            difference = float(np.max(np.abs(ours - theirs)))
            if not difference <= TOLERANCE:
                raise DisagreementError(
                    f"{contender.title} is not the same {rule.title}: tensor {tensor} "
                    f"{workload.shapes[tensor]} differs by {difference:.1e} after {len(CHECKED_SCALES)} "
                    f"steps, and {TOLERANCE:.0e} is allowed"
                )


def _steps_taken(rule: Rule, contender: Contender) -> list[Floats]:
    workload = WORKLOADS["policy"]
    params, drawn = workload.draw(1), workload.draw(2)
    grads = [np.empty_like(g) for g in drawn]
    step = contender.steps[rule.key](params, grads)
    for scale in CHECKED_SCALES:
        for g, fresh in zip(grads, drawn, strict=True):
            np.multiply(fresh, scale, out=g)
        step()
    return params


def _own(optimizer: Callable[..., gs.Optimizer], **options: float) -> Make:
    return lambda params, grads: partial(optimizer(params, lr=hypers.LR, **options).step, grads)


def _numpy(optimizer: Callable[..., textbook.Textbook], **options: float) -> Make:
    return lambda params, grads: partial(optimizer(params, **options).step, grads, hypers.LR)


def _clipped_textbook(params: list[Floats], grads: list[Floats]) -> Step:
    opt = textbook.Adam(params, **ADAM)
    return lambda: opt.step(textbook.clip_norm(grads, hypers.MAX_NORM), hypers.LR)


def _clipped_in_place(params: list[Floats], grads: list[Floats]) -> Step:
    opt = in_place.Adam(params, **ADAM)

    def step() -> None:
        in_place.clip_norm(grads, hypers.MAX_NORM)
        opt.step(grads, hypers.LR)

    return step


ADAM = {"beta1": hypers.BETA1, "beta2": hypers.BETA2, "eps": hypers.EPS}
OWN_STEPS = {
    "sgd": _own(gs.SGD),
    "momentum": _own(gs.SGD, momentum=hypers.MOMENTUM),
    "adagrad": _own(gs.Adagrad, eps=hypers.ADAGRAD_EPS),
    "rmsprop": _own(gs.RMSprop, alpha=hypers.ALPHA, eps=hypers.EPS),
    "adam": _own(gs.Adam, **ADAM),
    "adamw": _own(gs.AdamW, **ADAM, weight_decay=hypers.WEIGHT_DECAY),
    "adam-clip": _own(gs.Adam, **ADAM, clip_norm=hypers.MAX_NORM),
}
TEXTBOOK_STEPS = {
    "sgd": _numpy(textbook.SGD),
    "momentum": _numpy(textbook.Momentum, momentum=hypers.MOMENTUM),
    "adagrad": _numpy(textbook.Adagrad, eps=hypers.ADAGRAD_EPS),
    "rmsprop": _numpy(textbook.RMSprop, alpha=hypers.ALPHA, eps=hypers.EPS),
    "adam": _numpy(textbook.Adam, **ADAM),
    "adamw": _numpy(textbook.AdamW, weight_decay=hypers.WEIGHT_DECAY),
    "adam-clip": _clipped_textbook,
}
IN_PLACE_STEPS = {
    "sgd": _numpy(in_place.SGD),
    "momentum": _numpy(in_place.Momentum, momentum=hypers.MOMENTUM),
    "adagrad": _numpy(in_place.Adagrad, eps=hypers.ADAGRAD_EPS),
    "rmsprop": _numpy(in_place.RMSprop, alpha=hypers.ALPHA, eps=hypers.EPS),
    "adam": _numpy(in_place.Adam, **ADAM),
    "adamw": _numpy(in_place.AdamW, **ADAM, weight_decay=hypers.WEIGHT_DECAY),
    "adam-clip": _clipped_in_place,
}
