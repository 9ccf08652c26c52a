"""`gradstep plot` of files with runs: in the terminal, in a picture, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import gradstep as gs
from gradstep.cli import main
from gradstep.cli.chart import HEIGHT
from refusals import refusal


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
    assert refusal(capsys, "plot", str(tmp_path / "bad.csv")) == message
    missing = str(tmp_path / "no.csv")
    wanted = f"argument SCHEDULE: cannot read {missing!r}: No such file or directory\n"
    assert refusal(capsys, "plot", missing) == wanted


def test_a_run_that_has_diverged_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = gs.History(log=tmp_path / "x.jsonl")
    for loss in (1.0, 2.0, float("inf"), float("nan")):
        history.record(loss=loss)
    assert main(["plot", str(tmp_path / "x.jsonl")]) == 0
    assert "last nan at step 3, min 1, max inf" in capsys.readouterr().out
    (tmp_path / "nan.jsonl").write_text('{"step": 0, "loss": "nan"}\n')
    assert main(["plot", str(tmp_path / "nan.jsonl")]) == 0
