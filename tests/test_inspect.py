"""`gradstep inspect`: what it shows, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.cli import main
from hostile import put, with_header


def save(path: Path, w: float = 1.0, step_count: int = 1234, **extra: Any) -> Path:
    opt = gs.Adam({"fc1": {"w": np.full((2, 3), w)}, "b": np.ones(3, np.float32)}, lr=0.5)
    opt.step_count = step_count
    gs.save(path, opt, **extra)
    return path


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_what_is_in_a_file(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / f"x{suffix}", epoch=3, best=np.ones(2))
    assert main(["inspect", str(path)]) == 0
    output = capsys.readouterr().out
    assert output.startswith(f"{path}: {suffix}, written by gradstep {gs.__version__}\n")
    assert "Adam after 1,234 steps\n2 parameters, with the arrays\nlr=0.5, " in output
    assert "extra: epoch (int), best (array)" in output
    (line,) = (line for line in output.splitlines() if line.startswith("params/fc1.w "))
    assert line.split()[:5] == ["params/fc1.w", "float64", "(2,", "3)", "48"]
    assert output.endswith("whole: the checksums of all 7 arrays hold, 196 bytes\n")


def test_several_optimizers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.npz"
    gs.save(path, {"a": gs.SGD(np.ones(1)), "b": gs.Adam(np.ones(1))}, params=False)
    assert main(["inspect", str(path)]) == 0
    output = capsys.readouterr().out
    assert "a: SGD after 0 steps\n1 parameter, without the arrays" in output
    assert "b: Adam after 0 steps" in output


def test_two_that_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(save(tmp_path / name, best=[np.ones(2)])) for name in ("x.npz", "y.safetensors")]
    assert main(["inspect", *paths]) == 0
    assert capsys.readouterr().out == f"{paths[0]} and {paths[1]} hold the same, bit for bit\n"


def test_two_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = save(tmp_path / "a.npz", epoch=1, seen=np.arange(3), old=[1])
    b = save(tmp_path / "b.npz", w=1.5, step_count=99, epoch=2, seen=np.ones((3, 1)))
    assert main(["inspect", str(a), str(b)]) == 1
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()[2:]]
    assert lines == [
        "optimizers['']['step_count'] 1234 99",
        "optimizers['']['parameters']['fc1.w']['count'] 1234 99",
        "params/fc1.w float64 of shape (2, 3) 6 of 6 elements differ, by 0.5 at the most",
        "optimizers['']['parameters']['b']['count'] 1234 99",
        "extra['epoch'] 1 2",
        "extra/seen int64 of shape (3,) float64 of shape (3, 1)",
        "extra['old'][0] 1 -",
    ]


def test_a_damaged_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "x.npz")
    path.write_bytes(path.read_bytes().replace(np.ones(3).tobytes(), np.zeros(3).tobytes(), 1))
    assert main(["inspect", str(path)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"gradstep inspect: {path}: params/fc1.w is damaged: its checksum is ")


def test_what_a_terminal_would_obey_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(with_header(put("writer", "\x1b[2J\r")))
    assert main(["inspect", str(path)]) == 0
    assert "written by \\x1b[2J\\r\n" in capsys.readouterr().out


def test_no_state_dict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(with_header(put("tree", "optimizers", "", "step_count", "\n")))
    assert main(["inspect", str(path)]) == 1
    assert "['step_count'] must be an int, got str" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x.npz", ""])
def test_no_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, there = tmp_path / name, save(tmp_path / "y.npz")
    for arguments, argument in (([str(path)], "FILE"), ([str(there), str(path)], "OTHER")):
        with pytest.raises(SystemExit) as exit_:
            main(["inspect", *arguments])
        assert exit_.value.code == 2
        why = "No such file or directory" if name else "Is a directory"
        wanted = f"gradstep inspect: error: argument {argument}: cannot read '{path}': {why}"
        assert capsys.readouterr().err.splitlines()[-1] == wanted


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = save(tmp_path / "a.npz", epoch=1), save(tmp_path / "b.npz", w=1.5)
    assert main(["inspect", str(a), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["kind"], told["extra"]) == (str(a), ".npz", {"epoch": "int"})
    assert told["optimizers"][""]["class"] == "Adam"
    assert told["optimizers"][""]["parameters"] == ["fc1.w", "b"]
    assert told["optimizers"][""]["groups"][0]["lr"] == "0.5"
    assert told["arrays"]["params/fc1.w"]["shape"] == [2, 3]
    assert sum(one["bytes"] for one in told["arrays"].values()) == told["bytes"]
    assert main(["inspect", "--json", str(a), str(b)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["same"]) == ([str(a), str(b)], False)
    assert {"place": "extra['epoch']", "values": ["1", "-"]} in told["differences"]
    assert main(["inspect", "--json", str(a), str(a)]) == 0
    assert json.loads(capsys.readouterr().out) == {"files": [str(a)] * 2, "same": True, "differences": []}


def test_on_a_narrow_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.chdir(tmp_path)
    path = save(Path("x.npz"))
    assert main(["inspect", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index("params/fc1.w") + 1] == "  dtype  float64"
    assert max(map(len, lines)) <= 40
