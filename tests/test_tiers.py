"""The same bits on every SIMD tier and any number of threads, and those of the oracle."""

from __future__ import annotations

import json

import numpy as np
import pytest

import gradstep as gs
import reference
import steps_digest
from bits import digest
from drawings import OPTIMIZERS, at, defaults
from processes import HERE, run

TIERS = gs._core.simd_tiers()


def of_the_oracle(name: str) -> str:
    params = steps_digest.model()
    options = defaults(OPTIMIZERS[name]) | steps_digest.options(name)
    states: dict[str, reference.State] = {key: {} for key in params}
    memory: reference.Memory = {}
    for t, grads in enumerate(steps_digest.gradients()):
        rounded = [np.asarray(grads[key], p.dtype, order="C") for key, p in params.items()]
        norm = reference.global_norm(rounded)
        params, states, memory = reference.step(name, params, grads, states, memory, t, **at(options, t))
    # The slots in the order that the class has them.
    slots = OPTIMIZERS[name](steps_digest.model(), **steps_digest.options(name)).state
    state = [states[key][slot] for key in slots for slot in slots[key]]
    return digest([*params.values(), *state, np.array(norm)])


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    return {f"{name} on {threads}": of_the_oracle(name) for name in OPTIMIZERS for threads in (1, 2, 3)}


@pytest.mark.parametrize("tier", TIERS)
def test_the_bits_of_the_oracle(tier: str, expected: dict[str, str]) -> None:
    done = run(str(HERE / "steps_digest.py"), GRADSTEP_SIMD=tier)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["tier"] == tier
    assert found["digests"] == expected


def test_the_clips_take_effect() -> None:
    """Else the digests above would not test them."""
    params, grads = steps_digest.model(), steps_digest.gradients()[0]
    opt = gs.SGD(params, clip_norm=steps_digest.OPTIONS["clip_norm"])
    opt.step(grads)
    assert opt.grad_norm is not None
    assert opt.grad_norm > steps_digest.OPTIONS["clip_norm"]
    scale = steps_digest.OPTIONS["clip_norm"] / opt.grad_norm
    assert max(np.abs(g).max(initial=0) for g in grads.values()) * scale > steps_digest.OPTIONS["clip_value"]


@pytest.mark.parametrize("bad", ["mmx", "AVX2", "0"])
def test_an_unknown_tier_is_an_error_at_import(bad: str) -> None:
    done = run("-c", "import gradstep", GRADSTEP_SIMD=bad)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == f"ValueError: GRADSTEP_SIMD must be one of {', '.join(TIERS)} on this machine, got '{bad}'"


def test_an_empty_variable_is_no_choice() -> None:
    done = run("-c", "import gradstep; print(gradstep._core.simd_tier())", GRADSTEP_SIMD="")
    assert done.stdout.strip() == TIERS[-1]
