"""Rates that react: y = 2x + 1 under gradient-norm decay, in both forms, and under loss decay, β = 0.01.

What it teaches: a schedule knows only the time. These rates know how the training goes.

    by the sum   η(t) = η₀/√(1 + β·Σ‖gᵢ‖²)     GradNormScaled(schedule, beta)
    compound     η ← η/√(1 + β·‖g‖²)           GradNormScaled(schedule, beta, compound=True)
    by the loss  η(t) = η₀/(1 + β·loss)        LossScaled(schedule, beta)

Each step feeds the gradient norms by itself; the loss is handed over by `opt.step(gradient, loss=loss)`.

What to look at: with η₀ = 0.1, a good rate, all four find the line and the decay hardly matters, β being
small. With η₀ = 1.1 the plain rate diverges, because gradient descent on this loss wants a rate below 1. The
gradients grow and push both gradient-norm rates below 1 for good, and those converge. Loss decay does not:
its rate rises again when the loss falls, so the training hangs where the loss is 10 and the rate just 1.
"""

import numpy as np

import gradstep as gs

EPOCHS = 200
BETA = 0.01

x = np.linspace(-1, 1, 100)
y = 2 * x + 1


def rates(start: float) -> dict[str, gs.schedules.Schedule]:
    """Make the plain rate and the three that react, all from the same start."""
    plain = gs.schedules.Constant(start)
    return {
        "plain": plain,
        "by the sum": gs.feedback.GradNormScaled(plain, beta=BETA),
        "compound": gs.feedback.GradNormScaled(plain, beta=BETA, compound=True),
        "by the loss": gs.feedback.LossScaled(plain, beta=BETA),
    }


def train(rate: gs.schedules.Schedule) -> dict[str, list[float]]:
    """Train; return the line, and the loss and the rate in each epoch."""
    line = np.zeros(2)
    opt = gs.SGD(line, lr=rate)
    losses, used = [], []
    for _ in range(EPOCHS):
        error = line[0] * x + line[1] - y
        losses.append(float(np.mean(error**2)))
        opt.step(np.array([2 * np.mean(error * x), 2 * np.mean(error)]), loss=losses[-1])
        used.append(opt.lr)
    return {"line": line.tolist(), "losses": losses, "rates": used}


def main() -> dict[float, dict[str, dict[str, list[float]]]]:
    """Train with all four rates, from a good start and from one that is too large."""
    results = {}
    for start in (0.1, 1.1):
        runs = {name: train(rate) for name, rate in rates(start).items()}
        results[start] = runs
        print(f"η₀ = {start}: loss, and rate")
        print("epoch  " + "  ".join(f"{name:>20}" for name in runs))
        for epoch in [0, 1, 2, 5, 10, 20, 50, 100, EPOCHS - 1]:
            cells = [f"{run['losses'][epoch]:11.3e}  {run['rates'][epoch]:7.5f}" for run in runs.values()]
            print(f"{epoch:5}  " + "  ".join(cells))
        for name, run in runs.items():
            print(f"{name:>12}: w = {run['line'][0]:.4g}, b = {run['line'][1]:.4g}")
    return results


if __name__ == "__main__":
    main()
