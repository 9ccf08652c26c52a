"""Feedback schedules: against their formulas, against torch, exact on resume, all or nothing."""

import copy
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradstep as gs
from gradstep.feedback import Feedback, GradNormScaled, LossScaled, Plateau
from gradstep.schedules import Constant, Cosine, Schedule
from refusals import refuses

PLATEAU = json.loads(
    Path(__file__).with_name("trajectories").joinpath("plateau.json").read_text(encoding="utf-8")
)
CASES: dict[str, Callable[[Schedule], Feedback]] = {
    "loss": lambda s: LossScaled(s, beta=0.3),
    "sum": lambda s: GradNormScaled(s, beta=0.01),
    "compound": lambda s: GradNormScaled(s, beta=0.01, compound=True),
    "plateau": lambda s: Plateau(s, factor=0.5, patience=2, cooldown=1, min_value=1e-3),
    "means": lambda s: Plateau(s, factor=0.5, patience=1, mean_of=3),
}
finite = st.floats(-1e3, 1e3)
losses = st.lists(st.one_of(finite, st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf])), max_size=40)


@pytest.fixture(params=CASES, ids=str)
def make(request: pytest.FixtureRequest) -> Callable[[Schedule], Feedback]:
    return CASES[request.param]


def test_every_class_has_a_case() -> None:
    made = {type(make(Constant(1.0))).__name__ for make in CASES.values()}
    assert made == set(gs.feedback.__all__) - {"Feedback", "NormGuard"}, "NormGuard has no schedule inside"


@given(losses, st.floats(0, 10))
def test_loss_scaled_is_its_formula(seen: list[float], beta: float) -> None:
    s, last = LossScaled(Cosine(0.7, 50), beta, on_nonfinite="ignore"), 0.0
    for t, loss in enumerate(seen):
        if math.isfinite(loss) and 1 + beta * loss <= 0:
            with pytest.raises(ValueError, match="loss must be above -1/beta"):
                s.observe(loss)
        else:
            s.observe(loss)
            last = loss if math.isfinite(loss) else last
        assert s(t) == Cosine(0.7, 50)(t) / (1 + beta * last)


@given(st.lists(st.floats(1e-3, 1e3), max_size=30), st.floats(0, 10), st.booleans())
def test_grad_norm_scaled_is_its_formula(norms: list[float], beta: float, compound: bool) -> None:
    s = GradNormScaled(Constant(2.0), beta, compound)
    w = np.zeros(1)
    opt = gs.SGD(w, lr=s)
    expected, divisor = 0.0, 1.0
    for norm in norms:
        divisor = divisor * (1 + beta * norm**2) if compound else divisor + beta * norm**2
        opt.step(np.array([norm]))
        expected -= 2.0 / math.sqrt(divisor) * norm
        assert w[0] == pytest.approx(expected, rel=1e-12)
        assert opt.grad_norm == pytest.approx(norm, rel=1e-15)
    total = math.prod(1 + beta * n**2 for n in norms) if compound else 1 + beta * sum(n**2 for n in norms)
    assert s(0) == pytest.approx(2.0 / math.sqrt(total), rel=1e-12)


@pytest.mark.parametrize("recorded", PLATEAU["sequences"], ids=range(len(PLATEAU["sequences"])))
def test_plateau_falls_when_torch_does(recorded: dict[str, Any]) -> None:
    s = Plateau(Constant(1.0), factor=0.5, **recorded["options"])
    for loss, falls in zip(recorded["losses"], recorded["falls"], strict=True):
        s.observe(loss)
        assert s(0) == 0.5**falls


def test_the_recorded_sequences_do_fall() -> None:
    assert sum(recorded["falls"][-1] > 0 for recorded in PLATEAU["sequences"]) > 100


