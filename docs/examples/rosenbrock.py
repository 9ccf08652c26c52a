"""Rosenbrock's banana, as SciPy's users minimize it, by Adam.

What it teaches: `gs.minimize` has the shape of `scipy.optimize.minimize`, and `gs.scipy_method` makes a rule
one of its methods. The valley is long and flat, which is why this function became a benchmark: Adam finds the
valley soon and then creeps along it, as long as the rate lets it.

    f(x) = Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²,   minimum 0 at (1, …, 1)

What to look at: the distance to (1, 1), printed on the way. A rate that falls arrives where a constant one
hovers. A method that builds a model of the curvature, such as L-BFGS, takes a hundredth of the calls; that is
for functions without noise, of which this is one. (Without SciPy this prints what gradstep finds alone.)
"""

import numpy as np

import gradstep as gs

STEPS = 5000
START = [-1.2, 1.0]


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Compute the value and the gradient."""
    inner = x[1:] - x[:-1] ** 2
    grad = np.zeros_like(x)
    grad[:-1] = -400 * x[:-1] * inner - 2 * (1 - x[:-1])
    grad[1:] += 200 * inner
    return float(np.sum(100 * inner**2 + (1 - x[:-1]) ** 2)), grad


def scipy_finds(method: object) -> dict[str, float] | None:
    """Minimize by SciPy, if it is installed."""
    try:
        from scipy.optimize import minimize
    except ImportError:
        return None
    found = minimize(rosenbrock, START, jac=True, method=method)
    return {"distance": float(np.linalg.norm(found.x - 1)), "calls": float(found.nfev)}


def main() -> dict[str, dict[str, float] | None]:
    """Minimize with a constant and a falling rate, and through SciPy."""
    results: dict[str, dict[str, float] | None] = {}
    falling = gs.schedules.Cosine(0.1, steps=STEPS)
    for name, rate in (("constant", gs.schedules.Constant(0.1)), ("falling", falling)):
        path: list[np.ndarray] = []
        found = gs.minimize(
            rosenbrock, START, rule=gs.Adam, lr=rate, steps=STEPS, gtol=0.0, callback=path.append
        )
        print(f"Adam, {name} rate: {found.message}")
        for step in (1, 10, 100, 1000, STEPS):
            print(f"{step:6} steps: {np.linalg.norm(path[step - 1] - 1):.2e} from (1, 1)")
        results[name] = {
            "distance": float(np.linalg.norm(found.x - 1)),
            "end": float(np.linalg.norm(path[-1] - 1)),
        }
    results["by SciPy"] = scipy_finds(gs.scipy_method(gs.Adam, lr=falling, steps=STEPS, gtol=0.0))
    results["L-BFGS-B"] = scipy_finds("L-BFGS-B")
    for name in ("by SciPy", "L-BFGS-B"):
        if found := results[name]:
            print(f"{name}: {found['distance']:.2e} from (1, 1) after {found['calls']:.0f} calls")
    return results


if __name__ == "__main__":
    main()
