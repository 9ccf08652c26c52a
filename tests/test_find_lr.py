"""The range test: what it suggests, when it refuses to, and that it leaves no trace."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.demo import rates
from gradstep.demo.network import initial_params, loss_and_grads
from gradstep.demo.training import SIZES
from gradstep.finding.smoothing import local_lines

NAN, INF = math.nan, math.inf


def bowl(w: Any, _: int = 0) -> tuple[float, Any]:
    return float(w @ w), 2 * w


def on_digits(params: Any, _: int) -> tuple[float, Any]:
    """A mini-batch drawn from NumPy's global state."""
    data = rates.split()
    rows = np.random.choice(len(data.train_labels), 32, replace=False)  # noqa: NPY002
    return loss_and_grads(params, data.train_images[rows], data.train_labels[rows])


RULES: list[tuple[Any, float, float]] = [
    (gs.SGD, 0.003, 0.5),
    (rates.RULES["SGD, momentum 0.9"], 0.0003, 0.1),
    (gs.RMSprop, 1e-4, 0.01),
    (gs.Adam, 1e-4, 0.02),
    (gs.Adagrad, 1e-3, 0.1),
    (gs.Lion, 1e-5, 3e-3),
]


@pytest.mark.parametrize(("rule", "low", "high"), RULES)
def test_the_suggestion_is_a_rate_that_trains(rule: Any, low: float, high: float) -> None:
    for seed in range(5):
        np.random.seed(seed)  # noqa: NPY002
        params = initial_params(np.random.default_rng(seed), SIZES)
        curve = gs.find_lr(params, on_digits, rule=rule)
        assert curve.trouble is None
        assert low < curve.suggestion < high
        assert curve.suggestion <= 10 * curve.minimum_tenth
        assert low / 3 < curve.valley < high


def test_it_leaves_no_trace() -> None:
    params = initial_params(np.random.default_rng(0), SIZES)
    opt = gs.Adam(params, lr=1e-3)
    for t in range(5):
        opt.step(on_digits(params, t)[1])
    before = pickle.dumps((params, opt.state_dict(), np.random.get_state(), random.getstate()))  # noqa: NPY002
    curve = gs.find_lr(params, on_digits, rule=opt)
    assert pickle.dumps((params, opt.state_dict(), np.random.get_state(), random.getstate())) == before  # noqa: NPY002
    again = gs.find_lr(params, on_digits, rule=opt)
    assert curve.losses.tobytes() == again.losses.tobytes()
    assert curve.suggestion == again.suggestion
    assert curve.losses.tobytes() != gs.find_lr(params, on_digits).losses.tobytes(), "the state counts"


def test_it_leaves_no_trace_if_the_function_raises() -> None:
    w, state = np.ones(3), str(np.random.get_state())  # noqa: NPY002

    def fails(w: Any, t: int) -> tuple[float, Any]:
        np.random.normal()  # noqa: NPY002
        if t == 7:
            raise KeyError("data")
        return bowl(w)

    with pytest.raises(KeyError):
        gs.find_lr(w, fails)
    assert str(np.random.get_state()) == state  # noqa: NPY002
    assert w.tolist() == [1, 1, 1]


def test_the_rates_are_those_of_the_steps() -> None:
    seen = []

    def gradients(w: Any, _: int) -> tuple[float, Any]:
        seen.append(w.copy())
        return 0.0, np.ones(1)

    curve = gs.find_lr(np.zeros(1), gradients, rule=gs.SGD, low=1e-3, high=1.0, steps=31)
    np.testing.assert_allclose(curve.lrs, 10 ** np.linspace(-3, 0, 31), rtol=1e-12)
    np.testing.assert_allclose(-np.diff(np.concatenate(seen)), curve.lrs[:-1], rtol=1e-9)


def test_all_groups_get_the_rate() -> None:
    params = [{"params": np.ones(2), "lr": 1e-9}, {"params": np.ones(2), "weight_decay": 0.1}]
    curve = gs.find_lr(
        params, lambda p, _: (sum(bowl(g["params"])[0] for g in p), [2 * g["params"] for g in p])
    )
    assert 1e-3 < curve.suggestion < 3


