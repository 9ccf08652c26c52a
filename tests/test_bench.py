"""`gradstep bench`: what it measures, refuses, prints and writes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import absent
from gradstep.bench import contenders, machine, schedules, steps
from gradstep.bench.contenders import OWN, Contender
from gradstep.bench.results import Results
from gradstep.bench.rounds import Samples
from gradstep.bench.rules import RULES
from gradstep.bench.schedules import ScheduleTimes
from gradstep.bench.steps import FLOOR, StepTimes
from gradstep.bench.workloads import USUAL, WORKLOADS
from gradstep.cli import bench, main
from gradstep.tables import as_text

numpy_only = pytest.fixture(autouse=True)(absent.numpy_only)


def test_quick_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = {name: tmp_path / f"x.{name}" for name in ("json", "markdown")}
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    chosen = ["--rules", "sgd", "adam", "--workloads", "tensor"]
    assert main(["bench", "--quick", *chosen, *options]) == 0
    output = capsys.readouterr().out
    assert machine.cpu() in output
    assert "One small tensor: 1 tensor, 1,000 elements" in output

    written = json.loads(paths["json"].read_text(encoding="utf-8"))
    assert written["versions"]["numpy"] == np.__version__
    assert [(row["workload"], row["rule"]) for row in written["steps"]] == [
        ("tensor", "sgd"),
        ("tensor", "adam"),
    ]
    for row in written["steps"]:
        assert {*row["samples"]} == {*row["microseconds"]} == {*row["ratio"]} == {OWN, "numpy", "numpy-out"}
        assert all(len(times) == written["rounds"] == 3 for times in row["samples"].values())
        assert row["ratio"][OWN] == 1.0
        assert all(x > 0 for x in row["microseconds"].values())

    page = paths["markdown"].read_text(encoding="utf-8")
    assert "Made by `gradstep bench --rules sgd adam --workloads tensor --quick` on" in page
    assert "|  | SGD | Adam |" in page


def test_floor_and_schedules() -> None:
    present = contenders.installed()
    times = steps.measure(WORKLOADS["tensor"], RULES["adam"], present, 2, floor=True)
    rows = [schedules.measure_scalar(2), schedules.measure_array(2, 30_000)]
    results = Results(machine.facts(), contenders.versions(), 2, [times], rows)
    titles = dict(results.sections(as_text))
    assert "attainable" in titles["One small tensor: memory traffic"]
    assert "array of 30,000 steps" in titles["Learning-rate schedules: linear warmup, then cosine"]
    json.dumps(results.as_json(), allow_nan=False)


def test_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from gradstep.bench import figure

    every = {key: [2.0] for key in contenders.TITLES} | {OWN: [1.0]}
    rows = [StepTimes(WORKLOADS[w], rule, Samples(every)) for w in USUAL for rule in RULES.values()]
    figure.draw(Results(machine.facts(), contenders.versions(), 1, rows), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "x.png").stat().st_size < 200_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rules", "lion"], "argument --rules: invalid choice: 'lion'"),
        (["--workloads", "gpt3"], "argument --workloads: invalid choice: 'gpt3'"),
        (["--contenders", "jax"], "argument --contenders: invalid choice: 'jax'"),
        (["--rounds", "0"], "argument --rounds: expected an integer from 1 to 10000, got '0'"),
        (["--rounds", "1.5"], "argument --rounds: expected an integer from 1 to 10000, got '1.5'"),
        (["--json", "/no/such/folder/x"], "argument --json: cannot write '/no/such/folder/x'"),
        (["--markdown", "/no/such/folder/x"], "argument --markdown: cannot write '/no/such/folder/x'"),
        (["--check", "--rules", "sgd"], "--check chooses what is measured: leave out --rules"),
        (["--check", "--quick"], "--check chooses what is measured: leave out --quick"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["bench", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_contender_that_is_not_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--contenders", "numpy", "numba"]) == 1
    expected = "gradstep bench: not installed: numba (here: gradstep, numpy, numpy-out)\n"
    assert capsys.readouterr().err == expected


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(steps, "memory_available", lambda: 10**9)
    assert main(["bench", "--workloads", "gpt2", "--rules", "adam"]) == 1
    assert "GPT-2 small with 3 contenders needs about 9 GB, and 1 GB are free" in capsys.readouterr().err


def test_disagreement_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Contender("numpy", {"adam": contenders.TEXTBOOK_STEPS["sgd"]})
    monkeypatch.setitem(contenders.installed(), "numpy", wrong)
    assert main(["bench", "--rules", "adam", "--quick"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("gradstep bench: NumPy, textbook is not the same Adam")


def everything(ratio: float) -> Results:
    """A whole run with every contender, in which all take so many times gradstep's time."""
    seconds = {key: [ratio] for key in contenders.TITLES} | {OWN: [1.0]}
    facts = dict.fromkeys(machine.facts(), "Some Very Long Name of a Processor (R) 8488C at 2.4 GHz")
    results = Results(facts, dict.fromkeys(("gradstep", "numpy", "torch", "numba"), "10.20.30"), 21)
    for workload in WORKLOADS.values():
        for rule in RULES.values():
            scale = 1e-11 * workload.elements
            samples = {key: [x * scale for x in times] for key, times in seconds.items()}
            if workload.is_large:
                samples[FLOOR] = [scale]
            results.steps.append(StepTimes(workload, rule, Samples(samples, before=samples)))
    for key in ("scalar", "array"):
        results.schedules.append(ScheduleTimes(key, "array of 10,000,000 steps", 1, Samples(seconds)))
    return results


@pytest.mark.parametrize("ratio", [0.5, 1.0, 123.4, 5678.0])
@pytest.mark.parametrize("options", [["--limit"], ["--check"]])
def test_output_fits_80_columns(
    ratio: float, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "measure", lambda _: everything(ratio))
    main(["bench", *options])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 50
    assert max(map(len, lines)) <= 80


def test_the_step_in_training() -> None:
    present = contenders.installed()
    times = steps.measure(WORKLOADS["training"], RULES["adam"], present, 2, floor=False)
    assert all(0.0 < times.samples.share(name) < 1.0 for name in present)
    results = Results(machine.facts(), contenders.versions(), 2, [times])
    titles = dict(results.sections(as_text))
    assert "NumPy, textbook" in titles["The MLP in training, batch 64: the step's share of the loop"]
    written: Any = results.as_json()
    assert written["steps"][0]["share_of_loop"] == {name: times.samples.share(name) for name in present}
    json.dumps(results.as_json(), allow_nan=False)
