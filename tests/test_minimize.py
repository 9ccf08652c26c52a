"""minimize: what it finds, when it ends, and that SciPy takes it for one of its own."""

from __future__ import annotations

import math
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest

import absent
import gradstep as gs
from gradstep.minimizing.problems import Bounds
from gradstep.minimizing.results import Result

NAN = math.nan


def rosenbrock(x: Any) -> tuple[float, Any]:
    a, b = x
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2, np.array(
        [2 * (a - 1) - 400 * a * (b - a * a), 200 * (b - a * a)]
    )


def bowl(x: Any) -> tuple[float, Any]:
    return float(np.sum((x - 3) ** 2)), 2 * (x - 3)


def test_rosenbrock() -> None:
    found = gs.minimize(rosenbrock, [-1.2, 1.0], lr=gs.schedules.Cosine(0.05, steps=5000), steps=5000)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)
    assert found.fun == rosenbrock(found.x)[0] < 1e-6
    assert np.array_equal(found.jac, rosenbrock(found.x)[1])
    assert found.nfev == found.njev == found.nit + 1


@pytest.mark.parametrize("rule", [gs.SGD, gs.Adam, gs.RMSprop, gs.Adagrad, gs.AdaBelief])
def test_it_takes_the_steps_of_the_rule(rule: Any) -> None:
    path: list[Any] = []
    gs.minimize(bowl, [0.0, 5.0], rule=rule, lr=0.01, steps=20, callback=path.append)
    x = np.array([0.0, 5.0])
    opt = rule(x, lr=0.01)
    for point in path:
        opt.step(bowl(x)[1])
        assert point.tobytes() == x.tobytes()
    assert len(path) == 20


def test_ends() -> None:
    found = gs.minimize(bowl, [0.0], rule=gs.SGD, lr=0.25, gtol=1e-3)
    assert (found.success, found.status, found.nit) == (True, 0, 13)
    assert found.message == "the gradients' norm is 0.000732, which is at most gtol=0.001"
    found = gs.minimize(bowl, [0.0], rule=gs.SGD, lr=0.25, xtol=1e-3)
    assert found.message == "the step's norm was 0.000732, which is at most xtol=0.001"
    found = gs.minimize(bowl, [0.0], rule=gs.SGD, lr=0.25, tol=1e-3)
    assert (found.success, found.nit) == (True, 12)
    found = gs.minimize(bowl, [0.0], rule=gs.SGD, lr=0.25, steps=3)
    assert (found.success, found.status, found.nit, found.nfev) == (False, 1, 3, 4)
    assert found.message == "all 3 steps were made, and the gradients' norm is 0.75"
    found = gs.minimize(bowl, [0.0], steps=0)
    assert (found.nit, found.nfev, found.fun, found.x.tolist()) == (0, 1, 9.0, [0.0])
    found = gs.minimize(bowl, [3.0])
    assert (found.success, found.nit, found.fun) == (True, 0, 0.0)


def test_the_best_point_is_kept() -> None:
    found = gs.minimize(bowl, [0.0], rule=gs.SGD, lr=1.05, steps=30)
    assert (found.nit, found.fun, found.x.tolist()) == (30, 9.0, [0.0])


@pytest.mark.parametrize("where", ["value", "gradients", "at once"])
def test_nan_ends_it_with_the_best_point(where: str) -> None:
    def fun(x: Any) -> tuple[float, Any]:
        value, grads = bowl(x)
        bad = where == "at once" or x[0] > 2.5
        return (NAN if bad and where != "gradients" else value), (grads * NAN if bad else grads)

    found = gs.minimize(fun, [0.0], rule=gs.SGD, lr=0.25)
    assert (found.success, found.status) == (False, 3)
    if where == "value":
        assert (found.message, found.x.tolist(), found.nit) == ("fun returned nan after 3 steps", [2.25], 3)
    elif where == "gradients":
        assert (found.message, found.x.tolist()) == ("the gradients' norm was nan after 3 steps", [2.625])
    else:
        assert (found.message, found.x.tolist()) == ("fun returned nan after 0 steps", [0.0])


def test_a_callback_ends_it() -> None:
    seen: list[Any] = []

    def plain(x: Any) -> None:
        seen.append(x)
        if len(seen) == 5:
            raise StopIteration

    found = gs.minimize(bowl, [0.0], rule=gs.SGD, lr=0.25, callback=plain)
    assert (found.success, found.status, found.nit) == (False, 99, 5)
    assert found.message == "`callback` raised `StopIteration`."
    assert len({float(x[0]) for x in seen}) == 5

    def named(intermediate_result: Any) -> None:
        assert intermediate_result.fun == bowl(intermediate_result.x)[0]
        if intermediate_result.fun < 1:
            raise StopIteration

    found = gs.minimize(bowl, [0.0], rule=gs.SGD, lr=0.25, callback=named)
    assert (found.status, found.nit) == (99, 2)


