"""Gradient descent finds y = 3x + 2: 1,000 epochs at a rate of 0.01, the loss printed each 100.

What it teaches: the smallest training loop there is. Compute the error, compute the gradient, take a step
against it, and do so again.

    loss L = (1/n) Σ (w·xᵢ + b − yᵢ)²
    gradient ∂L/∂w = (2/n) Σ (w·xᵢ + b − yᵢ)·xᵢ      ∂L/∂b = (2/n) Σ (w·xᵢ + b − yᵢ)
    update w ← w − η·∂L/∂w,  b ← b − η·∂L/∂b         with η = 0.01

What to look at: the loss never rises, and the intercept is found long before the slope. Far enough on, every
100 epochs divide the loss by the same number, the last column: gradient descent on a quadratic converges
geometrically, the loss by (1 − η·λ)² an epoch, λ being the smallest curvature of the loss.
"""

import numpy as np

import gradstep as gs

EPOCHS = 1000
RATE = 0.01

x = np.linspace(-1, 1, 100)
y = 3 * x + 2


def main() -> dict[str, object]:
    """Train, and print the loss each 100 epochs."""
    line = np.zeros(2)  # slope w and intercept b
    opt = gs.SGD(line, lr=RATE)
    losses = []
    print("epoch        loss        w        b  divided by")
    for epoch in range(EPOCHS + 1):
        error = line[0] * x + line[1] - y
        if epoch % 100 == 0:
            losses.append(float(np.mean(error**2)))
            quotient = f"  {losses[-2] / losses[-1]:10.3f}" if epoch else ""
            print(f"{epoch:5}  {losses[-1]:10.8f}  {line[0]:7.4f}  {line[1]:7.4f}{quotient}")
        if epoch < EPOCHS:
            opt.step(np.array([2 * np.mean(error * x), 2 * np.mean(error)]))

    smallest_curvature = min(float(2 * np.mean(x**2)), 2.0)  # of the slope, and of the intercept
    predicted = (1 - RATE * smallest_curvature) ** -200
    print(f"predicted by the curvature: divided by {predicted:.3f} each 100 epochs")
    return {
        "w": float(line[0]),
        "b": float(line[1]),
        "losses": losses,
        "predicted quotient": float(predicted),
    }


if __name__ == "__main__":
    main()
