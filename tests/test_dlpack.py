"""Arrays of other libraries: anything with ``__dlpack__`` as gradient, and if writable as parameter."""

from __future__ import annotations

import copy
import pickle
import re
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gradstep as gs
from gradstep import _core

#: Before it NumPy's own capsules do not say whether they may be written to.
SAYS = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


class Foreign:
    """An array that NumPy would not take for one."""

    def __init__(self, array: Any, device: tuple[int, int] = (1, 0)) -> None:
        self.array, self.device = array, device

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device


class Old(Foreign):
    """One of a library from before there were versions."""

    def __dlpack__(self) -> Any:  # type: ignore[override]
        return self.array.__dlpack__()


def start() -> dict[str, NDArray[Any]]:
    return {
        "w": np.arange(12, dtype=np.float32).reshape(3, 4),
        "v": np.arange(5, dtype=np.float64),
        "gain": np.array(2.0, np.float32),
    }


def gradients(t: int) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(t)
    return {name: rng.normal(size=p.shape).astype(p.dtype) for name, p in start().items()}


@pytest.mark.parametrize("kind", [Foreign, Old])
@pytest.mark.parametrize("dtype", [None, np.float16, np.float32, np.float64])
def test_gradients_have_the_bits_of_ndarrays(kind: type[Foreign], dtype: Any) -> None:
    mine, theirs = start(), start()
    opt, plain = gs.Adam(mine, lr=0.1), gs.Adam(theirs, lr=0.1)
    for t in range(5):
        grads = {name: g.astype(dtype or g.dtype) for name, g in gradients(t).items()}
        opt.step({name: kind(g) for name, g in grads.items()})
        plain.step(grads)
        for name, p in theirs.items():
            np.testing.assert_array_equal(mine[name], p)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.asfortranarray(a),
        lambda a: np.ascontiguousarray(a[::-1])[::-1],
    ],
)
def test_gradients_in_any_order(view: Any) -> None:
    mine, theirs = np.ones((3, 4), np.float32), np.ones((3, 4), np.float32)
    g = gradients(0)["w"]
    gs.SGD(mine, lr=0.5).step(Foreign(view(g)))
    gs.SGD(theirs, lr=0.5).step(g)
    np.testing.assert_array_equal(mine, theirs)


@pytest.mark.skipif(not SAYS, reason="NumPy before 2.1 does not export what is read-only")
def test_a_gradient_may_be_read_only_and_is_let_go_of() -> None:
    p, g = np.ones(4, np.float32), np.ones(4, np.float32)
    g.flags.writeable = False
    opt = gs.SGD(p, lr=0.5)
    before = sys.getrefcount(g)
    for _ in range(3):
        opt.step(Foreign(g))
    assert sys.getrefcount(g) == before
    np.testing.assert_array_equal(p, -0.5)


def test_new_arrays_by_foreign_gradients() -> None:
    params, g = np.ones(4), np.full(4, 2.0)
    new = gs.SGD(lr=0.5).apply_gradients(Foreign(g), params)
    np.testing.assert_array_equal(new, 0.0)
    np.testing.assert_array_equal(gs.SGD(lr=0.5).updates(Foreign(g)), -1.0)


class Liar(Foreign):
    def __dlpack__(self, **options: Any) -> Any:
        return "capsule"


class Failing(Foreign):
    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError("not today")


BAD_GRADIENTS = {
    "shape": (Foreign(np.ones(3)), ValueError, "grads['w'] has shape (3,), but params['w'] has shape (2,)"),
    "integers": (Foreign(np.ones(2, int)), TypeError, "grads['w'] has dtype int64, not a float dtype"),
    "a bool": (Foreign(np.ones(2, bool)), TypeError, "grads['w'] has dtype bool, not a float dtype"),
    "complex": (
        Foreign(np.ones(2, complex)),
        TypeError,
        "grads['w'] has dtype complex128, not a float dtype",
    ),
    "a device": (
        Foreign(np.ones(2), (2, 0)),
        TypeError,
        "grads['w'] is a Foreign on another device, number 2 of DLPack; arrays on the CPU are wanted",
    ),
    "no capsule": (Liar(np.ones(2)), TypeError, "grads['w'] is a Liar, whose __dlpack__ gives no capsule"),
    "an error": (
        Failing(np.ones(2)),
        ValueError,
        "grads['w'], a Failing, could not be read where it is: not today",
    ),
}