def test_structures_and_dtypes() -> None:
    x0: dict[str, Any] = {"w": np.zeros((2, 2), np.float32), "b": [np.zeros(3), np.array(1.0)]}

    def fun(x: Any) -> tuple[float, Any]:
        parts = [bowl(x["w"]), bowl(x["b"][0]), bowl(x["b"][1])]
        return sum(value for value, _ in parts), {"b": [parts[1][1], parts[2][1]], "w": parts[0][1]}

    found = gs.minimize(fun, x0, rule=gs.SGD, lr=0.25, tol=1e-4)
    assert found.success
    assert (found.x["w"].dtype, found.x["b"][0].dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(found.x["b"][0], 3.0, atol=1e-4)
    np.testing.assert_allclose(found.x["w"], 3.0, atol=1e-4)
    assert not np.any(x0["w"]), "x0 stays"
    assert gs.minimize(bowl, 0.0, rule=gs.SGD, lr=0.25).x == pytest.approx(3.0, abs=1e-5)
    assert gs.minimize(bowl, np.zeros(2, int), rule=gs.SGD, lr=0.25).x.dtype == np.float64


def test_arguments_and_a_function_of_the_gradients() -> None:
    found = gs.minimize(
        lambda x, c: np.array([np.sum((x - c) ** 2)]),
        [0.0],
        (2.0,),
        jac=lambda x, c: 2 * (x - c),
        rule=gs.SGD,
        lr=0.25,
    )
    assert found.x == pytest.approx(2.0, abs=1e-5)


@pytest.mark.parametrize(
    ("bounds", "x"),
    [
        ((0, 2), [2.0, 2.0, 2.0]),
        ((None, 2), [2.0, 2.0, 2.0]),
        ((4, None), [4.0, 4.0, 4.0]),
        ([(0, 2), (None, None), (4, None)], [2.0, 3.0, 4.0]),
        (Result(lb=[0, -np.inf, 4], ub=[2, np.inf, np.inf]), [2.0, 3.0, 4.0]),
        (Result(lb=0, ub=2), [2.0, 2.0, 2.0]),
    ],
)
def test_bounds(bounds: Any, x: list[float]) -> None:
    inside = []

    def fun(x: Any) -> tuple[float, Any]:
        inside.append(x.copy())
        return bowl(x)

    found = gs.minimize(fun, [-9.0, 0.0, 1.0], rule=gs.SGD, lr=0.25, bounds=bounds)
    np.testing.assert_allclose(found.x, x, atol=1e-5)
    assert found.success, found.message
    held = Bounds(bounds, np.zeros(3))
    for point in inside:
        assert np.all(held.low <= point)
        assert np.all(point <= held.high)


NO_PAIR = "fun must return a value and gradients, got ndarray; or give jac=, a function"
ONE_ARRAY = "bounds need x0 to be one array, got dict; for each array, give rule options"
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"jac": False}, TypeError, "jac must be True or a function that gives the gradients, got False"),
    ({"fun": lambda x: x}, TypeError, NO_PAIR),
    ({"steps": -1}, ValueError, "steps must be at least 0, got -1"),
    ({"tol": -1}, ValueError, "tol must be at least 0, got -1.0"),
    ({"gtol": NAN}, ValueError, "gtol must be at least 0, got nan"),
    ({"bounds": 3}, TypeError, "bounds must be a pair of numbers, or one for each element, got 3"),
    ({"bounds": [(0, 1)] * 3}, ValueError, "bounds has shape (3,), but x0 has shape (2,)"),
    ({"bounds": (2, 1)}, ValueError, "bounds must have low at most high in each pair"),
    ({"bounds": (0, 1), "x0": {"w": np.ones(2)}}, TypeError, ONE_ARRAY),
]  # fmt: skip


