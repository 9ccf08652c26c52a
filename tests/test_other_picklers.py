"""Optimizers through joblib and cloudpickle, which pickle in their own ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from trees import like

cloudpickle, joblib = pytest.importorskip("cloudpickle"), pytest.importorskip("joblib")


class Holder:
    """A model whose arrays are its attributes; the container of its optimizer is nobody else's."""

    def __init__(self, size: int = 3, **options: Any) -> None:
        self.w, self.b = np.ones(size), np.zeros(2, np.float32)
        self.optimizer = gs.Adam({"w": self.w, "b": self.b}, **options)

    def train(self, steps: int) -> None:
        for seed in range(steps):
            self.optimizer.step(like({"w": self.w, "b": self.b}, seed))


def trained(model: Any) -> Any:
    model.train(2)
    return model


def assert_alike(got: Holder, want: Holder) -> None:
    params: Any = got.optimizer.params
    assert params["w"] is got.w
    assert_same_bits(got.w, want.w, "w")
    assert_same_bits(got.b, want.b, "b")
    np.testing.assert_equal(got.optimizer.state_dict(), want.optimizer.state_dict())


def test_in_the_workers_of_joblib() -> None:
    models = [Holder(lr=0.5, ema=0.5), Holder(lr=gs.schedules.Linear(0.5, 0.0, 9))]
    done = joblib.Parallel(n_jobs=2, backend="loky")(joblib.delayed(trained)(model) for model in models)
    for got, model in zip(done, models, strict=True):
        assert model.optimizer.step_count == 0
        assert_alike(got, trained(model))


@pytest.mark.not_sanitized
def test_large_arrays_in_the_workers_of_joblib() -> None:
    model = Holder(2**17 + 1)
    # From max_nbytes on workers see arrays that cannot be written to.
    broken = joblib.externals.loky.process_executor.BrokenProcessPool
    with pytest.raises(broken) as caught:
        joblib.Parallel(n_jobs=2)(joblib.delayed(trained)(model) for _ in range(2))
    assert "params['w'] is read-only" in str(caught.value.__cause__)
    got, _ = joblib.Parallel(n_jobs=2, max_nbytes=None)(joblib.delayed(trained)(model) for _ in range(2))
    assert_alike(got, trained(model))


@pytest.mark.parametrize("compress", [0, 3])
def test_files_of_joblib(compress: int, tmp_path: Path) -> None:
    params: Any = {"w": np.ones(3), "b": np.zeros(2, np.float32)}
    opt = gs.Adam(params, lr=0.5)
    opt.step(like(params, 0))
    joblib.dump({"params": params, "opt": opt}, tmp_path / "model", compress=compress)
    loaded: Any = joblib.load(tmp_path / "model")
    again = loaded["opt"]
    # The container is one, and so are its arrays.
    assert again.params["w"] is loaded["params"]["w"]
    for one, arrays in ((opt, params), (again, loaded["params"])):
        one.step(like(arrays, 1))
    assert_same_bits(loaded["params"]["w"], params["w"], "w")
    np.testing.assert_equal(again.state_dict(), opt.state_dict())


def test_joblib_writes_an_array_as_often_as_it_meets_it(tmp_path: Path) -> None:
    model = trained(Holder())
    joblib.dump(model, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    assert loaded.optimizer.params["w"] is not loaded.w
    loaded.optimizer.bind({"w": loaded.w, "b": loaded.b})
    assert_alike(trained(loaded), trained(model))


def test_functions_without_a_name_in_cloudpickle() -> None:
    half = 0.5
    model = Holder(lr=gs.schedules.Lambda(lambda t: half / (t + 1)).warmup(3), clip_norm=1.0)
    model.train(2)
    loaded = cloudpickle.loads(cloudpickle.dumps(model))
    assert loaded.optimizer.lr == model.optimizer.lr
    assert_alike(trained(loaded), trained(model))


def test_a_class_of_its_own_in_cloudpickle() -> None:
    class Halved(gs.SGD):
        def __init__(self, params: Any) -> None:
            super().__init__(params, lr=0.5, momentum=0.5)

    opt = Halved(np.ones(2))
    opt.step(np.ones(2))
    again = cloudpickle.loads(cloudpickle.dumps(opt))
    np.testing.assert_equal(again.state_dict(), opt.state_dict())
