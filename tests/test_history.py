"""History: what a record holds, what thins out, and what is written."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradstep as gs

NAN, INF = math.nan, math.inf


def test_reads_an_optimizer() -> None:
    w = np.array([3.0, 4.0])
    opt = gs.SGD(w, lr=gs.schedules.Linear(0.5, 0.0, 4), clip_norm=100.0)
    history = gs.History()
    history.record(opt, loss=1.0)
    opt.step(w.copy())
    history.record(opt, loss=np.float32(0.5), accuracy=np.array(0.75))
    assert history.columns == ("lr", "loss", "grad_norm", "accuracy")
    assert history.to_dict() == {
        "step": [0, 1],
        "lr": [0.5, 0.375],
        "loss": [1.0, 0.5],
        "grad_norm": [None, 5.0],
        "accuracy": [None, 0.75],
    }


def test_several_groups_have_a_rate_each() -> None:
    opt = gs.SGD([{"params": np.ones(1), "lr": 0.1}, {"params": np.ones(1), "lr": 0.2}])
    history = gs.History()
    history.record(opt)
    history.record(step=7, lr=(0.3, 0.4))
    assert history.to_dict() == {"step": [0, 7], "lr.0": [0.1, 0.3], "lr.1": [0.2, 0.4]}


def test_what_is_given_goes_before_what_the_optimizer_says() -> None:
    opt = gs.SGD(np.ones(1), lr=0.1)
    history = gs.History()
    history.record(opt, step=5, lr=0.5, grad_norm=2.0)
    assert history.to_dict() == {"step": [5], "lr": [0.5], "grad_norm": [2.0]}


def test_steps_count_on() -> None:
    history = gs.History()
    for step in [None, None, 10, None]:
        history.record(step=step, loss=0.0)
    assert history.to_dict()["step"] == [0, 1, 10, 11]


def test_a_row_without_values_counts_a_step_and_holds_nothing() -> None:
    history = gs.History()
    history.record(loss=None)
    assert (len(history), history.columns, history.to_dict()) == (0, (), {"step": []})
    history.record(loss=1.0)
    assert history.to_dict() == {"step": [1], "loss": [1.0]}


def test_columns_that_come_late_or_seldom() -> None:
    history = gs.History()
    for step in range(4):
        history.record(loss=float(step), accuracy=0.5 if step == 2 else None)
    assert history.to_dict()["accuracy"] == [None, None, 0.5, None]
    assert history.series("accuracy") == ([2], [0.5])


def test_values_are_plain_python() -> None:
    history = gs.History()
    history.record(step=np.int64(3), lr=np.float32(0.5), loss=2, ok=True)  # type: ignore[arg-type]
    table = history.to_dict()
    assert [type(column[0]) for column in table.values()] == [int, float, float, float]


BAD: list[tuple[Callable[[gs.History], object], type[Exception], str]] = [
    (lambda _: gs.History(1), ValueError, "capacity must be at least 2, got 1"),
    (lambda _: gs.History(1e4), TypeError, "capacity must be an integer, got float"),  # type: ignore[arg-type]
    (lambda h: h.record(0.5), TypeError, "opt must be an optimizer, got float; name other values: loss=..."),  # type: ignore[arg-type]
    (lambda h: h.record(step=0.5), TypeError, "step must be an integer, got float"),  # type: ignore[arg-type]
    (lambda h: h.record(step=-1), ValueError, "step must be at least 0, got -1"),
    (lambda h: h.record(loss="1"), TypeError, "loss must be a number, got str"),  # type: ignore[arg-type]
    (lambda h: h.record(loss=1.0, f1=[1]), TypeError, "f1 must be a number, got list"),  # type: ignore[arg-type]
    (lambda h: h.record(lr=(0.1, "x")), TypeError, "lr.1 must be a number, got str"),  # type: ignore[arg-type]
    (
        lambda h: h.record(loss=np.ones(2)),
        TypeError,
        "loss must be a number, got an array of shape (2,)",
    ),
    (lambda h: h.series("acc"), ValueError, "history has no column 'acc'; it has loss"),
    (lambda _: gs.History().series("loss"), ValueError, "history has no column 'loss'; it has none"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_is_wrong_is_named_and_nothing_recorded(
    make: Callable[[gs.History], object], error: type[Exception], message: str
) -> None:
    history = gs.History()
    history.record(loss=1.0)
    before = history.to_dict()
    with pytest.raises(error) as raised:
        make(history)
    assert str(raised.value) == message
    assert history.to_dict() == before
    history.record(loss=2.0)
    assert history.to_dict()["step"] == [0, 1]


@given(capacity=st.integers(2, 40), count=st.integers(1, 700))
def test_a_full_column_keeps_first_last_and_one_in_a_power_of_two(capacity: int, count: int) -> None:
    history = gs.History(capacity)
    for step in range(count):
        history.record(step=step, loss=step / 2)
        steps, values = history.series("loss")
        assert len(steps) <= capacity
        assert (steps[0], steps[-1]) == (0, step)
        assert values == [s / 2 for s in steps]
    strides = {b - a for a, b in pairwise(steps[:-1])}
    if count <= capacity:
        assert steps == list(range(count))
    elif len(steps) > 3:
        (stride,) = strides
        assert stride.bit_count() == 1
        assert steps[-1] - steps[-2] <= stride
        # No thinner than it has to be.
        assert len(steps) >= capacity // 2
    assert len(history) == len(steps)


@given(
    capacity=st.integers(2, 20),
    late=st.integers(0, 50),
    period=st.integers(1, 20),
    count=st.integers(1, 300),
)
def test_a_column_measured_seldom_is_not_lost(capacity: int, late: int, period: int, count: int) -> None:
    history = gs.History(capacity)
    measured = []
    for step in range(count):
        value = float(step) if step >= late and step % period == 0 else None
        if value is not None:
            measured.append(step)
        history.record(loss=1.0, accuracy=value)
    if not measured:
        assert history.columns == ("loss",)
        return
    steps, values = history.series("accuracy")
    assert set(steps) <= set(measured)
    assert (steps[0], steps[-1]) == (measured[0], measured[-1])
    assert values == steps
    assert len(steps) == len(measured) if len(measured) <= capacity else len(steps) >= capacity // 2
    table = history.to_dict()
    assert table["step"] == sorted(set(table["step"]))
    assert [s for s, v in zip(table["step"], table["accuracy"], strict=True) if v is not None] == steps


def test_columns_that_began_a_step_apart_keep_the_same_steps() -> None:
    history = gs.History(capacity=100)
    for step in range(5000):
        history.record(loss=1.0, grad_norm=1.0 if step else None)
    loss, _ = history.series("loss")
    norm, _ = history.series("grad_norm")
    assert set(norm) - set(loss) == {1}
    assert set(loss) - set(norm) == {0}


def test_appending_is_amortised() -> None:
    """The work of thinning out is counted, not timed."""
    from gradstep.series import Series

    moved = 0
    series = Series(100, 0)
    for row in range(100_000):
        stride = series.stride
        series.append(row, row, 0.0)
        moved += 100 if series.stride != stride else 0
    assert moved <= 100 * math.log2(100_000)


names = st.text(st.characters(exclude_categories=["C"]), min_size=1).filter(lambda name: name != "step")
floats = st.floats(allow_nan=False) | st.none()


@given(rows=st.lists(st.tuples(floats, floats), max_size=20), name=names)
def test_csv_gives_back_the_same_bits(
    rows: list[tuple[float | None, float | None]], name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    history = gs.History()
    for loss, metric in rows:
        values: dict[str, Any] = (
            {"loss": loss} if name in ("loss", "lr", "grad_norm") else {"loss": loss, name: metric}
        )
        history.record(**values)
    path = tmp_path_factory.mktemp("csv") / "history.csv"
    history.to_csv(path)
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    table = history.to_dict()
    assert header == list(table)
    columns = zip(*lines, strict=True) if lines else [[] for _ in header]
    for column, expected in zip(columns, table.values(), strict=True):
        assert [repr(float(cell)) if cell else "" for cell in column] == [
            "" if value is None else repr(float(value)) for value in expected
        ]


def test_csv_reads_as_people_expect(tmp_path: Path) -> None:
    history = gs.History()
    history.record(lr=0.1, loss=NAN)
    history.record(lr=0.1, loss=INF, val_loss=1e-300)
    history.to_csv(str(tmp_path / "x.csv"))
    assert (tmp_path / "x.csv").read_bytes() == b"step,lr,loss,val_loss\n0,0.1,nan,\n1,0.1,inf,1e-300\n"


def test_csv_to_nowhere() -> None:
    with pytest.raises(FileNotFoundError):
        gs.History().to_csv("/no/such/folder/x.csv")
