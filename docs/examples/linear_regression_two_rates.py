"""Linear regression y = 2x + 1 + noise: SGD at a rate of 0.1, then on at 0.01.

What it teaches: a mini-batch gives a noisy gradient, so at a constant rate the parameters do not settle but
keep jumping about the best line. The jumps are as large as the rate. So one starts with a large rate, which
gets near quickly, and goes on with a small one, which settles.

    loss L = (1/n) Σ (w·xᵢ + b − yᵢ)²
    gradient ∂L/∂w = (2/n) Σ (w·xᵢ + b − yᵢ)·xᵢ      ∂L/∂b = (2/n) Σ (w·xᵢ + b − yᵢ)
    update w ← w − η·∂L/∂w,  b ← b − η·∂L/∂b         with η = 0.1 for 500 steps, then η = 0.01 for 500 steps

What to look at: the column "distance", which is how far (w, b) is from the least-squares line, the best that
these points allow. It stops falling at 0.1, and falls again at 0.01. The last lines show the two ways to
change the rate, by assigning `opt.lr` and by a schedule, to be the same to the last bit.
"""

import numpy as np

import gradstep as gs

STEPS = 500  # at each of the two rates
BATCH_SIZE = 10
FIRST, SECOND = 0.1, 0.01

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, size=200)
y = 2 * x + 1 + 0.5 * rng.normal(size=200)
best_line = np.polyfit(x, y, deg=1)  # least squares, in closed form: (slope, intercept)
batches = np.array([rng.choice(len(x), BATCH_SIZE, replace=False) for _ in range(2 * STEPS)])


def gradient(line: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Compute the gradient of the mean squared error over some of the points."""
    error = line[0] * x[rows] + line[1] - y[rows]
    return np.array([2 * np.mean(error * x[rows]), 2 * np.mean(error)])


def train(line: np.ndarray, opt: gs.Optimizer, some_batches: np.ndarray, report: bool) -> list[float]:
    """Make one step for each mini-batch; return how far the line was from the best one after each."""
    distances = []
    for rows in some_batches:
        rate = opt.lr
        opt.step(gradient(line, rows))
        distances.append(float(np.linalg.norm(line - best_line)))
        if report and opt.step_count % 100 == 0:
            (w, b), loss = line, np.mean((line[0] * x + line[1] - y) ** 2)
            print(f"{opt.step_count:4}  {rate:5}  {loss:8.5f}  {w:7.4f}  {b:7.4f}  {distances[-1]:8.5f}")
    return distances


def main() -> dict[str, float]:
    """Train by assigning the second rate, then once more by a schedule."""
    print(f"least squares: y = {best_line[0]:.4f}x + {best_line[1]:.4f}")
    print("step   rate      loss        w        b  distance")
    line = np.zeros(2)
    opt = gs.SGD(line, lr=FIRST)
    at_first = train(line, opt, batches[:STEPS], report=True)
    opt.lr = SECOND
    at_second = train(line, opt, batches[STEPS:], report=True)

    scheduled_line = np.zeros(2)
    rates = gs.schedules.Constant(FIRST).then(gs.schedules.Constant(SECOND), at=STEPS)
    train(scheduled_line, gs.SGD(scheduled_line, lr=rates), batches, report=False)

    # Each phase is judged by its last 100 steps: single steps are luck.
    result = {
        "w": float(line[0]),
        "b": float(line[1]),
        "distance at the first rate": float(np.mean(at_first[-100:])),
        "distance at the second rate": float(np.mean(at_second[-100:])),
        "difference to the schedule": float(np.abs(line - scheduled_line).max()),
    }
    print(f"mean distance of the last 100 steps at {FIRST}: {result['distance at the first rate']:.5f}")
    print(f"mean distance of the last 100 steps at {SECOND}: {result['distance at the second rate']:.5f}")
    print(f"assigned: {line}, by schedule: {scheduled_line}")
    return result


if __name__ == "__main__":
    main()
