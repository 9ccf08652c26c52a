"""What `Rows` do not go with, and bad ones: an error before anything is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import digest
from drawings import OPTIMIZERS
from refusals import refuses
from rows import WHOLE
from trees import normal

OTHERS = "grads['e'] has some rows and leaves all others as they are, but "
V = np.ones((2, 4))
I = np.array([0, 2])  # noqa: E741

MADE: list[tuple[Any, Any, type[Exception], str]] = [
    (I.astype(float), V, TypeError, "indices has dtype float64, not an integer dtype"),
    ([0.0, 1.0], V, TypeError, "indices has dtype float64, not an integer dtype"),
    (
        np.array([True, False]),
        V,
        TypeError,
        "indices has dtype bool, not an integer dtype; np.flatnonzero(mask) has the indices of a mask",
    ),
    ("01", V, TypeError, "indices has dtype <U2, not an integer dtype"),
    (None, V, TypeError, "indices has dtype object, not an integer dtype"),
    (np.ma.array(I), V, TypeError, "indices is a masked array; its mask would be ignored"),
    (I, V.tolist(), TypeError, "values is a list, not an ndarray"),
    (I, None, TypeError, "values is None, not an ndarray"),
    (I, np.ma.array(V), TypeError, "values is a masked array; its mask would be ignored"),
    (I, V[:1], ValueError, "values has shape (1, 4), but indices has shape (2,)"),
    (I, np.array(1.0), ValueError, "values has shape (), but indices has shape (2,)"),
    (I[:, None], V, ValueError, "values has shape (2, 4), but indices has shape (2, 1)"),
]


@pytest.mark.parametrize(("indices", "values", "error", "message"), MADE)
def test_what_makes_no_rows(indices: Any, values: Any, error: type[Exception], message: str) -> None:
    with refuses(error, message):
        gs.Rows(indices, values)


def resized(array: Any) -> Any:
    array.resize((1, *array.shape[1:]), refcheck=False)
    return array


GIVEN: list[tuple[Any, type[Exception], str]] = [
    (gs.Rows([0, 3], V), ValueError, "grads['e'].indices[1] is 3, but params['e'] has 3 rows"),
    (gs.Rows([-4, 9], V), ValueError, "grads['e'].indices[0] is -4, but params['e'] has 3 rows"),
    (
        gs.Rows(np.array([0, 2**64 - 1], np.uint64), V),
        ValueError,
        "grads['e'].indices[1] is 18446744073709551615, but params['e'] has 3 rows",
    ),
    (
        gs.Rows(I, V[:, :3]),
        ValueError,
        "grads['e'].values has shape (2, 3), but params['e'] has shape (3, 4) and so rows of (4,)",
    ),
    (
        gs.Rows(I, V[0, :2]),
        ValueError,
        "grads['e'].values has shape (2,), but params['e'] has shape (3, 4) and so rows of (4,)",
    ),
    (gs.Rows(I, V.astype(int)), TypeError, "grads['e'] has dtype int64, not a float dtype"),
    (gs.Rows(I, V.astype(complex)), TypeError, "grads['e'] has dtype complex128, not a float dtype"),
]


@pytest.mark.parametrize(("rows", "error", "message"), GIVEN)
def test_what_does_not_go_with_the_parameter(rows: gs.Rows, error: type[Exception], message: str) -> None:
    params = {"w": normal(1, 4), "e": normal(2, 3, 4)}
    opt = gs.Adam(params)
    before = digest([*params.values(), *(a for s in opt.state.values() for a in s.values())])
    with refuses(error, message):
        opt.step({"w": np.ones(4), "e": rows})
    with refuses(error, message):
        opt.apply_gradients({"w": np.ones(4), "e": rows}, params)
    assert digest([*params.values(), *(a for s in opt.state.values() for a in s.values())]) == before
    assert opt.step_count == 0
    # What was refused is no part of the next step.
    assert opt.step({"w": np.ones(4), "e": gs.Rows(I, V)})


def test_more_rows_than_memory_has_room_for() -> None:
    p = np.ones(3)
    opt, count = gs.SGD(p), 2**60
    rows = gs.Rows(np.broadcast_to(np.int8(1), (count,)), np.broadcast_to(np.float32(1), (count,)))
    with refuses(MemoryError, "there is no memory to sort grads.indices"):
        opt.step(rows)
    assert (opt.step_count, p.sum()) == (0, 3)


def test_arrays_that_are_not_what_they_were() -> None:
    e = np.zeros((3, 4))
    opt = gs.SGD(e)
    for rows, array in [
        (gs.Rows(i := I.copy(), V), i),
        (gs.Rows(I, v := V.copy()), v),
    ]:
        resized(array)
        with refuses(ValueError, "grads has changed"):
            opt.step(rows)


@pytest.mark.parametrize(
    ("p", "why"),
    [
        (np.zeros(()), "grads has rows, but params has shape () and so none"),
        (
            np.zeros((3, 4), order="F"),
            "grads has rows, but those of params do not lie one after the other: it has shape (3, 4) with "
            "strides (8, 24) bytes; C order is wanted",
        ),
    ],
)
def test_parameters_whose_rows_are_none(p: Any, why: str) -> None:
    with refuses(ValueError, why):
        gs.SGD(p).step(gs.Rows([0], np.zeros((1, *p.shape[1:]))))


OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("AdamW", {}, "weight_decay shrinks them: it must be the constant 0.0"),
    ("Adam", {"weight_decay": 0.1}, "weight_decay shrinks them: it must be the constant 0.0"),
    (
        "SGD",
        {"weight_decay": gs.schedules.Linear(0.0, 1.0, 9)},
        "weight_decay shrinks them: it must be the constant 0.0",
    ),
    ("SGD", {"l1": 0.1}, "l1 shrinks them: it must be the constant 0.0"),
    ("SGD", {"ema": 0.9}, "ema averages them: it must be None"),
    (
        "SGD",
        {"accumulate": 3},
        "accumulate=3 adds up whole arrays: it must be 1; one gradient may have the rows of several, side by "
        "side",
    ),
    ("LAMB", {}, "the rule lamb takes the norm of the whole array"),
    ("LARS", {}, "the rule lars takes the norm of the whole array"),
    ("Prodigy", {}, "the rule prodigy sums over whole arrays"),
    ("DoG", {}, "the rule dog sums over whole arrays"),
    ("ScheduleFreeSGD", {}, "the rule schedule_free_sgd moves them at every step"),
    ("ScheduleFreeAdamW", {}, "the rule schedule_free_adamw moves them at every step"),
]


def test_all_rules_that_touch_all_rows_are_among_them() -> None:
    assert {name for name, *_ in OPTIONS} >= WHOLE


@pytest.mark.parametrize(("name", "options", "why"), OPTIONS)
def test_what_would_touch_all_rows(name: str, options: dict[str, Any], why: str) -> None:
    params = {"w": normal(1, 4), "e": normal(2, 3, 4)}
    opt = OPTIMIZERS[name](params, **options)
    before = digest([*params.values(), *(a for s in opt.state.values() for a in s.values())])
    for values in (V, V[:0]):
        grads = {"w": np.ones(4), "e": gs.Rows(I[: len(values)], values)}
        with refuses(ValueError, OTHERS + why):
            opt.step(grads)
        with refuses(ValueError, OTHERS + why):
            opt.apply_gradients(grads, params)
    assert digest([*params.values(), *(a for s in opt.state.values() for a in s.values())]) == before
    assert (opt.step_count, opt.micro_step) == (0, 0)


def test_the_group_is_named() -> None:
    opt = gs.AdamW([{"params": np.zeros(3), "weight_decay": 0.1}, {"params": np.zeros((3, 4))}])
    with pytest.raises(ValueError, match=r"but weight_decay of params\[1\] shrinks them"):
        opt.step([np.ones(3), gs.Rows(I, V)])


def test_state_in_blocks_has_no_rows() -> None:
    p = np.ones((100, 64), np.float32)
    opt = gs.Adam(p, state_dtype="8bit")
    message = (
        "grads has some rows, but the state is kept in blocks of other elements: state_dtype must be None or "
        "'bfloat16'"
    )
    with refuses(ValueError, message):
        opt.step(gs.Rows([1], np.ones((1, 64))))
    assert p.all()


def test_copies_are_of_whole_arrays_where_new_ones_are_made() -> None:
    p = np.ones((3, 4), np.float32)
    opt = gs.SGD(p, copy_to=np.zeros((3, 4), np.uint16))
    message = (
        "grads has some rows, of which copy_to would get copies, but not of the others in a new array: "
        "copy_to must be None, or the step be one in place"
    )
    with refuses(ValueError, message):
        opt.apply_gradients(gs.Rows(I, V), p)
    assert opt.step(gs.Rows(I, V))


def test_updates_do_not_tell_the_shape_of_a_parameter() -> None:
    with pytest.raises(
        TypeError, match="grads is a Rows; an ndarray, or a list, tuple or dict of ndarrays is wanted"
    ):
        gs.SGD().updates(gs.Rows(I, V))


CALLS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"rows": [0, 3]}, ValueError, "rows[1] is 3, but p has 3 rows"),
    ({"rows": [0]}, ValueError, "g has shape (2, 4), but rows has shape (1,)"),
    ({"rows": [0.0, 1.0]}, TypeError, "rows has dtype float64, not an integer dtype"),
    (
        {"rows": I, "g": V[:, :3]},
        ValueError,
        "g has shape (2, 3), but p has shape (3, 4) and so rows of (4,)",
    ),
    ({"rows": I, "g": 1.0}, TypeError, "g is a float, not an ndarray"),
    (
        {"rows": I, "weight_decay": 0.1},
        ValueError,
        OTHERS.replace("grads['e']", "g") + "weight_decay shrinks them: it must be the constant 0.0",
    ),
    (
        {"rows": I, "out": np.zeros((3, 4))},
        ValueError,
        "rows are updated where they are: out is None with rows",
    ),
    ({"g": gs.Rows(I, V)}, TypeError, "g is a Rows, not an ndarray; give its values, and rows=its indices"),
]


@pytest.mark.parametrize(("given", "error", "message"), CALLS)
def test_functions_refuse_them_too(given: dict[str, Any], error: type[Exception], message: str) -> None:
    arrays = [normal(seed, 3, 4) for seed in range(3)]
    before = digest(arrays)
    with refuses(error, message):
        gs.functional.adam(arrays[0], *[given.pop("g", V)], *arrays[1:], step=0, **given)
    assert digest(arrays) == before
