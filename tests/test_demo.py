"""The demo's parts: data, network, textbook rules, training; and the whole of it as users run it."""

import hashlib
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.demo import digits, timing
from gradstep.demo.network import (
    Floats,
    Params,
    accuracy,
    activations,
    arrays,
    initial_params,
    loss_and_grads,
)
from gradstep.demo.recipes import RECIPES, Recipe
from gradstep.demo.report import Report, Row
from gradstep.demo.timing import Comparison, LoopTimes
from gradstep.demo.training import BATCH_SIZE, Run, mini_batches, steps_per_epoch, train

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
RULES = ["SGD", "SGD, momentum 0.9", "Adagrad", "RMSprop", "Adam", "AdamW"]

by_rule = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.rule)


@pytest.fixture(scope="module")
def data() -> digits.Split:
    return digits.split()


class TestData:
    def test_images_are_the_published_ones(self) -> None:
        images, labels = digits.load()
        assert images.shape == (1797, 8, 8)
        assert labels.shape == (1797,)
        assert images.dtype == labels.dtype == np.uint8
        assert (images.min(), images.max()) == (0, 16)
        assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == SHA256

    def test_file_is_small_and_its_source_is_named(self) -> None:
        folder = resources.files("gradstep.demo")
        assert len(folder.joinpath("digits.npz").read_bytes()) < 100_000
        note = folder.joinpath("DIGITS.txt").read_text("utf-8")
        for fact in ("Alpaydin", "Kaynak", "UCI Machine Learning Repository", "CC BY 4.0", SHA256):
            assert fact in note

    def test_every_image_is_in_one_part_of_the_split(self, data: digits.Split) -> None:
        images, labels = digits.load()
        train_rows = np.setdiff1d(np.arange(1797), data.test_rows)
        assert len(np.unique(data.test_rows)) == len(data.test_images) == len(data.test_labels) == 364
        assert len(train_rows) == len(data.train_images) == len(data.train_labels) == 1433
        np.testing.assert_array_equal(data.test_labels, labels[data.test_rows])
        np.testing.assert_array_equal(data.train_labels, labels[train_rows])
        assert np.ptp(np.bincount(data.test_labels)) <= 2

        # Undo the normalisation with the training set's mean and deviation: the test set had no say in it.
        pixels = images.reshape(1797, 64).astype(np.float64)
        mean = pixels[train_rows].mean(axis=0)
        deviation = (pixels[train_rows] - mean).std()
        for rows, part in ((data.test_rows, data.test_images), (train_rows, data.train_images)):
            assert part.dtype == np.float32
            np.testing.assert_allclose(part * deviation + mean, pixels[rows], atol=1e-5)

    def test_no_test_image_is_trained_on(self, data: digits.Split) -> None:
        trained = {image.tobytes() for image in data.train_images}
        assert not any(image.tobytes() in trained for image in data.test_images)


class TestNetwork:
    def test_backward_agrees_with_finite_differences(self) -> None:
        rng = np.random.default_rng(5)
        params = initial_params(rng, (7, 6, 5, 4), np.float64)
        for bias in (layer["b"] for layer in params.values()):
            bias += 0.1 * rng.standard_normal(bias.shape)
        x, labels = rng.standard_normal((9, 7)), rng.integers(0, 4, 9).astype(np.uint8)
        _, grads = loss_and_grads(params, x, labels)
        assert [list(layer) for layer in grads.values()] == [list(layer) for layer in params.values()]
        assert list(grads) == list(params)

        h = 1e-6
        for p, g in zip(arrays(params), arrays(grads), strict=True):
            assert g.shape == p.shape
            for index in np.ndindex(p.shape):
                value = p[index]
                p[index] = value + h
                above, _ = loss_and_grads(params, x, labels)
                p[index] = value - h
                below, _ = loss_and_grads(params, x, labels)
                p[index] = value
                assert g[index] == pytest.approx((above - below) / (2 * h), rel=1e-5, abs=1e-9)

    def test_loss_is_the_cross_entropy_even_of_huge_logits(self) -> None:
        params: Params = {"fc1": {"w": np.eye(3, dtype=np.float32) * 1000, "b": np.zeros(3, np.float32)}}
        x, labels = np.eye(3, dtype=np.float32), np.array([0, 1, 0], np.uint8)
        loss, grads = loss_and_grads(params, x, labels)
        assert loss == pytest.approx(1000 / 3)
        assert all(np.isfinite(g).all() for g in arrays(grads))
        assert accuracy(params, x, labels) == pytest.approx(2 / 3)

    def test_arithmetic_stays_in_float32(self, data: digits.Split) -> None:
        params = initial_params(np.random.default_rng(0), (64, 16, 10))
        x, labels = data.train_images[:8], data.train_labels[:8]
        _, grads = loss_and_grads(params, x, labels)
        everything: list[Floats] = arrays(params) + arrays(grads) + activations(params, x)
        assert {array.dtype for array in everything} == {np.dtype(np.float32)}


