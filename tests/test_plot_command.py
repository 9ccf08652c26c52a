"""`gradstep plot`: what it draws, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import absent
import gradstep as gs
from gradstep.cli import main
from gradstep.cli.chart import HEIGHT
from refusals import refusal


def plot(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "gradstep", "plot", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_draws_into_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "66")
    assert main(["plot", " Cosine(0.1, 1000)\n.warmup(100) ", "Constant(0.5)"]) == 0
    first, second = capsys.readouterr().out.split("\n\n")
    name, facts, *lines = first.split("\n")
    assert name == "Cosine(0.1, 1000) .warmup(100)"
    assert facts == "first 0.000990099 at step 0, last 0 at step 1,100, min 0, max 0.1"
    assert len(lines) == 9
    assert max(map(len, lines)) <= 66
    assert second.startswith("Constant(0.5)\nfirst 0.5 at step 0, last 0.5 at step 1,100, min 0.5, max 0.5\n")


def test_facts_are_broken_where_the_terminal_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["plot", "Cosine(0.1, 1000)"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["first 0.1 at step 0, last 0 at step", "1,000, min 0, max 0.1"]
    assert max(map(len, lines)) <= 40


def test_what_has_no_effect_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    gs.History(log=path).record(loss=1.0)
    assert main(["plot", str(path), "--steps", "5"]) == 2
    assert capsys.readouterr().err == "gradstep plot: --steps is for schedules; a run has its own\n"
    assert main(["plot", "Constant(1)", "--columns", "loss"]) == 2
    assert "gradstep plot: --columns is for runs" in capsys.readouterr().err
    message = "argument --json: not allowed with argument -o/--output\n"
    pytest.importorskip("matplotlib")
    assert refusal(capsys, "plot", "Constant(1)", "-o", str(tmp_path / "x.png"), "--json") == message


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", "Linear(1, 0, 4)", "Constant(2)", "--steps", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "steps": [0, 1, 2, 3, 4],
        "schedules": {"Linear(1, 0, 4)": [1.0, 0.75, 0.5, 0.25, 0.0], "Constant(2)": [2.0] * 5},
    }
    assert main(["plot", "Cosine(1, 123456)", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert (len(steps), steps[0], steps[-1]) == (1000, 0, 123456)
    path = tmp_path / "x.jsonl"
    history = gs.History(log=path)
    for loss in (1.0, float("nan")):
        history.record(loss=loss, lr=0.5)
    assert main(["plot", str(path), "--json"]) == 0
    series = json.loads(capsys.readouterr().out)["runs"][str(path)]
    assert series["loss"] == {"steps": [0, 1], "values": [1.0, None]}
    assert series["lr"]["values"] == [0.5, 0.5]


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
            "argument SCHEDULE: a schedule has no 'system' here; expected one of then, warmup, cooldown, "
            "clip, every, stride, shift, repeat\n  __import__('os').system('true')\n                   ^\n",
        ),
        (
            ["Constant(1)", "--steps", "0"],
            "argument --steps: expected an integer from 1 to 9007199254740992, got '0'\n",
        ),
        (
            ["Constant(1)", "--steps", "1e3"],
            "argument --steps: expected an integer from 1 to 9007199254740992, got '1e3'\n",
        ),
        (
            ["Constant(1)", "--steps", "9007199254740993"],
            "argument --steps: expected an integer from 1 to 9007199254740992, got '9007199254740993'\n",
        ),
        ([], "the following arguments are required: SCHEDULE\n"),
    ],
)  # fmt: skip
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "plot", *arguments) == message


@pytest.mark.parametrize(
    "text",
    ["-0.5*Constant(1)", "-0.5 * Constant(1)", "-.5*Constant(1)", "-(0.5)*Constant(1)", "-1/2*Constant(1)"],
)
def test_an_expression_may_begin_with_a_minus(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([text], ["--", text], ["--steps", "9", text], [text, "--steps", "9"]):
        assert main(["plot", *arguments]) == 0
        assert capsys.readouterr().out.startswith(f"{text}\nfirst -0.5 at step 0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-Constant(1)", "a sign needs a number, got a Constant; multiply by -1\n  -Constant(1)\n  ^\n"),
        ("-constant(1)", "unknown schedule 'constant'; did you mean Constant?\n  -constant(1)\n   ^\n"),
    ],
)
def test_a_wrong_expression_that_begins_with_a_minus(
    text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(capsys, "plot", text) == f"argument SCHEDULE: {message}"


def test_a_file_with_parentheses_is_a_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for option in ("-o", "--output="):
        path = tmp_path / f"x{option.strip('-=')}(1).png"
        assert main(["plot", "Constant(1)", f"{option}{path}"]) == 0
        assert path.exists()


LARGE = [
    "Piecewise([5], [1e308, -1e308])",
    "Constant(1.7e308)",
    "Constant(-1.79e308)",
    "Linear(1e308, -1e308, 100)",
    "Linear(1.7e308, 1.6e308, 100)",
    "Exponential(1e300, 1.3)",
    "Exponential(1.7e308, 0.5)",
    "Exponential(1, 1e308)",
    "Linear(1e306, 0, 10)",
    "1e308 * Constant(1e308)",
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", LARGE)
def test_values_near_the_largest_float(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["plot", text]) == 0
    assert capsys.readouterr().out.count("|") == HEIGHT
    pytest.importorskip("matplotlib")
    assert main(["plot", text, "Constant(1.0)", "-o", str(tmp_path / "x.png")]) == 0
    assert main(["plot", text, "-o", str(tmp_path / "x.png")]) == 0


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
    assert refusal(capsys, "plot", "Constant(1)", "-o", path).startswith(f"argument -o/--output: {message}")


def test_a_wrong_expression_leaves_the_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    kept, new = tmp_path / "kept.png", tmp_path / "new.png"
    kept.write_text("precious")
    for path in (kept, new):
        refusal(capsys, "plot", "-o", str(path), "Constant(")
    assert kept.read_text() == "precious"
    assert not new.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")
def test_a_disk_that_is_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "x.png"
    path.symlink_to("/dev/full")
    assert main(["plot", "Constant(1)", "-o", str(path)]) == 1
    assert capsys.readouterr().err == f"gradstep plot: cannot write '{path}': No space left on device\n"


def test_without_matplotlib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent.no_matplotlib(monkeypatch)
    message = "argument -o/--output: plots need matplotlib: pip install matplotlib\n"
    assert refusal(capsys, "plot", "Constant(1)", "-o", str(tmp_path / "x.png")) == message
    assert main(["plot", "Constant(1)"]) == 0
