"""Averages of the parameters for evaluation: `ema=` and `swap_averaged`.

At a rate that does not fall, parameters jump about their best values, by the noise of the mini-batches. Their
running mean does not: A ← βA + (1−β)p, kept in the pass of the update. `swap_averaged` puts the averages into
the parameters for the length of a block, so that the model that one has is evaluated as it is.
"""

import numpy as np

import gradstep as gs

TRUTH = np.arange(1.0, 9.0)


def main() -> dict[str, float]:
    """Fit a line of eight slopes by single noisy samples, at a rate that stays."""
    rng = np.random.default_rng(0)
    w = np.zeros(8)
    opt = gs.SGD(w, lr=0.05, ema=gs.schedules.Lambda(lambda t: min(0.99, (1 + t) / (10 + t))))
    for _ in range(3000):
        x = rng.normal(size=8)
        opt.step((x @ w - x @ TRUTH - rng.normal()) * x)
    before = w.copy()
    with opt.swap_averaged():
        averaged = float(np.linalg.norm(w - TRUTH))
    result = {
        "error of the last iterate": float(np.linalg.norm(w - TRUTH)),
        "error of the average": averaged,
        "changed by the block": float(np.abs(w - before).max()),
    }
    for name, value in result.items():
        print(f"{name}: {value:.3f}")
    return result


if __name__ == "__main__":
    main()
