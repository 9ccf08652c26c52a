"""What Prodigy estimates, and over which arrays."""

from __future__ import annotations

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from refusals import refuses

S = gs.schedules


def test_the_estimate_is_of_all_arrays_together() -> None:
    both, parts = np.linspace(1.0, 2.0, 6), [np.linspace(1.0, 2.0, 6)[i : i + 3].copy() for i in (0, 3)]
    one, two = gs.Prodigy(both), gs.Prodigy(parts)
    for _ in range(60):
        one.step(both)
        two.step(parts)
    np.testing.assert_allclose(np.concatenate(parts), both, rtol=1e-9)
    assert one.scalars[0]["d"] == pytest.approx(two.scalars[0]["d"], rel=1e-9)
    assert one.scalars[0]["d"] > 1e-3


def test_groups_of_several_rates_have_one_estimate() -> None:
    p, q = np.ones(3), np.ones(2)
    opt = gs.Prodigy([{"params": p}, {"params": q, "lr": 0.25}])
    for _ in range(30):
        opt.step([p, q])
    first, second = opt.scalars
    assert first == second
    assert first["d"] > first["last_d"] / 2 > 0


def test_a_rate_of_zero_lets_arrays_rest() -> None:
    """They neither move nor count, whatever their gradients; their estimate goes on, though."""
    alone, p, q = np.ones(3), np.ones(3), np.ones(2)
    by_itself = gs.Prodigy(alone)
    opt = gs.Prodigy([{"params": p}, {"params": q, "lr": S.Table([1.0, 0.0]), "weight_decay": 0.1}])
    rests = None
    for t in range(10):
        opt.step([p.copy(), np.full(2, 100.0 if t else 0.0)])
        by_itself.step(alone.copy())
        if rests is None:
            rests = q.copy(), {name: slot.copy() for name, slot in opt.state["1"].items()}
        assert_same_bits(q, rests[0], f"step {t}, q")
        for name, slot in opt.state["1"].items():
            assert_same_bits(slot, rests[1][name], f"step {t}, {name}")
    assert_same_bits(p, alone, "p")
    assert opt.scalars[0] == by_itself.scalars[0] == opt.scalars[1]


def test_nothing_moves_while_all_gradients_are_zero() -> None:
    p = np.ones(3)
    opt = gs.Prodigy(p, weight_decay=0.1)
    for _ in range(3):
        opt.step(np.zeros(3))
    np.testing.assert_array_equal(p, 1.0)
    assert opt.scalars == ({"d": 1e-6, "d_max": 1e-6, "d_numerator": 0.0, "last_d": 0.0},)


def test_the_estimate_grows_no_faster_than_it_may() -> None:
    p = np.ones(3)
    opt = gs.Prodigy(p, d0=1e-3, growth_rate=1.02)
    ds = []
    for _ in range(20):
        opt.step(p)
        ds.append(opt.scalars[0]["d"])
    ratios = np.array(ds[3:]) / np.array(ds[2:-1])
    assert ratios.min() >= 1.0
    assert ratios.max() <= 1.02 * (1 + 1e-12)
    assert ds[-1] > ds[2]


def test_beta3_may_be_none() -> None:
    opt = gs.Prodigy(np.ones(2))
    assert opt.beta3 is None
    opt.beta3 = 0.5
    assert opt.beta3 == 0.5
    opt.beta3 = None
    assert opt.hyperparameters[0]["beta3"] is None


@pytest.mark.parametrize(
    ("name", "value", "range_"),
    [
        ("d0", 0.0, "finite and above 0"),
        ("growth_rate", 0.5, "at least 1"),
        ("beta3", 1.0, "at least 0 and below 1"),
    ],
)
def test_what_is_out_of_range_is_refused(name: str, value: float, range_: str) -> None:
    with refuses(ValueError, f"{name} must be {range_}, got {value}"):
        gs.Prodigy(np.ones(2), **{name: value})  # type: ignore[arg-type]
