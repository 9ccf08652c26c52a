"""Histories in files: appended line by line, torn, read back."""

from __future__ import annotations

import copy
import json
import math
import pickle
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gradstep as gs

NAN, INF = math.nan, math.inf


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
