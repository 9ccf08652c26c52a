"""The programs of docs/examples run, in time, and keep the word of their docstrings.

Every program has a check here, named after it. A program without one fails.
"""

import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from processes import mpiexec

FOLDER = Path(__file__).parent.parent / "docs" / "examples"
EXAMPLES = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
SECONDS = 10.0
"""Of processor time, which is what the clock shows on a machine that does nothing else."""


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES[name])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_linear_regression_two_rates(result: dict[str, float]) -> None:
    assert result["w"] == pytest.approx(2, abs=0.15)
    assert result["b"] == pytest.approx(1, abs=0.1)
    assert result["distance at the first rate"] > 0.05
    assert result["distance at the second rate"] < 0.03
    assert result["difference to the schedule"] == 0.0


def check_straight_line_sgd(result: dict[str, Any]) -> None:
    assert result["w"] == pytest.approx(3, abs=0.005)
    assert result["b"] == pytest.approx(2, abs=1e-6)
    losses = result["losses"]
    assert len(losses) == 11
    assert np.all(np.diff(losses) < 0)
    assert losses[-1] < 1e-5
    assert losses[-2] / losses[-1] == pytest.approx(result["predicted quotient"], rel=1e-4)


def check_spike_guard(result: dict[str, Any]) -> None:
    runs = result["runs"]
    assert runs["no guard"]["curve"][-1] < 0.3
    assert min(runs["clip"]["curve"][-1], runs["skip"]["curve"][-1]) > 0.95
    assert (runs["clip"]["skipped"], runs["skip"]["skipped"]) == (0, 6)
    assert result["same"]
    assert result["new level"] < 5


def check_data_parallel(result: dict[int, list[str]]) -> None:
    assert list(result) == [1, 2, 4]
    assert result[1] == result[2] == result[4]
    digest, share, *losses = result[1]
    assert len(digest) == 16
    assert float(share) > 0.85
    assert float(losses[-1]) < 0.5 * float(losses[0])


def check_straight_line_adam(result: dict[str, float]) -> None:
    assert result["w"] == pytest.approx(3, abs=0.002)
    assert result["b"] == pytest.approx(1, abs=0.002)
    assert result["loss"] < 1e-6
    assert result["first step of w"] == pytest.approx(0.01, rel=1e-6)
    assert result["first step of b"] == pytest.approx(0.01, rel=1e-6)
    assert result["largest difference under scaling"] < 1e-5
    assert result["SGD's loss under scaling"] > 1e30


def check_straight_line_feedback(result: dict[float, dict[str, dict[str, list[float]]]]) -> None:
    for run in result[0.1].values():
        assert run["line"] == pytest.approx([2, 1], abs=1e-4)
        assert run["losses"][-1] < 1e-9
    too_large = result[1.1]
    assert too_large["plain"]["losses"][-1] > 1e30
    for form in ("by the sum", "compound"):
        assert too_large[form]["line"] == pytest.approx([2, 1], abs=1e-9)
        assert too_large[form]["rates"][-1] < 1
        assert np.all(np.diff(too_large[form]["rates"]) <= 0)
    assert too_large["by the loss"]["losses"][-1] == pytest.approx(10, rel=1e-3)
    assert too_large["by the loss"]["rates"][-1] == pytest.approx(1, rel=1e-3)


def check_classifier_exponential_decay(result: dict[str, dict[str, float]]) -> None:
    for run in result.values():
        assert run["steps"] == 4600
        assert run["test accuracy"] > 0.96
    assert result["textbook"]["rate"] == pytest.approx(0.1 * 0.96**4.6)
    assert result["staircase"]["rate"] == pytest.approx(0.1 * 0.96**4)
    assert result["faster"]["rate"] == pytest.approx(0.1 * 0.96**230)
    assert result["textbook"]["training loss"] < 0.001 < result["faster"]["training loss"]


def check_batch_sizes(result: dict[str, list[float]]) -> None:
    batch, mini_batch, single = result["batch"], result["mini-batch"], result["single sample"]
    assert single[0] < 0.2
    assert single[0] < mini_batch[0] < 1.5 < batch[0]
    assert np.all(np.diff(batch) < 0)
    assert np.ptp(single[-20:]) > 0.1
    assert max(mini_batch[-20:]) < 0.1


def check_sparse_features(result: dict[str, dict[str, float]]) -> None:
    sgd, adagrad = result["SGD"], result["Adagrad"]
    assert max(sgd["frequent"], adagrad["frequent"]) < 0.05
    assert sgd["rare"] > 0.3
    assert adagrad["rare"] < 0.15
    assert adagrad["loss"] < sgd["loss"] / 2


def check_clipping(result: dict[str, dict[str, list[float]]]) -> None:
    without, clipped = result["without clipping"], result["clip_norm=1.0"]
    assert max(without["norms"]) > 1e5
    assert max(without["losses"]) > 1e4
    assert np.mean(without["losses"][-500:]) == pytest.approx(1 / 6, rel=0.05)
    assert max(clipped["norms"]) > 10  # large gradients came, and did no harm
    assert max(clipped["losses"]) < 5
    assert np.mean(clipped["losses"][-100:]) < 0.08


def check_rate_sweep(result: dict[str, Any]) -> None:
    validation, training = np.array(result["validation losses"]), np.array(result["training losses"])
    assert validation[0] > 2
    assert validation[-1] == np.inf
    assert validation.min() < 0.1
    assert np.all(np.diff(validation[: validation.argmin() + 1]) < 0)
    assert result["chosen"] == result["rates"][validation.argmin()]
    assert result["rates"][training.argmin()] > result["chosen"]
    assert result["test accuracy"] > 0.95