@pytest.mark.parametrize("case", BAD_GRADIENTS)
def test_bad_gradients_change_nothing(case: str) -> None:
    bad, error, message = BAD_GRADIENTS[case]
    params = {"w": np.ones(2), "v": np.ones(2)}
    opt = gs.Adam(params)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        opt.step({"w": bad, "v": np.ones(2)})
    assert opt.step_count == 0
    assert all((p == 1.0).all() for p in params.values())
    assert not any(slot.any() for slots in opt.state.values() for slot in slots.values())


def test_the_cause_of_a_failure_is_shown() -> None:
    with pytest.raises(ValueError, match="not today") as caught:
        gs.SGD(np.ones(2)).step(Failing(np.ones(2)))
    assert isinstance(caught.value.__cause__, BufferError)


@pytest.mark.skipif(not SAYS, reason="NumPy before 2.1 does not say whether a capsule may be written to")
class TestParameters:
    def test_are_updated_in_place(self) -> None:
        mine, theirs = start(), start()
        foreign = {name: Foreign(p) for name, p in mine.items()}
        opt, plain = gs.AdamW(foreign, lr=0.1, ema=0.5), gs.AdamW(theirs, lr=0.1, ema=0.5)
        for t in range(5):
            assert opt.step(gradients(t))
            plain.step(gradients(t))
            for name, p in theirs.items():
                np.testing.assert_array_equal(mine[name], p)
        params: Any = opt.params
        assert np.shares_memory(params["w"], mine["w"])
        np.testing.assert_array_equal(opt.averaged["w"], plain.averaged["w"])  # type: ignore[call-overload]

    def test_that_are_replaced_are_missed(self) -> None:
        params = {"w": Foreign(np.ones(2))}
        opt = gs.SGD(params, lr=0.5)
        params["w"] = Foreign(np.ones(2))
        with pytest.raises(ValueError, match=r"params\['w'\] was replaced by another object"):
            opt.step({"w": np.ones(2)})
        opt.bind(params)
        opt.step({"w": np.ones(2)})
        np.testing.assert_array_equal(params["w"].array, 0.5)

    def test_copies_have_their_own(self) -> None:
        params = {"w": Foreign(np.ones(2))}
        opt = gs.Adam(params, lr=0.5)
        opt.step({"w": np.ones(2)})
        for again in (copy.deepcopy(opt), pickle.loads(pickle.dumps(opt))):
            again.step({"w": np.ones(2)})
            assert again.step_count == 2
        np.testing.assert_allclose(params["w"].array, 0.5, rtol=1e-7)

    def test_share_no_memory(self) -> None:
        w = np.ones(4)
        with pytest.raises(ValueError, match=r"params\['a'\] and params\['b'\] share memory"):
            gs.SGD({"a": Foreign(w), "b": w[2:]})

    def test_that_cannot_be_written_to_are_refused(self) -> None:
        fixed = np.ones(2)
        fixed.flags.writeable = False
        for given, why in (
            (Foreign(fixed), "a Foreign that cannot be updated in place: it is read-only"),
            (
                Old(np.ones(2)),
                "an Old that cannot be updated in place: its library does not say whether it may be changed "
                "(DLPack before version 1)",
            ),
        ):
            with pytest.raises(ValueError, match=f"^{re.escape(f'params is {why}')}$"):
                gs.SGD(given)

    def test_that_are_not_dense_floats_are_refused(self) -> None:
        with pytest.raises(TypeError, match=r"^params\['w'\] has dtype float16, not float32"):
            gs.SGD({"w": Foreign(np.ones(2, np.float16))})
        with pytest.raises(ValueError, match=r"^params\['w'\] is not dense in memory"):
            gs.SGD({"w": Foreign(np.ones(4)[::2])})
        with pytest.raises(TypeError, match=r"^params\['w'\] has dtype int64, not float32"):
            gs.SGD({"w": Foreign(np.ones(2, int))})


def test_parameters_that_are_empty() -> None:
    opt = gs.SGD([np.ones(2), np.ones((0, 3))], lr=0.5)
    assert opt.step([Foreign(np.ones(2)), Foreign(np.ones((0, 3)))])


def test_a_type_without_a_table_of_functions_is_not_looked_at_natively() -> None:
    with pytest.raises(AttributeError, match=r"^int has no DLPack table$"):
        _core.Exchange(int)

    class Strange:
        __dlpack_c_exchange_api__ = np.ones(2).__dlpack__()  # a capsule of something else

    with pytest.raises(
        AttributeError, match=r"^Strange has no DLPack table of version 1 that looks at tensors$"
    ):
        _core.Exchange(Strange)
