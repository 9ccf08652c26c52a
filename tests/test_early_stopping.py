"""EarlyStopping: when it stops, what it calls best, and what it restores."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradstep as gs

NAN, INF = math.nan, math.inf


def first_stop(stopping: gs.EarlyStopping, values: list[float]) -> int | None:
    """The number of the update that says stop."""
    for i, value in enumerate(values):
        if stopping.update(value):
            return i
    return None


@pytest.mark.parametrize(
    ("options", "values", "stop", "best", "best_step"),
    [
        ({"patience": 1}, [1.0, 0.5, 0.25], None, 0.25, 2),
        ({"patience": 1}, [1.0, 1.0], 1, 1.0, 0),
        ({"patience": 2}, [1.0, 2.0, 0.5, 2.0, 0.5], 4, 0.5, 2),
        ({"patience": 3}, [1.0, 2.0, 2.0, 0.9, 2.0, 2.0], None, 0.9, 3),
        ({"patience": 2, "mode": "max"}, [0.1, 0.5, 0.4, 0.5], 3, 0.5, 1),
        ({"patience": 2, "min_delta": 0.5}, [2.0, 1.5, 1.5], 2, 2.0, 0),
        ({"patience": 2, "min_delta": 0.5}, [2.0, 1.75, 1.375, 1.0], None, 1.375, 2),
        ({"patience": 2, "min_delta": 0.5, "mode": "max"}, [1.0, 1.5, 1.5], 2, 1.0, 0),
        # What is not finite is no improvement, wherever it comes.
        ({"patience": 2}, [NAN, NAN], 1, None, None),
        ({"patience": 3}, [NAN, 1.0, NAN, NAN, NAN], 4, 1.0, 1),
        ({"patience": 2}, [1.0, -INF, NAN], 2, 1.0, 0),
        ({"patience": 2, "mode": "max"}, [1.0, INF, INF], 2, 1.0, 0),
        ({"patience": 2}, [INF, 1.0], None, 1.0, 1),
    ],
)
def test_sequences(
    options: dict[str, Any], values: list[float], stop: int | None, best: float | None, best_step: int | None
) -> None:
    stopping = gs.EarlyStopping(**options)
    assert first_stop(stopping, values) == stop
    assert (stopping.best, stopping.best_step) == (best, best_step)


def keras(values: list[float], patience: int, min_delta: float, mode: str) -> tuple[int | None, int | None]:
    """Keras's EarlyStopping in plain Python: the epoch that stops, and the best epoch."""
    sign = 1.0 if mode == "max" else -1.0
    best, best_epoch, wait = -sign * INF, None, 0
    for epoch, value in enumerate(values):
        wait += 1
        if value * sign > best * sign + min_delta:
            best, best_epoch, wait = value, epoch, 0
        elif wait >= patience:
            return epoch, best_epoch
    return None, best_epoch


@given(
    values=st.lists(st.integers(-5, 5).map(float) | st.just(NAN), max_size=30),
    patience=st.integers(1, 5),
    min_delta=st.sampled_from([0.0, 1.0, 2.0]),
    mode=st.sampled_from(["min", "max"]),
)
def test_stops_as_keras_does(values: list[float], patience: int, min_delta: float, mode: Any) -> None:
    stopping = gs.EarlyStopping(patience, min_delta, mode)
    stop, best_epoch = keras(values, patience, min_delta, mode)
    assert first_stop(stopping, values) == stop
    assert stopping.best_step == best_epoch


@pytest.mark.parametrize("value", [2, np.float32(2.0), np.int64(2), np.array(2.0)])
def test_numbers_of_all_kinds(value: Any) -> None:
    stopping = gs.EarlyStopping(1)
    assert stopping.update(value) is False
    assert type(stopping.best) is float
    assert stopping.update(value) is True
    assert stopping.waited == 1
    assert stopping.step_count == 2


def test_going_on_after_the_stop() -> None:
    stopping = gs.EarlyStopping(1)
    assert [stopping.update(value) for value in [1.0, 2.0, 3.0, 0.5, 0.6]] == [False, True, True, False, True]


BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: gs.EarlyStopping(1.5), TypeError, "patience must be an integer, got float"),  # type: ignore[arg-type]
    (lambda: gs.EarlyStopping("3"), TypeError, "patience must be an integer, got str"),  # type: ignore[arg-type]
    (lambda: gs.EarlyStopping(0), ValueError, "patience must be at least 1, got 0"),
    (lambda: gs.EarlyStopping(-2), ValueError, "patience must be at least 1, got -2"),
    (lambda: gs.EarlyStopping(1, -0.5), ValueError, "min_delta must be at least 0 and finite, got -0.5"),
    (lambda: gs.EarlyStopping(1, NAN), ValueError, "min_delta must be at least 0 and finite, got nan"),
    (lambda: gs.EarlyStopping(1, INF), ValueError, "min_delta must be at least 0 and finite, got inf"),
    (lambda: gs.EarlyStopping(1, None), TypeError, "min_delta must be a number, got None"),  # type: ignore[arg-type]
    (lambda: gs.EarlyStopping(1, mode="auto"), ValueError, "mode must be one of 'min', 'max', got 'auto'"),  # type: ignore[arg-type]
    (lambda: gs.EarlyStopping(1).update(None), TypeError, "value must be a number, got None"),  # type: ignore[arg-type]
    (lambda: gs.EarlyStopping(1).update("1"), TypeError, "value must be a number, got str"),  # type: ignore[arg-type]
    (lambda: gs.EarlyStopping(1).update(1j), TypeError, "value must be a number, got complex"),  # type: ignore[arg-type]
    (
        lambda: gs.EarlyStopping(1).update(np.complex128(1)),
        TypeError,
        "value must be a number, got complex128",
    ),
    (
        lambda: gs.EarlyStopping(1).update(np.ones(1)),
        TypeError,
        "value must be a number, got an array of shape (1,)",
    ),
    (lambda: gs.EarlyStopping(1).update(10**400), ValueError, "value must fit into a float"),
    (
        lambda: gs.EarlyStopping(1).restore(),
        ValueError,
        "there is nothing to restore: EarlyStopping was made without restore=params",
    ),
    (
        lambda: gs.EarlyStopping(1, restore=np.ones(2)).restore(),
        ValueError,
        "there is nothing to restore: none of 0 values was finite",
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_is_wrong_is_named(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        make()
    assert str(raised.value).startswith(message)


def test_a_refused_value_changes_nothing() -> None:
    stopping = gs.EarlyStopping(1)
    stopping.update(1.0)
    with pytest.raises(TypeError):
        stopping.update("2.0")  # type: ignore[arg-type]
    assert (stopping.best, stopping.step_count, stopping.waited) == (1.0, 1, 0)