def check_compare_rules(result: dict[tuple[str, str], dict[str, list[float]]]) -> None:
    losses = {pair: curves["loss"][-1] for pair, curves in result.items()}
    assert losses.pop(("Adam", "Constant")) > 0.05
    assert max(losses.values()) < 0.1
    assert max(loss for (rule, _), loss in losses.items() if rule == "Adam") < 0.005
    for rule in {rule for rule, _ in result} - {"Adam"}:
        others = [
            loss for (name, schedule), loss in losses.items() if name == rule and schedule != "Constant"
        ]
        assert losses[rule, "Constant"] < min(others)
    assert min(curves["accuracy"][-1] for pair, curves in result.items() if pair in losses) > 0.93


def check_early_stopping(result: dict[str, Any]) -> None:
    assert result["training loss"] < 0.02
    assert result["stopped at"] == result["best epoch"] + 20
    assert result["stopped at"] < 150
    assert result["best"]["loss"] < result["end"]["loss"] - 0.2


def check_layer_rates(result: dict[str, dict[str, Any]]) -> None:
    small, large = result["small"], result["large"]
    assert min(small["even or odd"], large["even or odd"]) > 0.9
    assert small["ten digits"] > 0.93
    assert large["ten digits"] < 0.85
    assert small["rates"][0] == 0.0
    assert 0.0 < small["rates"][1] < 0.01
    assert large["rates"][0] == 0.5


def check_find_rate(result: dict[str, Any]) -> None:
    for reached in result["accuracy"].values():
        assert reached["found"] > 0.93
        assert reached["a tenth"] < reached["found"] - 0.02
    adam, sgd = result["accuracy"]["Adam"], result["accuracy"]["SGD"]
    assert adam["ten times"] < adam["found"]
    assert sgd["ten times"] > 0.93
    assert result["trouble"] == ("the loss falls no more than it is noisy: try more steps or larger batches")


def check_sweep_rules(result: dict[str, Any]) -> None:
    scores = result["scores"]
    best = {
        rule: min((score, lr) for (one, lr), score in scores.items() if one == rule) for rule, _ in scores
    }
    assert {rule: lr for rule, (_, lr) in best.items()} == {"SGD": 1.0, "RMSprop": 0.01, "Adam": 0.01}
    assert abs(best["RMSprop"][0] - best["Adam"][0]) < 0.01
    assert ("SGD", 10.0) not in scores
    assert result["best"] == result["best of the halved"]
    assert result["statuses"].count("done") == 18


def check_rosenbrock(result: dict[str, Any]) -> None:
    assert 1e-4 < result["constant"]["end"] < 0.1
    assert result["falling"]["end"] < 1e-9
    if result["by SciPy"] is not None:
        assert result["by SciPy"] == {"distance": result["falling"]["distance"], "calls": 5001}
        assert result["L-BFGS-B"]["calls"] < 100


def check_word2vec(result: dict[str, Any]) -> None:
    losses, chance = result["losses"], result["chance"]
    assert np.all(np.diff(losses) < 0)
    assert losses[-1] < 0.6 * chance
    # The text is that of the Python that runs.
    assert np.median(list(result["ranks"].values())) < 10
    assert result["words"] > 500


def check_matrix_factorisation(result: dict[str, dict[str, float]]) -> None:
    biases, vectors, without = result["biases"], result["vectors"], result["no λ"]
    assert vectors["held out"] < 0.8 < 1.0 < biases["held out"]
    assert without["held out"] > vectors["held out"] + 0.03
    assert without["learned"] < vectors["learned"]


CHECKS: dict[str, Callable[[Any], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


def test_every_example_has_a_check_and_every_check_an_example() -> None:
    assert sorted(CHECKS) == sorted(EXAMPLES)


def test_the_index_lists_every_example_once() -> None:
    listed = re.findall(
        r"^\| \[(\w+)\.py\]\(\1\.py\)", (FOLDER / "README.md").read_text("utf-8"), flags=re.MULTILINE
    )
    assert sorted(listed) == sorted(EXAMPLES)


# Under a sanitizer word2vec takes more than its seconds.
TRIED = [
    pytest.param(name, marks=pytest.mark.not_sanitized if name == "word2vec" else ()) for name in EXAMPLES
]


@pytest.mark.parametrize("name", TRIED)
def test_an_example_keeps_its_word(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "data_parallel" and mpiexec() is None:
        pytest.skip("there is no mpiexec beside this Python, or no mpi4py: they are in the group test")
    begin = time.thread_time()
    module = load(name)
    result = module.main()
    assert time.thread_time() - begin < SECONDS
    assert capsys.readouterr().out.count("\n") >= 10, "it prints a learning curve"
    assert module.__doc__ is not None
    assert "What it teaches" in module.__doc__
    assert "What to look at" in module.__doc__
    CHECKS[name](result)
    assert load(name).main() == result, "its seed is fixed"


def test_backpropagation_through_time_is_the_gradient() -> None:
    clipping = load("clipping")
    rng = np.random.default_rng(1)
    inputs, targets = clipping.draw(rng)
    params = {name: rng.normal(scale=0.3, size=p.shape) for name, p in clipping.initial_params(rng).items()}
    _, grads = clipping.loss_and_grads(params, inputs, targets)
    for name, p in params.items():
        direction = rng.normal(size=p.shape)
        losses = [
            clipping.loss_and_grads({**params, name: p + h * direction}, inputs, targets)[0]
            for h in (-1e-6, 1e-6)
        ]
        assert (losses[1] - losses[0]) / 2e-6 == pytest.approx(np.sum(grads[name] * direction), rel=1e-4)


def test_compare_rules_draws_its_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot = tmp_path / "plot.png"
    subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES["compare_rules"]), "--plot", str(plot)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert plot.stat().st_size < 200_000