@pytest.mark.parametrize(("given", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_is_wrong_is_named(given: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"fun": bowl, "x0": [0.0, 1.0], **given}
    with pytest.raises(error) as raised:
        gs.minimize(arguments.pop("fun"), arguments.pop("x0"), **arguments)
    assert str(raised.value) == message


def test_without_scipy_the_result_has_the_same_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    absent.no_scipy(monkeypatch)
    found = gs.minimize(bowl, [0.0, 1.0], rule=gs.SGD, lr=0.25)
    assert type(found) is Result
    assert list(found) == ["x", "fun", "jac", "nit", "nfev", "njev", "success", "status", "message"]
    assert found.x is found["x"]
    assert "success: True\n" in repr(found)
    assert pickle.loads(pickle.dumps(found)).fun == found.fun
    with pytest.raises(AttributeError, match=r"^the result has no 'hess'; it has x, fun, jac"):
        _ = found.hess


class TestSciPy:
    @pytest.fixture(autouse=True)
    def optimize(self) -> Any:
        self.scipy = pytest.importorskip("scipy.optimize")

    def test_the_result_is_scipys(self) -> None:
        assert isinstance(gs.minimize(bowl, [0.0]), self.scipy.OptimizeResult)

    @pytest.mark.parametrize("pair", [False, True])
    def test_a_method_gives_what_minimize_gives(self, pair: bool) -> None:
        method = gs.scipy_method(gs.Adam, lr=0.05, steps=3000)
        given = (
            {"fun": rosenbrock, "jac": True}
            if pair
            else {"fun": self.scipy.rosen, "jac": self.scipy.rosen_der}
        )
        there = self.scipy.minimize(**given, x0=[-1.2, 1.0], method=method, tol=1e-6)
        here = gs.minimize(rosenbrock, [-1.2, 1.0], lr=0.05, steps=3000, tol=1e-6)
        np.testing.assert_allclose(there.x, here.x, rtol=1e-9)
        np.testing.assert_allclose(there.x, 1.0, atol=1e-3)
        assert (there.nit, there.status) == (here.nit, here.status)

    def test_options_bounds_and_callback(self, capsys: pytest.CaptureFixture[str]) -> None:
        seen: list[Any] = []
        found = self.scipy.minimize(
            bowl,
            [0.0, 1.0],
            jac=True,
            method=gs.scipy_method(gs.SGD, lr=0.25, steps=99),
            bounds=self.scipy.Bounds([0, 0], [1, 2]),
            callback=seen.append,
            options={"maxiter": 7, "gtol": 0.0, "disp": True},
        )
        assert (found.nit, found.x.tolist(), len(seen)) == (0, [0.0, 1.0], 0) or found.x.tolist() == [
            1.0,
            2.0,
        ]
        assert "fun: 5, steps: " in capsys.readouterr().out

    def test_more_arguments(self) -> None:
        found = self.scipy.minimize(
            lambda x, c: (float(np.sum((x - c) ** 2)), 2 * (x - c)),
            [0.0],
            args=(2.0,),
            jac=True,
            method=gs.scipy_method(gs.SGD, lr=0.25),
        )
        assert found.x == pytest.approx(2.0, abs=1e-5)

    def test_inside_basinhopping(self) -> None:
        method = gs.scipy_method(gs.SGD, lr=0.02, steps=200)
        found = self.scipy.basinhopping(
            lambda x: (float(np.sum(x**2 + 3 * np.cos(3 * x))), 2 * x - 9 * np.sin(3 * x)),
            [2.5],
            niter=20,
            stepsize=2.0,
            minimizer_kwargs={"jac": True, "method": method},
            **({"rng": 0} if "rng" in self.scipy.basinhopping.__doc__ else {"seed": 0}),
        )
        assert abs(found.x[0]) == pytest.approx(1.0, abs=0.1)

    def test_what_it_cannot_do_is_told(self) -> None:
        method = gs.scipy_method(gs.SGD)
        with pytest.raises(ValueError, match=r"^jac must be True or a function of the gradients, got None$"):
            self.scipy.minimize(lambda x: x @ x, [0.0], method=method)
        with pytest.raises(
            ValueError, match=r"^constraints cannot be met by a rule such as gs.Adam; bounds can$"
        ):
            self.scipy.minimize(
                bowl, [0.0], jac=True, method=method, constraints=[{"type": "eq", "fun": sum}]
            )
        with pytest.warns(RuntimeWarning, match="does not use Hessians"):
            self.scipy.minimize(bowl, [0.0], jac=True, method=method, hess=lambda x: np.eye(len(x)))


def test_a_method_pickles() -> None:
    method = pickle.loads(pickle.dumps(gs.scipy_method(gs.SGD, lr=0.25)))
    assert method(lambda x: bowl(x)[0], [0.0], jac=lambda x: bowl(x)[1]).success
    assert isinstance(method, partial)
