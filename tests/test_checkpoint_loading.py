"""Loading files: into what fits, all of several optimizers or none, with and without parameters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state
from refusals import refuses
from training import trained
from trees import copied, like, normal

forms = pytest.mark.parametrize("suffix", [".npz", ".safetensors"])


def test_without_the_parameters(tmp_path: Path) -> None:
    params = {"w": normal(0, 3)}
    opt = trained(params)
    gs.save(tmp_path / "both.npz", opt)
    gs.save(tmp_path / "state.npz", opt, params=False)
    with np.load(tmp_path / "state.npz") as file:
        assert not [name for name in file.files if name.startswith("params/")]
    for name, wanted in (("both", False), ("state", True), ("state", False)):
        again = {"w": np.zeros(3)}
        fresh = gs.Adam(again, lr=0.125, amsgrad=True)
        gs.load(tmp_path / f"{name}.npz", fresh, params=wanted)
        assert not again["w"].any()
        assert_same_state(fresh.state, opt.state)


def test_an_optimizer_that_has_no_arrays_of_its_own(tmp_path: Path) -> None:
    opt = gs.Adam()
    w = opt.apply_gradients(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="no parameters"):
        gs.save(tmp_path / "x.npz", opt)
    gs.save(tmp_path / "x.npz", opt, params=False, w=w)
    fresh = gs.Adam()
    fresh.apply_gradients(np.ones(2), np.ones(2))
    assert (gs.load(tmp_path / "x.npz", fresh, params=False)["w"] == w).all()
    assert_same_state(fresh.state, opt.state)


@forms
def test_several_optimizers(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    both = {"actor": trained({"w": normal(0, 3)}), "critic": trained({"w": normal(1, 4)}, steps=5)}
    gs.save(path, both, epoch=1)
    fresh = {name: gs.Adam(like(opt.params, 9), lr=0.125, amsgrad=True) for name, opt in both.items()}
    assert gs.load(path, fresh) == {"epoch": 1}
    for name, opt in both.items():
        assert_same_bits(fresh[name].params["w"], opt.params["w"], name)  # type: ignore[call-overload]
        assert_same_state(fresh[name].state, opt.state)
        assert fresh[name].step_count == opt.step_count
    gs.load(path, both, rename={"actor": {"w": "w"}})
    with pytest.raises(
        gs.CheckpointError, match="it has the optimizers 'actor', 'critic', but opt has 'actor'"
    ):
        gs.load(path, {"actor": both["actor"]})
    with pytest.raises(gs.CheckpointError, match="but opt has ''"):
        gs.load(path, both["actor"])


def test_if_one_of_several_does_not_fit_none_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    gs.save(path, {"a": trained({"w": normal(0, 3)}), "b": trained({"w": normal(1, 3)})})
    a, b = trained({"w": normal(2, 3)}, steps=1), trained({"w": normal(3, 4)}, steps=1)
    before = [opt.state_dict() for opt in (a, b)]
    with pytest.raises(gs.CheckpointError, match="'w' has shape"):
        gs.load(path, {"a": a, "b": b})
    np.testing.assert_equal([opt.state_dict() for opt in (a, b)], before)


def test_all_differences_come_at_once_and_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    gs.save(path, gs.Adam({"w": np.ones((2, 3)), "old": np.ones(2), "d": np.ones(2)}))
    params = {"w": np.ones((3, 2)), "new": np.ones(2), "d": np.ones(2, np.float32)}
    opt = gs.RMSprop(params, ema=0.5)
    before, kept = opt.state_dict(), copied(params)
    with refuses(
        gs.CheckpointError,
        f"{path}: it does not fit this optimizer:\n"
        "  class is 'Adam', but the optimizer's is 'RMSprop'\n"
        "  rule is 'adam', but the optimizer's is 'rmsprop'\n"
        "  it has no 'new', but params has\n"
        "  it has 'old', but params has not\n"
        "  'w' has shape [2, 3], but params['w'] has [3, 2]\n"
        "  'd' has dtype float64, but params['d'] has float32",
    ):
        gs.load(path, opt)
    np.testing.assert_equal(opt.state_dict(), before)
    np.testing.assert_equal(params, kept)


def test_what_fits_is_taken_if_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    first = trained({"w": normal(0, 2), "old": normal(1, 2)}, ema=0.5)
    gs.save(path, first)
    params = {"w": np.zeros(2), "new": np.zeros(2)}
    opt = gs.Adam(params, lr=0.125, amsgrad=True)
    with pytest.warns(gs.CheckpointWarning, match="it has no 'new'") as caught:
        gs.load(path, opt, strict=False)
    assert caught[0].filename == __file__
    assert_same_bits(params["w"], first.params["w"], "w")  # type: ignore[call-overload]
    assert not params["new"].any()
    assert_same_bits(opt.state["w"]["exp_avg"], first.state["w"]["exp_avg"], "exp_avg")


def test_other_names_and_hyperparameters(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    gs.save(path, gs.SGD({"fc.w": np.full(2, 3.0)}, lr=gs.schedules.Linear(0.5, 0.0, 9)))
    params = {"layer": {"w": np.zeros(2)}}
    opt = gs.SGD(params, lr=0.25)
    with pytest.warns(gs.CheckpointWarning, match="the optimizer's own stays"):
        gs.load(path, opt, rename={"fc.*": "layer.*"})
    assert params["layer"]["w"].tolist() == [3.0, 3.0]
    gs.load(path, opt, rename={"fc.*": "layer.*"}, hyperparameters=True)
    assert opt.hyperparameters[0]["lr"] == gs.schedules.Linear(0.5, 0.0, 9)


def test_parameters_that_may_not_be_written_to(tmp_path: Path) -> None:
    params = {"v": np.ones(2), "w": np.ones(2)}
    opt = gs.SGD(params)
    gs.save(tmp_path / "x.npz", opt)
    params["v"][...] = 2
    params["w"].flags.writeable = False
    with pytest.raises(
        gs.CheckpointError, match=r"params\['w'\] is read-only, so nothing can be loaded into it"
    ):
        gs.load(tmp_path / "x.npz", opt)
    assert params["v"].tolist() == [2, 2]
