"""Loss scaling for float16 gradients: what is small is not lost, what overflows is skipped.

Gradients below 3·10⁻⁸ are 0 in float16. So the loss is multiplied by a large factor, and the gradients with
it; `scale=1/factor` takes it out again in the update, in the dtype of the parameters. Where the factor was
too large, gradients are infinite: `nonfinite="skip"` leaves everything as it is, `step` returns False, and
the factor is halved; after a while without, it is doubled.
"""

import numpy as np

import gradstep as gs

STEPS, PATIENCE = 300, 50
TARGET = np.array([1e-5, -2e-5, 3e-5], np.float32)


def gradient(w: np.ndarray, factor: float) -> np.ndarray:
    """Compute that of factor·Σ(w − target)²/1000, in float16."""
    with np.errstate(over="ignore", under="ignore"):
        return (np.float64(factor / 500) * (w - TARGET)).astype(np.float16)


def train(factor: float, *, adapt: bool) -> dict[str, float]:
    """Train with a factor that follows what happens, or stays."""
    w = np.zeros(3, np.float32)
    opt = gs.SGD(w, lr=50.0, nonfinite="skip")
    since = 0
    for _ in range(STEPS):
        if opt.step(gradient(w, factor), scale=1 / factor):
            since += 1
        else:
            factor, since = factor / 2, 0
        if since == PATIENCE and adapt:
            factor, since = factor * 2, 0
    return {"error": float(np.abs(w - TARGET).max()), "skipped": opt.skipped, "factor": factor}


def main() -> dict[str, dict[str, float]]:
    """Train without a factor, and with one that is too large at first."""
    results = {"without": train(1.0, adapt=False), "with": train(2.0**40, adapt=True)}
    for name, result in results.items():
        print(f"{name:7} off by {result['error']:.1e}, {result['skipped']} steps skipped")
    return results


if __name__ == "__main__":
    main()
