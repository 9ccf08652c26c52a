"""History: what a record holds, what thins out, and what is written."""

from __future__ import annotations

import copy
import csv
import json
import math
import pickle
import re
import subprocess
import sys
import time
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


class TestLog:
    def test_every_row_is_there_at_once_and_not_thinned_out(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        history = gs.History(capacity=2, log=path)
        for step in range(10):
            history.record(step=step, lr=(0.1, 0.2), loss=step / 3, grad_norm=None)
            assert len(path.read_text().splitlines()) == step + 1
        read = gs.History.read(path)
        assert read.series("loss") == (list(range(10)), [step / 3 for step in range(10)])
        assert {*read.columns} == {"lr.0", "lr.1", "loss"}

    def test_what_json_has_not(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        history = gs.History(log=path)
        for value in (NAN, INF, -INF, 1e-300):
            history.record(loss=value)
        for line in path.read_text().splitlines():
            json.loads(line, parse_constant=lambda name: pytest.fail(name))
        assert str(gs.History.read(path).series("loss")) == "([0, 1, 2, 3], [nan, inf, -inf, 1e-300])"

    def test_a_torn_line_does_not_swallow_the_next(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        gs.History(log=path).record(step=0, loss=1.0)
        with path.open("a") as file:
            file.write('{"step": 1, "lo')
        assert gs.History.read(path).series("loss") == ([0], [1.0])
        gs.History(log=path).record(step=2, loss=3.0)
        assert gs.History.read(path).series("loss") == ([0, 2], [1.0, 3.0])

    def test_a_run_that_goes_on_from_a_checkpoint(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        history = gs.History(log=path)
        for step in range(10):
            history.record(step=step, loss=float(step))
        again = gs.History(log=path)
        for step in range(5, 8):
            again.record(step=step, loss=-float(step))
        assert gs.History.read(path).series("loss") == (
            [*range(8)],
            [0.0, 1.0, 2.0, 3.0, 4.0, -5.0, -6.0, -7.0],
        )

    def test_two_records_of_one_step_stay(self, tmp_path: Path) -> None:
        history = gs.History(log=tmp_path / "run.jsonl")
        history.record(step=3, loss=1.0)
        history.record(step=3, val_loss=2.0)
        read = gs.History.read(tmp_path / "run.jsonl")
        assert (read.series("loss"), read.series("val_loss")) == (([3], [1.0]), ([3], [2.0]))

    def test_two_processes_may_append(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        code = f"import gradstep as gs; history = gs.History(log={str(path)!r})\n"
        code += "for step in range(500): history.record(step=step, loss=0.5)"
        programs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
        assert [program.wait(60) for program in programs] == [0, 0]
        lines = path.read_text().splitlines()
        assert len(lines) == 1000
        assert {json.loads(line)["loss"] for line in lines} == {0.5}

    def test_a_program_that_is_killed_leaves_whole_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        code = f"import gradstep as gs; h = gs.History(log={str(path)!r})\nwhile True: h.record(loss=0.5)"
        program = subprocess.Popen([sys.executable, "-c", code])
        deadline = time.monotonic() + 60
        while not path.exists() or path.stat().st_size < 10_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        program.kill()
        program.wait()
        steps, values = gs.History.read(path, capacity=10**7).series("loss")
        assert steps == list(range(len(steps)))
        assert set(values) == {0.5}

    def test_copies_and_pickles_write_on(self, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        history = gs.History(log=path)
        history.record(loss=1.0)
        pickle.loads(pickle.dumps(history)).record(loss=2.0)
        copy.deepcopy(history).record(loss=3.0)
        assert gs.History.read(path).series("loss") == ([0, 1, 1], [1.0, 2.0, 3.0])

    def test_csv_comes_back(self, tmp_path: Path) -> None:
        history = gs.History()
        for step in range(5):
            history.record(step=step, lr=0.1, loss=step / 3, accuracy=0.5 if step == 2 else None)
        history.record(step=7, loss=INF)
        history.to_csv(tmp_path / "x.csv")
        assert gs.History.read(tmp_path / "x.csv").to_dict() == history.to_dict()

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("x.jsonl", '{"loss": 1.0}\n', 'line 1 is no row such as {"step": 0, "loss": 0.5}'),
            ("x.jsonl", '{"step": 1}\n{"step": 2, "loss": "low"}\n', "line 2 is no row such as"),
            ("x.jsonl", '{"step": 1, x}\n', "line 1 is no row such as"),
            ("x.csv", "loss\n1.0\n", 'there is no column "step"'),
            ("x.csv", "", 'there is no column "step"'),
            ("x.csv", "step,loss\n0,1.0\n1,low\n", "line 3 is no row of numbers"),
            ("x.csv", "step,loss\nx,1.0\n", "line 2 is no row of numbers"),
            ("x.csv", "step,loss\n0,1.0,3\n", "line 2 is no row of numbers"),
        ],
    )
    def test_a_file_of_something_else(self, name: str, content: str, message: str, tmp_path: Path) -> None:
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=re.escape(f"{tmp_path / name}: {message}")):
            gs.History.read(tmp_path / name)

    def test_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe")
        with pytest.raises(ValueError, match=r"is no text$"):
            gs.History.read(tmp_path / "x.jsonl")

    def test_nowhere(self) -> None:
        with pytest.raises(FileNotFoundError):
            gs.History(log="/no/such/folder/x.jsonl")
        with pytest.raises(FileNotFoundError):
            gs.History.read("/no/such/folder/x.jsonl")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")
    def test_a_disk_that_is_full(self) -> None:
        history = gs.History(log="/dev/full")
        with pytest.raises(OSError, match="No space left"):
            history.record(loss=1.0)
        assert history.series("loss") == ([0], [1.0])
