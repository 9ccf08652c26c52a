"""Every rule against the NumPy oracle, bit for bit; and against trajectories recorded from torch."""

from __future__ import annotations

import inspect
import json
import pathlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradstep as gs
import reference
from bits import assert_same_bits, assert_same_state
from drawings import HYPERS, OPTIMIZERS, STEPS, arrays, at, clips, defaults, gradients, hypers

TRAJECTORIES = json.loads((pathlib.Path(__file__).parent / "trajectories" / "torch.json").read_text())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_rule_has_an_oracle_and_every_hyperparameter_a_range(name: str) -> None:
    assert name in reference.RULES, f"write {name} once more in tests/reference.py"
    assert OPTIMIZERS[name].decoupled_weight_decay == (name in reference.DECOUPLED)
    own = defaults(OPTIMIZERS[name])
    unknown = [
        hyper for hyper, default in own.items() if not isinstance(default, bool | str) and hyper not in HYPERS
    ]
    assert not unknown, f"say in tests/drawings.py where {unknown} lie"
    oracle = set(inspect.signature(reference.RULES[name]).parameters) - {"p", "g", "state", "t", "memory"}
    assert oracle | {"weight_decay"} == set(own)


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(data=st.data())
def test_bit_for_bit(name: str, data: st.DataObject) -> None:
    values = data.draw(hypers(OPTIMIZERS[name]), label="hypers")
    limits = data.draw(clips(), label="clips")
    leaves = data.draw(st.lists(arrays(), min_size=1, max_size=3), label="params")
    params = {str(i): leaf for i, leaf in enumerate(leaves)}
    grads = data.draw(gradients(params, finite=limits["clip_norm"] is not None), label="grads")
    start = data.draw(st.sampled_from([0, 0, 0, 1, 1000, 10**9]), label="start")

    opt = OPTIMIZERS[name](params, **values, **limits)
    opt.step_count = start
    want = {key: p.copy(order="K") for key, p in params.items()}
    states: dict[str, reference.State] = {key: {} for key in params}
    memory: reference.Memory = {}
    if isinstance(values.get("momentum"), gs.schedules.Schedule):
        # A scheduled momentum has its buffer even while it is 0.
        states = {key: {"momentum_buffer": np.zeros_like(p)} for key, p in params.items()}
    with np.errstate(all="ignore"):
        for t in range(start, start + STEPS):
            g = grads()
            opt.step(g)
            want, states, memory = reference.step(name, want, g, states, memory, t, **at(values | limits, t))
            for key, p in params.items():
                assert_same_bits(p, want[key], f"after step {t}, params[{key!r}]")
            assert_same_state(opt.state, states, f"after step {t},")
            (scalars,) = opt.scalars
            assert list(scalars) == list(memory)
            assert_same_bits(np.array([*scalars.values()]), np.array([*memory.values()]), f"after step {t}")
            assert opt.step_count == t + 1
    if limits["clip_norm"] is not None:
        assert opt.grad_norm is not None
        exact = np.sqrt(sum(float(np.sum(np.square(x.astype(np.float64)))) for x in g.values()))
        assert opt.grad_norm == pytest.approx(exact, rel=1e-3 if "float64" in grads.dtypes else 1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_oracle_can_tell_one_rounding(name: str) -> None:
    """The comparison itself: a rate that is off by one last place must be seen."""
    p = np.linspace(-1, 1, 64)
    loud: dict[str, Any] = {"DoG": {"reps_rel": 1.0}, "Adadelta": {"eps": 1.0}}.get(name, {})
    opt = OPTIMIZERS[name]({"0": p}, lr=np.nextafter(0.1, 1), weight_decay=0.0, **loud)
    want = {"0": p.copy()}
    states: dict[str, reference.State] = {"0": {}}
    memory: reference.Memory = {}
    values = defaults(OPTIMIZERS[name]) | {"lr": 0.1, "weight_decay": 0.0} | loud
    for t in range(3):
        g = {"0": np.cos(np.arange(64.0) + t)}
        opt.step(g)
        want, states, memory = reference.step(name, want, g, states, memory, t, **values)
    with pytest.raises(AssertionError, match="differs in"):
        assert_same_bits(p, want["0"], "p")


def run(case: dict[str, Any]) -> list[list[float]]:
    """The parameter after each step of a recorded run."""
    p = np.array(TRAJECTORIES["start"])
    opt = OPTIMIZERS[case["optimizer"]](p, **case["options"])
    path = []
    for g in TRAJECTORIES["grads"]:
        opt.step(np.array(g))
        path.append(p.tolist())
    return path


@pytest.mark.parametrize("case", TRAJECTORIES["cases"], ids=lambda case: case["id"])
def test_torch_trajectory(case: dict[str, Any]) -> None:
    np.testing.assert_allclose(run(case), case["path"], rtol=1e-12, atol=0)


def test_the_rules_of_torch_have_trajectories() -> None:
    """Both with torch's defaults, which are ours, and with every flag."""
    recorded = {case["optimizer"] for case in TRAJECTORIES["cases"]}
    of_torch = {"Adadelta", "Adamax", "NAdam", "RAdam", "Rprop", "SGD", "Adagrad", "RMSprop", "Adam", "AdamW"}
    assert recorded == of_torch
    for name in recorded:
        options = [case["options"] for case in TRAJECTORIES["cases"] if case["optimizer"] == name]
        assert {} in options, name
        flags = {flag for flag, default in defaults(OPTIMIZERS[name]).items() if default is False}
        assert all(any(given.get(flag) for given in options) for flag in flags - {"eps_hat"}), name


def test_the_norm_is_of_all_groups_together() -> None:
    a, b = np.zeros(3), np.zeros((2, 2), np.float32)
    opt = gs.SGD([{"params": a}, {"params": b, "lr": 0.5}], lr=1.0, clip_norm=2.0)
    assert opt.grad_norm is None
    opt.step([np.full(3, 4.0), np.full((2, 2), 2.0)])
    assert opt.grad_norm == 8.0
    scale = 2.0 / (8.0 + 1e-6)
    np.testing.assert_array_equal(a, np.full(3, -scale * 4.0))
    np.testing.assert_array_equal(
        b, np.full((2, 2), -np.float32(0.5) * (np.float32(2.0) * np.float32(scale)))
    )


def test_the_norm_counts_gradients_as_the_parameter_will_see_them() -> None:
    """A float64 gradient beyond float32 is infinite for a float32 parameter, in any memory order."""
    for order in "CF":
        p = np.ones((2, 3), np.float32)
        opt = gs.SGD(p, clip_norm=1.0)
        with np.errstate(over="ignore"), pytest.raises(ValueError, match="finite"):
            opt.step(np.full((2, 3), 1e39, order=order))  # type: ignore[call-overload]
        np.testing.assert_array_equal(p, 1)


def test_clipping_leaves_the_gradients_alone() -> None:
    g = np.array([3.0, -4.0])
    opt = gs.Adam(np.zeros(2), clip_norm=1.0, clip_value=0.1)
    opt.step(g)
    np.testing.assert_array_equal(g, [3.0, -4.0])
