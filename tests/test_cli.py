"""The command line: what it accepts, what it refuses, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

import absent
import gradstep as gs
from gradstep.cli import COMMANDS, main
from gradstep.demo import digits


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if the demo gets as far as reading its data."""

    def fail() -> NoReturn:
        raise AssertionError("the arguments should have been refused before training")

    monkeypatch.setattr(digits, "split", fail)


no_matplotlib = pytest.fixture(absent.no_matplotlib)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command line that must be refused, and return the last line of what it says."""
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.splitlines()[-1]


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dance"], "gradstep: error: argument COMMAND: invalid choice: 'dance'"),
        (["demo", "--epochs", "0"], "argument --epochs: expected an integer from 1 to 10000, got '0'"),
        (["demo", "--epochs", "-3"], "argument --epochs: expected an integer from 1 to 10000, got '-3'"),
        (["demo", "--epochs", "1e3"], "argument --epochs: expected an integer from 1 to 10000, got '1e3'"),
        (
            ["demo", "--epochs", "10001"],
            "argument --epochs: expected an integer from 1 to 10000, got '10001'",
        ),
        (["demo", "--epochs"], "argument --epochs: expected one argument"),
        (["demo", "--seed", "-1"], f"argument --seed: expected an integer from 0 to {2**63 - 1}, got '-1'"),
        (["demo", "--seed", "x"], f"argument --seed: expected an integer from 0 to {2**63 - 1}, got 'x'"),
        (["demo", "--require", "1.5"], "argument --require: expected a number from 0 to 1, got '1.5'"),
        (["demo", "--require", "nan"], "argument --require: expected a number from 0 to 1, got 'nan'"),
        (["demo", "--require", "95%"], "argument --require: expected a number from 0 to 1, got '95%'"),
        (["demo", "--json", ""], "argument --json: cannot write '': Is a directory"),
        (["demo", "--json", "."], "argument --json: cannot write '.': Is a directory"),
        (
            ["demo", "--json", "/no/such/folder/x.json"],
            "argument --json: cannot write '/no/such/folder/x.json': No such file or directory",
        ),
        (["info", "now"], "gradstep: error: unrecognized arguments: now"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in refusal(capsys, *arguments)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/no/such/folder/x.png", "cannot write '/no/such/folder/x.png': No such file or directory"),
        ("x.txt", "'x.txt' must end in one of ."),
        ("x", "'x' must end in one of ."),
    ],
)
def test_wrong_plot(path: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert f"argument --plot: {message}" in refusal(capsys, "demo", "--plot", path)


def test_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    had_pyplot = "matplotlib.pyplot" in sys.modules
    paths = [tmp_path / "x.png", tmp_path / "x.SVG"]
    for path in paths:
        main(["demo", "--epochs", "1", "--plot", str(path)])
    png, svg = (path.read_bytes() for path in paths)
    assert png.startswith(b"\x89PNG")
    assert b"<svg" in svg
    # pyplot would have chosen a backend for the whole process.
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot


@pytest.mark.usefixtures("no_training", "no_matplotlib")
def test_plot_without_matplotlib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.png"
    message = "plots need matplotlib: pip install matplotlib"
    assert message in refusal(capsys, "demo", "--plot", str(path))
    assert not path.exists()


@pytest.mark.usefixtures("no_matplotlib")
def test_demo_needs_no_matplotlib_without_plot(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--epochs", "1", "--seed", "4"]) == 0
    output = capsys.readouterr()
    assert "epochs: 1, mini-batches of 32, seed 4" in output.out
    assert output.err == ""


@pytest.mark.usefixtures("no_training")
def test_checking_a_path_leaves_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    kept.write_text("precious")
    for path in (kept, new):
        refusal(capsys, "demo", "--json", str(path), "--epochs", "0")
    assert kept.read_text() == "precious"
    assert not new.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")
def test_disk_that_fills_up_costs_no_results(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--epochs", "1", "--json", "/dev/full"]) == 1
    output = capsys.readouterr()
    assert "AdamW" in output.out
    assert "gradstep demo: cannot write the results: [Errno 28] No space left on device" in output.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], *([command.name, "--help"] for command in COMMANDS)):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 0
    output = capsys.readouterr().out
    for command in COMMANDS:
        assert f"usage: gradstep {command.name}" in output


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("usage: gradstep ")
    assert output.err == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"gradstep {gs.__version__}\n"


def test_info(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADSTEP_NUM_THREADS", "3")
    monkeypatch.delenv("GRADSTEP_SIMD", raising=False)
    assert main(["info"]) == 0
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert first == last == "```", "an issue shows it as it is"
    facts = {name: value.strip() for name, value in (line.split("  ", 1) for line in lines)}
    assert facts["gradstep"] == gs.__version__
    assert facts["NumPy"].startswith(f"{np.__version__} (")
    assert facts["Python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert facts["threads"] == str(gs.get_num_threads())
    assert facts["GRADSTEP_NUM_THREADS"] == "3"
    assert facts["GRADSTEP_SIMD"] == "(not set)"
    tier, _, supported = facts["SIMD tier"].partition(" (supported: ")
    assert tier in supported.rstrip(")").split(", ")


def test_importing_the_command_line_does_not_import_matplotlib() -> None:
    code = "import sys, gradstep.cli; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_terminal_that_knows_only_ascii() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "gradstep", "demo", "--epochs", "1"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"NumPy, ?s" in result.stdout
    assert b"Traceback" not in result.stderr
