"""SciPy: a rule as the method of `scipy.optimize.minimize`, where each evaluation is noisy.

SciPy's own methods search along lines and trust differences of values. Where a function is computed on
another mini-batch each time, such differences are noise, and the search ends wherever it is. A rule such as
Adam asks for gradients only, and under a rate that falls to 0 the noise is averaged away. `scipy_method` has
the same call, `jac=True`, `bounds` and callback included.
"""

import numpy as np
from scipy.optimize import minimize

import gradstep as gs

SAMPLES, FEATURES, BATCH_SIZE, STEPS = 4000, 20, 32, 3000


class Noisy:
    """The squared error of a line, of another mini-batch at each call."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(SAMPLES, FEATURES))
        self.y = self.x @ np.linspace(-1.0, 3.0, FEATURES) + rng.normal(size=SAMPLES)
        self.rng = np.random.default_rng(1)

    def __call__(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Compute the value and the gradient."""
        rows = self.rng.integers(SAMPLES, size=BATCH_SIZE)
        error = self.x[rows] @ w - self.y[rows]
        return float(np.mean(error**2)), 2 * self.x[rows].T @ error / BATCH_SIZE

    def whole(self, w: np.ndarray) -> float:
        """Compute the value without noise."""
        return float(np.mean((self.x @ w - self.y) ** 2))


def main() -> dict[str, float]:
    """Minimize by L-BFGS-B and by Adam, free and within bounds."""
    start = np.zeros(FEATURES)
    fun = Noisy()
    least, *_ = np.linalg.lstsq(fun.x, fun.y, rcond=None)
    method = gs.scipy_method(gs.Adam, lr=gs.schedules.Cosine(0.05, steps=STEPS), steps=STEPS)
    by_adam = minimize(fun, start, jac=True, method=method)
    bounded = minimize(fun, start, jac=True, method=method, bounds=[(0.0, 2.0)] * FEATURES)
    by_lbfgs = minimize(fun, start, jac=True, method="L-BFGS-B")
    result = {
        "least": fun.whole(least),
        "Adam": fun.whole(by_adam.x),
        "L-BFGS-B": fun.whole(by_lbfgs.x),
        "smallest within bounds": float(bounded.x.min()),
        "largest within bounds": float(bounded.x.max()),
    }
    print(f"L-BFGS-B: {by_lbfgs.message}")
    for name, value in result.items():
        print(f"{name}: {value:.4f}")
    return result


if __name__ == "__main__":
    main()
