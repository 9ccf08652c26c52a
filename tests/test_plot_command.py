"""`gradstep plot`: what it draws, what it refuses, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from gradstep.cli import main


def plot(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "gradstep", "plot", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command line that must be refused, and return what it says after the usage."""
    with pytest.raises(SystemExit) as exit_:
        main(["plot", *arguments])
    assert exit_.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.partition("gradstep plot: error: ")[2]


def test_draws_into_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["plot", " Cosine(0.1, 1000)\n.warmup(100) ", "Constant(0.5)"]) == 0
    first, second = capsys.readouterr().out.split("\n\n")
    name, facts, *lines = first.split("\n")
    assert name == "Cosine(0.1, 1000) .warmup(100)"
    assert facts == "first 0.000990099 at step 0, last 0 at step 1,100, min 0, max 0.1"
    assert len(lines) == 9
    assert max(map(len, lines)) <= 60
    assert second.startswith("Constant(0.5)\nfirst 0.5 at step 0, last 0.5 at step 1,100, min 0.5, max 0.5\n")


def test_number_of_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", "Linear(1, 0, 10)", "--steps", "6"]) == 0
    assert "first 1 at step 0, last 0.5 at step 5, min 0.5, max 1\n" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_terminals_of_any_encoding(encoding: str) -> None:
    result = plot("Cosine(0.1, 1000)", PYTHONIOENCODING=encoding)
    assert (result.returncode, result.stderr) == (0, b"")
    assert ("█" in result.stdout.decode(encoding)) == (encoding == "utf-8")
    assert b"?" not in result.stdout


def test_draws_into_files(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    had_pyplot = "matplotlib.pyplot" in sys.modules
    for name, start in (("x.png", b"\x89PNG"), ("x.SVG", b"<?xml"), ("x.pdf", b"%PDF")):
        path = tmp_path / name
        assert main(["plot", "Cosine(0.1, 1000)", "Exponential(0.1, 0.9)", "-o", str(path)]) == 0
        assert path.read_bytes().startswith(start)
        assert main(["plot", "Constant(0.1)", "--output", str(path)]) == 0
    # pyplot would have chosen a backend for the whole process.
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Cosine(0.1, 0)"], "argument SCHEDULE: steps must be at least 1, got 0\n  Cosine(0.1, 0)\n  ^\n"),
        (
            ["Constant(1)", "Constant(1).__class__"],
            "argument SCHEDULE: expected a call such as .warmup(100), got .__class__\n"
            "  Constant(1).__class__\n"
            "              ^\n",
        ),
        ([""], "argument SCHEDULE: expected a schedule such as Cosine(0.1, 1000), got nothing\n  \n  ^\n"),
        (["Constant(%d)"], "argument SCHEDULE: unexpected character '%'\n  Constant(%d)\n           ^\n"),
        (
            ["__import__('os').system('true')"],
            "argument SCHEDULE: a schedule has no 'system' here; expected one of then, warmup, clip, every, "
            "shift, repeat\n  __import__('os').system('true')\n                   ^\n",
        ),
        (["Constant(1)", "--steps", "0"], "argument --steps: expected an integer from 1 to 2**53, got '0'\n"),
        (
            ["Constant(1)", "--steps", "1e3"],
            "argument --steps: expected an integer from 1 to 2**53, got '1e3'\n",
        ),
        (
            ["Constant(1)", "--steps", "9007199254740993"],
            "argument --steps: expected an integer from 1 to 2**53, got '9007199254740993'\n",
        ),
        ([], "the following arguments are required: SCHEDULE\n"),
    ],
)  # fmt: skip
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, *arguments) == message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/no/such/folder/x.png", "cannot write '/no/such/folder/x.png': No such file or directory"),
        ("x.txt", "'x.txt' must end in one of ."),
        ("x", "'x' must end in one of ."),
    ],
)
def test_wrong_path(path: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert refusal(capsys, "Constant(1)", "-o", path).startswith(f"argument -o/--output: {message}")


def test_a_wrong_expression_leaves_the_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    kept, new = tmp_path / "kept.png", tmp_path / "new.png"
    kept.write_text("precious")
    for path in (kept, new):
        refusal(capsys, "-o", str(path), "Constant(")
    assert kept.read_text() == "precious"
    assert not new.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")
def test_a_disk_that_is_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "x.png"
    path.symlink_to("/dev/full")
    assert main(["plot", "Constant(1)", "-o", str(path)]) == 2
    assert capsys.readouterr().err == f"gradstep plot: cannot write '{path}': No space left on device\n"


class WithoutMatplotlib:
    """An import hook that pretends that matplotlib is not installed."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def test_without_matplotlib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [WithoutMatplotlib(), *sys.meta_path])
    message = "argument -o/--output: plots need matplotlib: pip install 'gradstep[plot]'\n"
    assert refusal(capsys, "Constant(1)", "-o", str(tmp_path / "x.png")) == message
    assert main(["plot", "Constant(1)"]) == 0
