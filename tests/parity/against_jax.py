"""Gradients that are arrays of JAX, which are read-only, for parameters of NumPy."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradstep as gs


def loss(params: Any, x: Any) -> Any:
    return jnp.sum((jnp.tanh(x @ params["w"]) + params["b"]) ** 2) * params["gain"]


def start() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "w": rng.normal(size=(4, 3)).astype(np.float32),
        "b": np.zeros(3, np.float32),
        "gain": np.array(1.0, np.float32),
    }


@pytest.mark.parametrize("dtype", [None, jnp.bfloat16, jnp.float16])
def test_training_by_gradients_of_jax(dtype: Any) -> None:
    mine, theirs = start(), start()
    opt, plain = gs.Adam(mine, lr=0.01), gs.Adam(theirs, lr=0.01)
    x = jnp.asarray(np.random.default_rng(1).normal(size=(8, 4)), jnp.float32)
    gradient = jax.jit(jax.grad(loss))
    for _ in range(20):
        grads = {name: g.astype(dtype or g.dtype) for name, g in gradient(mine, x).items()}
        opt.step(grads)
        plain.step({name: np.asarray(g.astype(jnp.float32)) for name, g in grads.items()})
        for name, p in theirs.items():
            np.testing.assert_array_equal(mine[name], p)
    assert loss(mine, x) < loss(start(), x)


def test_gradients_stay_what_they_were() -> None:
    g = jnp.ones(4)
    gs.Adam(np.ones(4, np.float32), clip_norm=0.1).step(g)
    assert g.tolist() == [1.0] * 4


def test_parameters_of_jax_are_refused() -> None:
    with pytest.raises(ValueError, match=r"params\['w'\] is an ArrayImpl that cannot be updated in place: "):
        gs.Adam({"w": jnp.ones(4)})
