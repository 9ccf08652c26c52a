"""What single rules promise beyond their formula."""

from __future__ import annotations

import numpy as np

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