def cliff(loss: float, at: int) -> Callable[[Any, int], tuple[float, Any]]:
    return lambda w, t: (loss if t == at else float(w @ w), 2 * w)


def noise(size: float) -> Callable[[Any, int], tuple[float, Any]]:
    return lambda w, _: (1.0 + size * np.random.normal(), np.zeros_like(w))  # noqa: NPY002


TROUBLES: list[tuple[Callable[[Any, int], tuple[float, Any]], dict[str, Any], str, int]] = [
    (
        cliff(NAN, 0),
        {},
        "no step could be made; the loss was nan at a rate of 1e-07",
        0,
    ),
    (
        cliff(INF, 3),
        {},
        "the run ended after 3 steps: try a smaller low; the loss was inf at a rate of 1.32e-07",
        3,
    ),
    (lambda w, _: (2.5, 0 * w), {}, "the loss is flat: no rate from low to high changes it", 200),
    (lambda w, _: (0.0, 0 * w), {}, "the loss is flat: no rate from low to high changes it", 200),
    (bowl, {"high": 1e-5}, "the loss falls fastest at the largest rate: try a larger high", 200),
    (bowl, {"high": 1e-2}, "the loss falls fastest at the largest rate: try a larger high", 200),
    (bowl, {"low": 0.3}, "the loss falls from the smallest rate on: try a smaller low", 0),
    (lambda w, _: (float(w @ w), -2 * w), {}, "the loss only rises: try a smaller low", 0),
    (
        lambda w, _: (float(w @ w), w * NAN),
        {},
        "the run ended after 1 steps: try a smaller low; the loss was nan",
        1,
    ),
]


@pytest.mark.parametrize(("gradients", "options", "trouble", "steps"), TROUBLES)
def test_no_number_where_none_makes_sense(
    gradients: Callable[[Any, int], tuple[float, Any]], options: dict[str, Any], trouble: str, steps: int
) -> None:
    curve = gs.find_lr(np.array([3.0, -2.0]), gradients, rule=gs.SGD, **options)
    assert curve.trouble is not None
    assert curve.trouble.startswith(trouble), repr(curve)
    assert not steps or len(curve) == steps
    assert np.isfinite(curve.losses).all()
    for name in ("suggestion", "minimum_tenth", "valley"):
        with pytest.raises(ValueError, match="^no rate can be suggested: " + trouble[:20]):
            getattr(curve, name)
    assert "no suggestion: " in repr(curve)
    assert max(map(len, repr(curve).splitlines())) <= 79


@pytest.mark.parametrize("size", [1e-5, 100.0])
@pytest.mark.parametrize("steps", [20, 50, 200, 1000])
def test_noise_suggests_nothing(size: float, steps: int) -> None:
    np.random.seed(0)  # noqa: NPY002
    for _ in range(50):
        np.random.normal()  # noqa: NPY002
        curve = gs.find_lr(np.ones(1), noise(size), rule=gs.SGD, steps=steps)
        assert curve.trouble is not None


def test_gradients_that_are_not_finite_end_it_where_the_rule_refuses_them() -> None:
    curve = gs.find_lr(
        np.ones(2),
        lambda w, t: (float(w @ w), w * (NAN if t == 150 else 2.0)),
        rule=gs.SGD,
        nonfinite="raise",
    )
    assert curve.end == f"the gradients were not finite at a rate of {np.geomspace(1e-7, 10, 200)[150]:.3g}"
    assert len(curve) == 151
    assert 1e-3 < curve.suggestion < 1e-1


def test_it_ends_soon_after_the_loss_diverges() -> None:
    calls = 0

    def gradients(w: Any, _: int) -> tuple[float, Any]:
        nonlocal calls
        calls += 1
        return bowl(w)

    curve = gs.find_lr(np.ones(2), gradients, rule=gs.SGD, high=1e6, steps=400)
    assert curve.end is not None
    assert curve.end.startswith("the loss diverged at a rate of ")
    assert curve.lrs[-1] < 1e2
    assert calls == len(curve)


