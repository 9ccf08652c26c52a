"""What single rules promise beyond their formula."""

from __future__ import annotations

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from refusals import refuses


def test_the_rate_of_rprop_is_where_it_starts() -> None:
    opt = gs.Rprop(np.zeros(2), lr=gs.schedules.Table([0.25, 7.0]))
    assert (opt.state["0"]["step_size"] == 0.25).all()
    with refuses(AttributeError, "lr is what the state started from, and cannot be changed"):
        opt.lr = 0.5


def test_rprop_stands_still_where_the_sign_changes() -> None:
    p = np.zeros(1)
    opt = gs.Rprop(p, lr=1.0, eta_minus=0.25, eta_plus=2.0)
    path = []
    for g in (1.0, 2.0, -3.0, -3.0, -3.0):
        opt.step(np.array([g]))
        path.append(p[0])
    assert path == [-1.0, -3.0, -3.0, -2.5, -1.5]


def test_rprop_with_bounds_that_cross_takes_the_upper() -> None:
    p = np.zeros(1)
    gs.Rprop(p, lr=1.0, step_min=3.0, step_max=2.0).step(np.ones(1))
    assert p == -2.0


def test_lion_leaves_what_has_no_direction() -> None:
    p = np.array([1.0, -0.0, 0.0, 2.0])
    want = p.copy()
    gs.Lion(p, lr=0.5).step(np.array([0.0, -0.0, 0.0, -0.0]))
    assert_same_bits(p, want, "p")


def test_nadam_resumes_anywhere_without_a_product_of_its_own() -> None:
    whole, half = np.linspace(-1, 1, 5), np.linspace(-1, 1, 5)
    first = gs.NAdam(whole, lr=0.1)
    second = gs.NAdam(half, lr=0.1)
    for t in range(20):
        g = np.cos(np.arange(5.0) + t)
        first.step(g)
        second.step(g)
        if t == 9:
            state = {slot: array.copy() for slot, array in second.state["0"].items()}
            second = gs.NAdam(half, lr=0.1)
            second.step_count = 10
            for slot, array in state.items():
                second.state["0"][slot][...] = array
    assert_same_bits(half, whole, "p")


@pytest.mark.parametrize("clipping", [True, False])
def test_the_first_step_of_adopt_only_looks(clipping: bool) -> None:
    p = np.ones(2, np.float32)
    opt = gs.ADOPT(p, lr=1.0, use_clipping=clipping)
    opt.step(np.array([1e38, -2.0]))
    assert (p == 1.0).all()
    assert (opt.state["0"]["exp_avg"] == 0.0).all()
    assert opt.state["0"]["exp_avg_sq"][1] == 4.0


def test_radam_begins_with_plain_momentum() -> None:
    p, q = np.ones(3), np.ones(3)
    radam = gs.RAdam(p, lr=0.1)
    m = np.zeros(3)
    for t in range(1, 6):
        g = np.cos(np.arange(3.0) + t)
        radam.step(g)
        m = 0.9 * m + 0.1 * g
        q -= 0.1 * m / (1 - 0.9**t)
    np.testing.assert_allclose(p, q, rtol=1e-14)
    radam.step(np.ones(3))
    assert np.abs(p - q).max() < 0.01, "from the sixth step on the rate starts small"


def test_the_decays_are_those_of_the_references() -> None:
    coupled = {"Adadelta", "Adamax", "NAdam", "RAdam", "Rprop"}
    decoupled = {"Lion", "AdaBelief", "Yogi", "Adan", "ADOPT", "AdEMAMix"}
    for name in coupled | decoupled:
        p = np.ones(2)
        opt = getattr(gs, name)(p, lr=0.1, weight_decay=0.5)
        opt.step(np.zeros(2))
        opt.step(np.zeros(2))
        shrunk = np.full(2, (1 - 0.1 * 0.5) ** 2)
        assert np.allclose(p, shrunk, rtol=1e-3) == (name in decoupled), name
