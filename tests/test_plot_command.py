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
    assert refusal(capsys, "Constant(1)", "-o", str(tmp_path / "x.png"), "--json") == message


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
    assert refusal(capsys, *arguments) == message


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
    assert refusal(capsys, text) == f"argument SCHEDULE: {message}"


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
    assert main(["plot", "Constant(1)", "-o", str(path)]) == 1
    assert capsys.readouterr().err == f"gradstep plot: cannot write '{path}': No space left on device\n"


def test_without_matplotlib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent.no_matplotlib(monkeypatch)
    message = "argument -o/--output: plots need matplotlib: pip install matplotlib\n"
    assert refusal(capsys, "Constant(1)", "-o", str(tmp_path / "x.png")) == message
    assert main(["plot", "Constant(1)"]) == 0


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    for name, factor in (("a", 1.0), ("b", 2.0)):
        history = gs.History(log=tmp_path / f"{name}.jsonl")
        for step in range(100):
            history.record(
                step=step, lr=0.1, loss=factor / (1 + step), val_loss=0.5 if step % 20 == 0 else None
            )
        history.to_csv(tmp_path / f"{name}.csv")
    return [str(tmp_path / "a.jsonl"), str(tmp_path / "b.csv")]


def test_runs_in_the_terminal(
    runs: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["plot", *runs]) == 0
    charts = capsys.readouterr().out.rstrip("\n").split("\n\n")
    heads = [chart.split("\n")[0] for chart in charts]
    assert heads == [f"{run}: {column}" for run in runs for column in ("loss", "val_loss")]
    _, facts, *lines = charts[0].split("\n")
    assert facts == "last 0.01 at step 99, min 0.01, max 1"
    assert len(lines) == HEIGHT + 1
    assert max(map(len, lines)) <= 60
    assert lines[-1].split() == ["(log)", "0", "99"]
    assert main(["plot", runs[0], "--columns", "lr"]) == 0
    assert capsys.readouterr().out.startswith(f"{runs[0]}: lr\nlast 0.1 at step 99, min 0.1, max 0.1\n")


def test_runs_in_a_picture(runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    monkeypatch.setattr("gradstep.plots.histories.save", lambda figure, *_, **__: drawn.append(figure))
    assert main(["plot", *runs, "-o", str(tmp_path / "x.png")]) == 0
    assert main(["plot", runs[0], "-o", str(tmp_path / "x.png")]) == 0
    assert main(["plot", *runs, "--columns", "lr", "-o", str(tmp_path / "x.png")]) == 0
    both, one, rates = drawn
    (axes,) = both.axes
    assert [line.get_label() for line in axes.lines] == [
        f"{run}: {column}"[:60] if len(f"{run}: {column}") <= 60 else f"{run}: {column}"[:59] + "…"
        for run in runs
        for column in ("loss", "val_loss")
    ]
    colours = [line.get_color() for line in axes.lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert len(both.legends) == 1
    left, right = one.axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss", "learning rate")
    assert rates.axes[0].get_ylabel() == "learning rate"


def test_runs_that_cannot_be_drawn(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", *runs, "Constant(1)"]) == 2
    assert capsys.readouterr().err == "gradstep plot: schedules and runs cannot be drawn in one picture\n"
    assert main(["plot", *runs, "--columns", "accuracy"]) == 2
    message = "history has no column 'accuracy'; it has lr, loss, val_loss"
    assert capsys.readouterr().err == f"gradstep plot: {runs[0]}: {message}\n"
    (tmp_path / "empty.jsonl").touch()
    assert main(["plot", str(tmp_path / "empty.jsonl")]) == 2
    assert capsys.readouterr().err == f"gradstep plot: {tmp_path / 'empty.jsonl'}: there is nothing to draw\n"
    (tmp_path / "bad.csv").write_text("a,b\n")
    message = f'argument SCHEDULE: {tmp_path / "bad.csv"}: there is no column "step"\n'
    assert refusal(capsys, str(tmp_path / "bad.csv")) == message
    missing = str(tmp_path / "no.csv")
    assert (
        refusal(capsys, missing) == f"argument SCHEDULE: cannot read {missing!r}: No such file or directory\n"
    )


def test_a_run_that_has_diverged_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = gs.History(log=tmp_path / "x.jsonl")
    for loss in (1.0, 2.0, float("inf"), float("nan")):
        history.record(loss=loss)
    assert main(["plot", str(tmp_path / "x.jsonl")]) == 0
    assert "last nan at step 3, min 1, max inf" in capsys.readouterr().out
    (tmp_path / "nan.jsonl").write_text('{"step": 0, "loss": "nan"}\n')
    assert main(["plot", str(tmp_path / "nan.jsonl")]) == 0
