"""Arrays of subclasses of ndarray come back from `apply_gradients` and `updates` as what went in."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits
from trees import normal


class Tensor(np.ndarray[Any, Any]):
    """As PennyLane's: whether it is trained is an attribute, which views and copies inherit."""

    requires_grad: bool

    def __new__(cls, values: Any, requires_grad: bool = True) -> Self:
        self: Self = np.array(values).view(cls)
        self.requires_grad = requires_grad
        return self

    def __array_finalize__(self, obj: Any) -> None:
        if obj is not None:
            self.requires_grad = getattr(obj, "requires_grad", True)


class Units(np.ndarray[Any, Any]):
    """One without attributes that cannot be made by its own constructor."""

    def __new__(cls) -> Self:
        raise TypeError("made by a view")


def plain(array: Any) -> Array:
    return np.asarray(array)


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("shape", ["apply_gradients", "updates"])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_with_its_attributes(order: str, shape: str, bound: bool) -> None:
    values = normal(1, 8, 6)[::2] if order == "strided" else normal(1, 4, 6, order=order)
    weights = values.view(Tensor)
    weights.requires_grad = False
    grads = [normal(2, 4, 6), np.float64(0.5)]
    # The state of a bound one is in C order.
    opt: Any = gs.Adam([normal(3, 4, 6), normal(4)] if bound else None, lr=0.1)
    plainly = gs.Adam([normal(3, 4, 6), normal(4)] if bound else None, lr=0.1)
    got = getattr(opt, shape)(grads, [weights, Tensor(0.25)])
    want = getattr(plainly, shape)(grads, [plain(weights), np.array(0.25)])
    for (one, requires_grad), expected in zip(zip(got, (False, True), strict=True), want, strict=True):
        assert type(one) is Tensor
        assert one.requires_grad is requires_grad
        assert one.flags.writeable
        assert_same_bits(plain(one), expected, "what is made")


def test_one_that_views_make() -> None:
    weights = normal(1, 3).view(Units)
    new = gs.SGD(lr=0.5).apply_gradients(np.ones(3), weights)
    assert type(new) is Units
    assert_same_bits(plain(new), plain(weights) - 0.5, "new")


def test_an_optimizer_of_tensors_updates_them_in_place() -> None:
    weights = Tensor(normal(1, 3))
    opt: Any = gs.SGD({"w": weights}, lr=0.5)
    assert opt.step({"w": Tensor(np.ones(3))})
    assert_same_bits(plain(weights), normal(1, 3) - 0.5, "w")
    assert opt.params["w"] is weights
    assert type(opt.state["w"]) is not Tensor


def test_a_matrix_stays_a_matrix() -> None:
    with pytest.warns(PendingDeprecationWarning):
        weights = np.matrix([[1.0, 2.0]])
    new = gs.SGD(lr=1.0).apply_gradients(np.ones((1, 2)), weights)
    assert type(new) is np.matrix
    assert plain(new).tolist() == [[0.0, 1.0]]


def test_where_nothing_is_updated_too() -> None:
    frozen = Tensor([1.0, 2.0], requires_grad=False)
    new, moved = gs.SGD(lr=0.5).apply_gradients([None, np.ones(2)], [frozen, Tensor([1.0, 2.0])])
    assert type(new) is Tensor
    assert new is not frozen
    assert new.requires_grad is False
    assert plain(new).tolist() == [1.0, 2.0]
    assert plain(moved).tolist() == [0.5, 1.5]
