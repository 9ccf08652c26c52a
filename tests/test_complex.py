"""Complex parameters are pairs of reals, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits
from drawings import OPTIMIZERS
from refusals import refuses
from trees import normal

REALS = {np.complex64: np.float32, np.complex128: np.float64}


def pairs(z: Array) -> Array:
    """The parts of a complex array, in the order of its memory."""
    return np.stack([z.real, z.imag], axis=-1).astype(z.real.dtype)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.1},
    {"l1": 0.1, "bounds": (-1.0, 0.5), "ema": 0.9},
    {"clip_norm": 0.5, "measure": True},
    {"clip_norm_each": 0.5, "maximize": True, "accumulate": 2},
    {"clip_value": 0.25},
]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("options", OPTIONS)
def test_as_pairs_of_reals(name: str, dtype: Any, options: dict[str, Any]) -> None:
    z = {"m": normal(1, 600, 2, dtype=dtype), "v": normal(2, 3, dtype=dtype), "s": normal(3, dtype=dtype)}
    x = {key: pairs(array) for key, array in z.items()}
    opt, want = OPTIMIZERS[name](z, lr=0.1, **options), OPTIMIZERS[name](x, lr=0.1, **options)
    for t in range(4):
        grads = {
            key: normal(10 * t + i, *array.shape, dtype=dtype) for i, (key, array) in enumerate(z.items())
        }
        opt.step(grads)
        want.step({key: pairs(g) for key, g in grads.items()})
        for key, array in z.items():
            assert_same_bits(pairs(array), x[key], f"after step {t}, {key}")
            for slot, values in opt.state[key].items():
                assert values.dtype == dtype
                assert_same_bits(pairs(values), want.state[key][slot], f"after step {t}, {slot} of {key}")
    assert (opt.grad_norm, opt.update_norm, opt.param_norm) == (
        want.grad_norm,
        want.update_norm,
        want.param_norm,
    )


@pytest.mark.parametrize("dtype", REALS)
def test_the_order_of_memory_makes_no_difference(dtype: Any) -> None:
    values = normal(1, 4, 5, 2, dtype=dtype)
    orders = {
        "C": values.copy(),
        "F": np.asfortranarray(values),
        "axes": values.transpose(1, 0, 2).copy().transpose(1, 0, 2),
    }
    given = normal(2, 4, 5, 2, dtype=dtype)
    wide = np.zeros((4, 10, 2), dtype)
    wide[:, ::2] = given
    gradients = [
        given,
        np.asfortranarray(given),
        wide[:, ::2],
        given[::-1].copy()[::-1],
        given.astype(np.complex128),
    ]
    for grad in gradients:
        want = values.copy()
        gs.Adam(want, lr=0.1).step(given)
        for order, array in orders.items():
            z = array.copy(order="K")
            gs.Adam(z, lr=0.1).step(grad)
            assert_same_bits(z, want, order)


def test_a_real_gradient_moves_the_real_part() -> None:
    for g in (np.ones(2), np.ones(2, np.float32), np.ones(2, np.float16)):
        z = np.array([1 + 2j, -3j])
        gs.SGD(z, lr=0.5).step(g)
        assert z.tolist() == [0.5 + 2j, -0.5 - 3j]


def test_scalars_are_gradients_of_arrays_without_axes() -> None:
    for g in (1 + 2j, np.complex64(1 + 2j), np.complex128(1 + 2j), np.array(1 + 2j)):
        z = np.array(0j)
        gs.SGD(z, lr=0.5).step(g)
        assert z == -0.5 - 1j
    z = np.array(0j)
    gs.SGD(z, lr=0.5).step(1.0)
    assert z == -0.5


def test_a_complex_gradient_of_real_parameters_is_refused() -> None:
    w, b = np.zeros(2), np.array(0.0)
    opt: Any = gs.SGD({"w": w, "b": b})
    with refuses(TypeError, "grads['w'] has dtype complex128, not a float dtype"):
        opt.step({"w": np.zeros(2, complex), "b": 0.0})
    for g in (1j, np.complex64(1j), np.array(1j)):
        with pytest.raises(TypeError, match=r"^grads\['b'\] has dtype complex\d+, not a float dtype$"):
            opt.step({"w": np.zeros(2), "b": g})
    assert opt.step_count == 0
    with refuses(TypeError, "grads['0'] has dtype int64, not a complex or float dtype"):
        gs.SGD([np.zeros(2, complex)]).step([np.zeros(2, np.int64)])


def test_it_descends_to_the_minimum_of_a_function_of_complex_numbers() -> None:
    """|z − c|²: the gradient is the conjugate cotangent, 2(z − c), as of torch."""
    z, c = np.zeros(3, complex), np.array([1 + 2j, -0.5j, 3])
    opt: Any = gs.Adam(z, lr=gs.schedules.Cosine(0.3, 400))
    for _ in range(400):
        opt.step(2 * (z - c))
    np.testing.assert_allclose(z, c, atol=1e-6)


@pytest.mark.parametrize("shape", ["apply_gradients", "updates"])
def test_new_arrays_are_complex_too(shape: str) -> None:
    z, g = normal(1, 3, 2, dtype=np.complex64), normal(2, 3, 2, dtype=np.complex64)
    z.flags.writeable = False
    new = getattr(gs.SGD(lr=0.5), shape)(g, z)
    step = np.complex64(0.5) * g
    assert new.dtype == np.complex64
    np.testing.assert_allclose(new if shape == "apply_gradients" else z + new, z - step, rtol=1e-6)


def test_parts_that_are_not_finite_are_counted() -> None:
    opt: Any = gs.SGD([np.zeros(3, complex)], nonfinite="raise")
    g = np.array([1j, complex(np.nan, np.inf), complex(0, np.inf)])
    with refuses(
        gs.NonFiniteError, "gradients are not finite: grads['0'] in 3 of 6 real and imaginary parts"
    ):
        opt.step([g])


def test_functional_takes_them_too() -> None:
    p, g = normal(1, 5, dtype=np.complex128), normal(2, 5, dtype=np.complex128)
    want, m, v = p.copy(), np.zeros(5, complex), np.zeros(5, complex)
    gs.functional.adam(p, g, m, v, step=0, lr=0.1)
    gs.Adam(want, lr=0.1).step(g)
    assert_same_bits(p, want, "p")


@pytest.mark.parametrize(
    "name", [name for name, kind in OPTIMIZERS.items() if hasattr(kind, "initial_accumulator_value")]
)
def test_what_state_starts_from_is_in_both_parts(name: str) -> None:
    hypers = {"initial_accumulator_value": 0.5}
    z, x = np.zeros(2, complex), np.zeros((2, 2))
    opt, want = OPTIMIZERS[name](z, **hypers), OPTIMIZERS[name](x, **hypers)
    for slot, values in opt.state["0"].items():
        assert_same_bits(pairs(values), want.state["0"][slot], slot)