@given(st.lists(finite, max_size=40), st.integers(2, 5))
def test_a_plateau_of_means_is_one_of_their_means(seen: list[float], several: int) -> None:
    single, of_means = (Plateau(Constant(1.0), 0.5, 1, mean_of=k) for k in (1, several))
    for i, loss in enumerate(seen, start=1):
        of_means.observe(loss)
        if i % several == 0:
            mean = 0.0
            for count, one in enumerate(seen[i - several : i], start=1):
                mean = mean * ((count - 1) / count) + one / count
            single.observe(mean)
        assert of_means(0) == single(0)
        assert of_means.state["count"] == i % several


def test_means_of_the_largest_floats() -> None:
    s = Plateau(Constant(1.0), mean_of=2)
    for loss in (1.7e308, 1.7e308, -1.7e308):
        s.observe(loss)
    assert s.state["best"] == 1.7e308


@pytest.mark.parametrize(
    ("mean", "count", "message"),
    [
        (0.0, 2.0, "['count'] must be below mean_of = 2, got 2.0"),
        (math.inf, 1.0, "['mean'] must be a finite number, got inf"),
        (0.0, 0.5, "['count'] must be whole and at least 0, got 0.5"),
    ],
)
def test_a_state_of_means_out_of_range(mean: float, count: float, message: str) -> None:
    s = Plateau(Constant(1.0), mean_of=2)
    with refuses(ValueError, f"state{message}"):
        s.state = s.state | {"mean": mean, "count": count}
    with refuses(ValueError, "mean_of must be at least 1, got 0"):
        Plateau(Constant(1.0), mean_of=0)


def test_plateau_holds_its_floor_but_does_not_lift_a_warmup() -> None:
    s = Plateau(Constant(1.0).warmup(4, start=0.0), factor=0.1, patience=0, min_value=0.05)
    assert s(0) == 0.0
    for _ in range(5):
        s.observe(1.0)
    assert s(0) == 0.0
    assert s(4) == 0.05


def test_operators_apply_to_the_result() -> None:
    plateau = Plateau(Constant(1.0), factor=0.5, patience=0)
    s = (plateau * 3.0).warmup(10).clip(0.0, 2.0)
    assert s(100) == 2.0
    for loss in (1.0, 1.0):
        s.observe(loss)
    assert s(100) == 1.5
    assert (s(np.arange(200)) == [s(t) for t in range(200)]).all()


def run(opt: gs.Optimizer, begin: int, end: int) -> None:
    for t in range(begin, end):
        rng = np.random.default_rng(t)
        opt.step(rng.normal(size=5), loss=abs(rng.normal()) + 5 / (t + 1))


def test_a_run_in_two_parts_equals_one_in_one(make: Callable[[Schedule], Feedback]) -> None:
    def rate() -> Schedule:
        return make(Cosine(0.3, 400)).warmup(20)

    whole, first = np.ones(5), np.ones(5)
    run(gs.Adam(whole, lr=rate()), 0, 500)
    opt = gs.Adam(first, lr=rate())
    run(opt, 0, 250)

    second = first.copy()
    resumed = gs.Adam(second, lr=rate())
    resumed.step_count = opt.step_count
    resumed.feedback_state = json.loads(json.dumps(opt.feedback_state, allow_nan=False))
    for slot, array in opt.state["0"].items():
        resumed.state["0"][slot][...] = array
    run(resumed, 250, 500)
    assert second.tobytes() == whole.tobytes()


def test_pickle_and_copy_take_the_state_along(make: Callable[[Schedule], Feedback]) -> None:
    s = make(Constant(1.0))
    gs.SGD(np.zeros(1), lr=s).step(np.array([2.0]), loss=3.0)
    nested = s.warmup(3)
    for twin in (pickle.loads(pickle.dumps(nested)), copy.copy(nested), copy.deepcopy(nested)):
        assert twin == nested
        assert hash(twin) == hash(nested)
        assert twin(7) == nested(7)
        inner = twin.params["schedule"]
        assert inner.state == s.state
        start = make(Constant(1.0)).state
        inner.state = start
        assert s.state != start


def test_repr_makes_an_equal_schedule(make: Callable[[Schedule], Feedback]) -> None:
    s = make(Cosine(0.1, 10)) * 2.0
    assert eval(repr(s), vars(gs.schedules) | vars(gs.feedback)) == s