@pytest.mark.parametrize("shift", [-1e3, -2.0, 0.0])
def test_losses_may_be_negative(shift: float) -> None:
    curve = gs.find_lr(np.ones(2), lambda w, _: (float(w @ w) + shift, 2 * w), rule=gs.SGD)
    assert 3e-3 < curve.suggestion < 0.3


def test_the_shape_does_not_hang_on_the_number_of_steps() -> None:
    found = [gs.find_lr(np.ones(2), bowl, rule=gs.SGD, steps=steps).suggestion for steps in (100, 400)]
    # Four times as many steps at each rate go as far with a quarter of it.
    assert 2 < found[0] / found[1] < 6


def test_local_lines_follow_a_parabola_and_lessen_noise() -> None:
    x = np.linspace(-1, 1, 400)
    smooth, slopes, _ = local_lines(x**2, 5.0)
    np.testing.assert_allclose(smooth, x**2, atol=2e-3)
    np.testing.assert_allclose(slopes * 399 / 2, 2 * x, atol=0.1)
    noisy = np.random.default_rng(0).normal(size=(2000, 60))
    smooth, errors = zip(*[local_lines(line, 5.0)[::2] for line in noisy], strict=True)
    np.testing.assert_allclose(np.std(smooth, axis=0), errors[0], rtol=0.1)


OWN_OPTIONS = "rule is an optimizer, which has its options: momentum cannot be given"
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"low": 0.0}, ValueError, "low must be above 0 and finite, got 0.0"),
    ({"low": "x"}, TypeError, "low must be a number, got str"),
    ({"high": 1e-8}, ValueError, "high must be above low, which is 1e-07, and finite, got 1e-08"),
    ({"high": INF}, ValueError, "high must be above low, which is 1e-07, and finite, got inf"),
    ({"steps": 19}, ValueError, "steps must be at least 20, got 19"),
    ({"steps": 100.0}, TypeError, "steps must be an integer, got float"),
    ({"smoothing": 0}, ValueError, "smoothing must be above 0 and finite, got 0.0"),
    ({"diverged": NAN}, ValueError, "diverged must be above 0 and finite, got nan"),
    ({"rule": "adam"}, TypeError, "rule must be a class such as gs.Adam, or an optimizer, got str"),
    ({"rule": lambda _: 3}, TypeError, "rule must make an optimizer, got int"),
    ({"rule": gs.SGD(np.ones(2)), "momentum": 0.9}, TypeError, OWN_OPTIONS),
    ({"gradients": lambda w, _: w}, TypeError, "gradients must return a loss and gradients, got ndarray"),
    ({"gradients": lambda w, _: (w, w)}, TypeError, "loss must be a number, got an array of shape (2,)"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::gradstep.DetachedParameterWarning")
@pytest.mark.parametrize(("given", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_is_wrong_is_named(given: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"params": np.ones(2), "gradients": bowl, **given}
    with pytest.raises(error) as raised:
        gs.find_lr(arguments.pop("params"), arguments.pop("gradients"), **arguments)
    assert str(raised.value) == message


def test_its_text_fits_a_terminal_of_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = gs.find_lr(np.ones(2), bowl, rule=gs.SGD)
    lines = repr(curve).splitlines()
    assert max(map(len, lines)) <= 79
    assert len(lines) == 9
    assert f"suggestion {curve.suggestion:.3g} (^)" in lines[1]
    mark = lines[-1].index("^") - 11
    assert abs(mark / 60 * len(curve) - np.searchsorted(curve.lrs, curve.suggestion)) < 4
    assert "█" in repr(curve)

    class Old:
        encoding = "ascii"

    monkeypatch.setattr("sys.stdout", Old())
    assert repr(curve).isascii()


@pytest.mark.parametrize("rule", rates.RULES)
def test_a_found_rate_is_among_the_best_of_a_sweep(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # `gradstep rates` does it with all of them, and more seeds.
    monkeypatch.setattr(rates, "RATES", rates.RATES[8:18:2])
    found = rates.compare(rule, epochs=15, seeds=1, workers=0)
    assert found.best > 0.97
    assert found.behind <= rates.MOST_BEHIND