class TestTraining:
    def test_every_rule_has_another_schedule(self) -> None:
        assert [recipe.rule for recipe in RECIPES] == RULES
        assert len({recipe.schedule_name for recipe in RECIPES}) == len(RECIPES)

    def test_mini_batches_visit_every_row_once(self, data: digits.Split) -> None:
        batches = list(mini_batches(np.random.default_rng(0), 1433))
        assert len(batches) == steps_per_epoch(data) == 45
        assert {len(batch) for batch in batches[:-1]} == {BATCH_SIZE}
        assert sorted(np.concatenate(batches)) == list(range(1433))

    @by_rule
    def test_learning_rates_used_are_the_schedule(self, recipe: Recipe, data: digits.Split) -> None:
        run = train(recipe, data, epochs=2, seed=1)
        schedule = recipe.schedule(90)
        assert run.curve("lr") == [schedule(t) for t in range(90)]
        assert run.schedule == repr(schedule)
        first, second = run.curve("training_loss")
        assert second < first

    @by_rule
    def test_textbook_trains_alike(self, recipe: Recipe, data: digits.Split) -> None:
        times, ours, theirs = timing.compare(recipe, data, seed=0)
        for loop in (times.gradstep, times.numpy):
            assert 0 < loop.step < loop.whole
            assert loop.share == loop.step / (loop.passes + loop.step)
        start = arrays(initial_params(np.random.default_rng(0), (64, 64, 32, 10)))
        for p, q, p0 in zip(arrays(ours), arrays(theirs), start, strict=True):
            assert np.abs(p - p0).max() > 1e-3
            # The textbook's Adam rounds in other places, in each of 450 steps.
            np.testing.assert_allclose(p, q, rtol=1e-3, atol=1e-4)

    @pytest.mark.parametrize("seed", [1, 2, 3])
    @by_rule
    def test_accuracy_does_not_hang_on_the_seed(self, recipe: Recipe, seed: int, data: digits.Split) -> None:
        assert train(recipe, data, epochs=30, seed=seed).test_accuracy >= 0.965


def a_run(accuracy: float = 0.9, loss: float = 0.1) -> Run:
    history = gs.History()
    history.record(lr=0.1)
    history.record(training_loss=loss, test_accuracy=accuracy)
    return Run("Constant(value=0.1)", history, 0.25)


TIMES = Comparison(gradstep=LoopTimes(passes=50.0, step=2.0), numpy=LoopTimes(passes=52.0, step=12.5))


def report(data: digits.Split, run: Run, required: float | None = None, times: Comparison = TIMES) -> Report:
    return Report(data, 1, 0, required, [Row(recipe, run, times) for recipe in RECIPES])


class TestReport:
    @pytest.mark.parametrize(
        ("accuracy", "required", "message"),
        [
            (0.95, 0.95, None),
            (0.1, None, None),
            (0.949, 0.95, "SGD reached 94.90% test accuracy, but 0.95 is required"),
            (float("nan"), 0.0, "SGD reached nan% test accuracy, but 0 is required"),
        ],
    )
    def test_rule_below_the_required_accuracy_is_named(
        self, data: digits.Split, accuracy: float, required: float | None, message: str | None
    ) -> None:
        failures = report(data, a_run(accuracy), required).failures()
        assert failures[:1] == ([message] if message else [])

    def test_divergence_is_null_in_json(self, data: digits.Split) -> None:
        content: Any = report(data, a_run(loss=float("inf"))).as_json()
        written = json.loads(json.dumps(content, allow_nan=False))
        assert written["rules"][0]["curves"]["training_loss"] == [None]

    def test_the_loops_are_compared(self, data: digits.Split) -> None:
        tables = report(data, a_run()).tables()
        (line,) = (line for line in tables.splitlines() if line.startswith("AdamW ") and "→" in line)
        assert line.split() == ["AdamW", "12.5", "2.0", "6.2×", "19%", "→", "4%", "1.24×"]

    @pytest.mark.parametrize("slower", [1.0, 1e3])
    def test_output_fits_79_columns(self, data: digits.Split, slower: float) -> None:
        gradstep, numpy = (LoopTimes(90.0 * slower, step * slower) for step in (2.0, 70.0))
        shown = report(data, a_run(1.0), times=Comparison(gradstep, numpy))
        assert max(map(len, (shown.heading() + "\n" + shown.tables()).splitlines())) <= 79


def gradstep(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gradstep", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_whole_demo(tmp_path: Path) -> None:
    result = gradstep("demo", "--require", "0.95", "--json", tmp_path / "demo.json")
    assert (result.returncode, result.stderr) == (0, "")

    written = json.loads((tmp_path / "demo.json").read_text("utf-8"))
    assert [rule["rule"] for rule in written["rules"]] == RULES
    assert written["required_accuracy"] == 0.95
    lines = result.stdout.splitlines()
    for rule in written["rules"]:
        assert rule["test_accuracy"] >= 0.95
        assert rule["test_accuracy"] == rule["curves"]["test_accuracy"][-1]
        assert [len(rule["curves"][name]) for name in ("test_accuracy", "training_loss", "lr")] == [
            30,
            30,
            1350,
        ]
        assert rule["ratio"] == rule["numpy_microseconds_per_step"] / rule["microseconds_per_step"]
        trained, timed = (line for line in lines if line.startswith(f"{rule['rule']}  "))
        for cell in (rule["schedule"], f"{rule['test_accuracy']:.2%}"):
            assert cell in trained
        shares = f"{rule['numpy_share_of_loop']:.0%} → {rule['share_of_loop']:.0%}"
        for cell in (f"{rule['ratio']:.1f}×", shares, f"{rule['loop_ratio']:.2f}×"):
            assert cell in timed

    again = gradstep("demo", "--json", tmp_path / "again.json")
    assert again.returncode == 0
    repeated = json.loads((tmp_path / "again.json").read_text("utf-8"))
    for first, second in zip(written["rules"], repeated["rules"], strict=True):
        assert first["curves"] == second["curves"]


def test_a_low_accuracy_is_a_failure_where_one_is_required() -> None:
    result = gradstep("demo", "--epochs", "1", "--require", "0.999")
    assert result.returncode == 1
    assert "Training with gradstep" in result.stdout
    assert len(result.stderr.splitlines()) == len(RULES)
    assert "gradstep demo: AdamW reached " in result.stderr
    assert result.stderr.endswith(" test accuracy, but 0.999 is required\n")
    assert gradstep("demo", "--epochs", "1").returncode == 0