def test_a_shared_feedback_schedule_observes_once() -> None:
    shared = GradNormScaled(Constant(1.0), beta=1.0)
    opt = gs.SGD([{"params": np.zeros(1), "lr": shared}, {"params": np.zeros(1), "lr": shared * 0.5}])
    opt.step([np.array([3.0]), np.array([4.0])])
    assert shared.state == {"divisor": 26.0}
    assert len(opt.feedback_state) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_observation_that_is_not_finite(make: Callable[[Schedule], Feedback], bad: float) -> None:
    s = make(Constant(1.0))
    w = np.ones(2)
    opt = gs.SGD(w, lr=s)
    opt.step(np.array([1.0, 2.0]), loss=1.0)
    before, state = w.tobytes(), s.state
    with pytest.raises(ValueError, match=r"(loss|grad_norm) must be finite, got (nan|inf)"):
        opt.step(np.array([bad, 1.0]), loss=bad)
    assert (w.tobytes(), s.state, opt.step_count) == (before, state, 1)


def test_a_step_that_fails_takes_its_observation_back() -> None:
    s = LossScaled(Constant(1.0), beta=1.0)
    opt = gs.SGD(np.ones(2), lr=s)
    with pytest.raises(ValueError, match="shape"):
        opt.step(np.ones(3), loss=4.0)
    opt.lr = s * gs.schedules.Lambda(lambda t: 1.0 - t)
    opt.step(np.ones(2), loss=2.0)
    opt.step(np.ones(2), loss=3.0)
    with pytest.raises(ValueError, match="lr at step 2 must be"):
        opt.step(np.ones(2), loss=4.0)
    assert s.state == {"loss": 3.0}


def test_assigning_lr_changes_who_observes() -> None:
    old, new = LossScaled(Constant(1.0), beta=1.0), LossScaled(Constant(1.0), beta=1.0)
    opt = gs.SGD(np.ones(2), lr=old)
    opt.lr = new
    opt.observe(2.0)
    assert (old.state, new.state) == ({"loss": 0.0}, {"loss": 2.0})


@pytest.mark.parametrize(
    ("action", "kind", "message"),
    [
        (lambda: LossScaled(Constant(1.0), -1.0), ValueError, "beta must be finite and at least 0, got -1.0"),
        (lambda: LossScaled(Constant(1.0), math.nan), ValueError, "beta must be .* got nan"),
        (lambda: LossScaled(0.1, 1.0), TypeError, "schedule must be a schedule, got float"),  # type: ignore[arg-type]
        (lambda: Plateau(Constant(1.0), factor=1.0), ValueError, "factor must be .* got 1.0"),
        (lambda: Plateau(Constant(1.0), patience=-1), ValueError, "patience must be at least 0, got -1"),
        (lambda: Plateau(Constant(1.0), patience=1.5), TypeError, "patience must be an integer"),  # type: ignore[arg-type]
        (lambda: Plateau(Constant(1.0), threshold_mode="x"), ValueError, "threshold_mode must be one of"),  # type: ignore[arg-type]
        (lambda: Plateau(Constant(1.0), mode="up"), ValueError, "mode must be one of 'min', 'max', got 'up'"),  # type: ignore[arg-type]
        (lambda: Plateau(Constant(1.0), on_nonfinite=""), ValueError, "on_nonfinite must be one of"),  # type: ignore[arg-type]
        (lambda: LossScaled(Constant(1.0), 1.0).observe("low"), TypeError, "loss must be a number, got str"),  # type: ignore[arg-type]
        (lambda: setattr(LossScaled(Constant(1.0), 1.0), "state", {"best": 1.0}), ValueError, "no 'loss'"),
        (
            lambda: setattr(LossScaled(Constant(1.0), 1.0), "state", 3),
            TypeError,
            "state must be a dict, got int",
        ),
        (
            lambda: setattr(gs.SGD(np.ones(1)), "feedback_state", [{}]),
            ValueError,
            "has 1 entries, but there are 0",
        ),
    ],
)
def test_bad_input(action: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        action()
