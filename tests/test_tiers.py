"""The bits of the oracle on every SIMD tier that the machine has, at any number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradstep as gs
import reference
from bits import Array, assert_same_bits, assert_same_state
from drawings import OPTIMIZERS, at, defaults
from processes import printed, run
from reference import CHUNK

TIERS = gs._core.simd_tiers()
STEPS = 3

#: Each hyperparameter that is neutral by default, at a value that is not; and what else an option needs.
LOUD: dict[str, Any] = {
    "momentum": 0.9,
    "dampening": 0.25,
    "lr_decay": 0.5,
    "initial_accumulator_value": 0.1,
    "reps_rel": 1.0,
    "momentum_form": "keras",
    "difference_form": "paper",
    "eps_root": 1e-3,
    "first_count": 2.0,
    "bias_correction": False,
}
NEEDED: dict[str, dict[str, Any]] = {"nesterov": {"momentum": 0.9}, "dampening": {"momentum": 0.9}}

#: What goes on around a rule.
AROUND: dict[str, dict[str, Any]] = {
    "nothing": {"weight_decay": 0.0},
    "weight_decay": {"weight_decay": 0.05},
    "clip_value": {"weight_decay": 0.0, "clip_value": 0.75},
    "clip_norm": {"weight_decay": 0.0, "clip_norm": 25.0},
    "all": {"weight_decay": 0.05, "clip_value": 0.05, "clip_norm": 25.0},
}

#: More than a block with a rest that fills no register; less than a register; a matrix for the memory orders.
SMALL = {"long": (1117,), "short": (3,), "matrix": (37, 21)}
#: Cut into several chunks, on and beside their boundaries, and more than one thread's work in all.
LARGE = {
    "whole": (2 * CHUNK,),
    "odd": (CHUNK + 7,),
    "less": (CHUNK - 1,),
    "matrix": (257, 129),
    "empty": (0, 5),
}

#: In which dtype and order gradients come, seen from their parameters; or with some that are not finite.
GRADIENTS = ["same", "other dtype", "other order", "other dtype and order"]
NOT_FINITE = "not finite"


class Case(NamedTuple):
    """What is compared on every tier."""

    name: str
    variant: str
    around: str
    gradients: str
    large: bool = False


def variants(name: str) -> dict[str, dict[str, Any]]:
    """A rule as it is, with each of its options by itself, and with all that go together."""
    own = defaults(OPTIMIZERS[name])
    loud = {key: LOUD.get(key, True) for key, value in own.items() if key in LOUD or value is False}
    single = {key: {key: value} | NEEDED.get(key, {}) for key, value in loud.items()}
    together = {key: value for options in single.values() for key, value in options.items()}
    if together.get("nesterov"):
        together["dampening"] = 0.0
    return {"plain": {}} | single | ({"together": together} if len(single) > 1 else {})


CASES = [
    Case(name, variant, around, gradients)
    for name in OPTIMIZERS
    for variant in variants(name)
    for around, limits in AROUND.items()
    for gradients in [*GRADIENTS, *([NOT_FINITE] if "clip_norm" not in limits else [])]
] + [
    Case(name, variant, around, gradients, large=True)
    for name in OPTIMIZERS
    for variant, around, gradients in [
        ("plain", "nothing", "same"),
        (list(variants(name))[-1], "all", "other dtype and order"),
    ]
]


def options(case: Case) -> dict[str, Any]:
    given = defaults(OPTIMIZERS[case.name]) | variants(case.name)[case.variant] | AROUND[case.around]
    return given | {"lr": gs.schedules.Cosine(0.1, STEPS)}


def model(case: Case) -> dict[str, Array]:
    """Each shape in both dtypes."""
    random = np.random.default_rng(4)
    shapes = LARGE if case.large else SMALL
    return {
        f"{key} {dtype}": random.normal(size=shape).astype(dtype)
        for key, shape in shapes.items()
        for dtype in ("float32", "float64")
    }


@cache
def gradients(how: str, large: bool) -> list[dict[str, Array]]:
    random = np.random.default_rng(5)
    other = {"float32": "float64", "float64": "float32"}

    def one(p: Array) -> Array:
        g = random.normal(size=p.shape).astype(other[p.dtype.name] if "dtype" in how else p.dtype)
        g[random.random(p.shape) < 0.1] = -0.0
        if how == NOT_FINITE:
            g[random.random(p.shape) < 0.1] = random.choice([np.inf, -np.inf, np.nan])
        return np.asarray(g, order="F" if "order" in how else "C")

    params = model(Case("", "", "", "", large))
    return [{key: one(p) for key, p in params.items()} for _ in range(STEPS)]


class Run(NamedTuple):
    """What the steps of a case leave."""

    params: dict[str, Array]
    states: dict[str, reference.State]
    norms: list[float | None]


@cache
def of_the_oracle(case: Case) -> Run:
    params, given = model(case), options(case)
    states: dict[str, reference.State] = {key: {} for key in params}
    memory: reference.Memory = {}
    norms: list[float | None] = []
    for t, grads in enumerate(gradients(case.gradients, case.large)):
        rounded = [np.asarray(grads[key], p.dtype, order="C") for key, p in params.items()]
        norms.append(reference.global_norm(rounded) if "clip_norm" in given else None)
        with np.errstate(all="ignore"):
            now = at(given, t)
            params, states, memory = reference.step(case.name, params, grads, states, memory, t, **now)
    return Run(params, states, norms)


def compare(case: Case) -> None:
    params, want = model(case), of_the_oracle(case)
    opt = OPTIMIZERS[case.name](params, **options(case))
    for grads, norm in zip(gradients(case.gradients, case.large), want.norms, strict=True):
        opt.step(grads)
        assert opt.grad_norm == norm
    for key, p in params.items():
        assert_same_bits(p, want.params[key], key)
    assert_same_state(opt.state, want.states)


@pytest.fixture(autouse=True)
def the_tier_in_force() -> Iterator[None]:
    """The tests leave it as it was."""
    before = gs._core.simd_tier()
    yield
    gs._core.set_simd_tier(before)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{'-'.join(case[:4])}{'-large' * case.large}")
def test_the_bits_of_the_oracle(case: Case, tier: str) -> None:
    gs._core.set_simd_tier(tier)
    for threads in (1, 2, 3) if case.large else (1,):
        with gs.num_threads(threads):
            compare(case)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_hyperparameter_is_tried(name: str) -> None:
    """Those of the defaults, and each that is neutral by default at another value."""
    tried = {key for options in variants(name).values() for key in options}
    neutral = {key for key, value in defaults(OPTIMIZERS[name]).items() if not value} - {"weight_decay"}
    assert neutral <= tried


@pytest.mark.parametrize("gradients_", GRADIENTS)
def test_the_clips_take_effect(gradients_: str) -> None:
    """Else the cases above would not test them."""
    for large in (False, True):
        params = model(Case("", "", "", "", large))
        for grads in gradients(gradients_, large):
            norm = reference.global_norm([np.asarray(grads[key], p.dtype) for key, p in params.items()])
            largest = max(np.abs(g).max(initial=0) for g in grads.values())
            for around in AROUND.values():
                scale = min(1.0, around.get("clip_norm", np.inf) / norm)
                assert scale < 1 or "clip_norm" not in around
                assert largest * scale > around.get("clip_value", 0)


def test_a_norm_that_only_a_schedule_wants() -> None:
    grads = gradients("other order", False)[0]
    rounded = [np.asarray(g, order="C") for g in grads.values()]
    for tier in TIERS:
        gs._core.set_simd_tier(tier)
        rate = gs.feedback.GradNormScaled(gs.schedules.Constant(0.1), beta=0.5)
        opt = gs.SGD(model(Case("", "", "", "")), lr=rate)
        opt.step(grads)
        assert opt.grad_norm == reference.global_norm(rounded)


@pytest.mark.parametrize("tier", TIERS)
def test_the_variable_chooses_the_tier(tier: str) -> None:
    assert printed("import gradstep; print(gradstep._core.simd_tier())", GRADSTEP_SIMD=tier) == tier


@pytest.mark.parametrize("bad", ["mmx", "AVX2", "0"])
def test_an_unknown_tier_is_an_error_at_import(bad: str) -> None:
    done = run("-c", "import gradstep", GRADSTEP_SIMD=bad)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == f"ValueError: GRADSTEP_SIMD must be one of {', '.join(TIERS)} on this machine, got '{bad}'"


def test_an_empty_variable_is_no_choice() -> None:
    done = run("-c", "import gradstep; print(gradstep._core.simd_tier())", GRADSTEP_SIMD="")
    assert done.stdout.strip() == TIERS[-1]
