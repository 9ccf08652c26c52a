"""A classifier of handwritten digits: Adam under exponential decay, η(t) = 0.1·0.96^(t/1000).

What it teaches: the rate falls by the same factor in every 1,000 steps, smoothly or in stairs.

    η(t) = 0.1·0.96^(t/1000)             Exponential(0.1, gamma=0.96, every=1000)
    η(t) = 0.1·0.96^⌊t/1000⌋             the same with staircase=True: only each 1,000th step lowers it

The model is softmax regression, one layer without hidden units. A mini-batch at a time, cross-entropy, Adam.

What to look at: the column "rate". 0.96 in 1,000 steps is slow: 17,000 steps halve the rate, and this run has
4,600. With t/20 instead of t/1000 the same 0.96 brings the rate down to 10⁻⁵, and the training loss stops
falling, because the weights hardly move any more. A decay has to fit the length of the run. The test
accuracy is nearly the same under all three: digits are easy, and one image more or less is 0.27 %.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import Split, split
from gradstep.demo.network import accuracy, initial_params, loss_and_grads

EPOCHS = 200
BATCH_SIZE = 64


def train(schedule: gs.schedules.Schedule, digits: Split, report: bool) -> dict[str, float]:
    """Train softmax regression under a schedule; return the last loss, rate and accuracy."""
    rng = np.random.default_rng(0)
    params = initial_params(rng, (64, 10))
    opt = gs.Adam(params, lr=schedule)
    for epoch in range(1, EPOCHS + 1):
        order = rng.permutation(len(digits.train_labels))
        for start in range(0, len(order), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            _, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
            opt.step(grads)
        if report and (epoch == 1 or epoch % 20 == 0):
            loss, _ = loss_and_grads(params, digits.train_images, digits.train_labels)
            share = accuracy(params, digits.test_images, digits.test_labels)
            print(f"{epoch:5}  {opt.step_count:5}  {opt.lr:8.6f}  {loss:13.6f}  {share:13.2%}")
    loss, _ = loss_and_grads(params, digits.train_images, digits.train_labels)
    share = accuracy(params, digits.test_images, digits.test_labels)
    return {"training loss": loss, "test accuracy": share, "rate": opt.lr, "steps": opt.step_count}


def main() -> dict[str, dict[str, float]]:
    """Train under the decay of the textbook, its staircase, and one fifty times as fast."""
    digits = split()
    print("epoch   step      rate  training loss  test accuracy")
    results = {"textbook": train(gs.schedules.Exponential(0.1, gamma=0.96, every=1000), digits, report=True)}
    staircase = gs.schedules.Exponential(0.1, gamma=0.96, every=1000, staircase=True)
    results["staircase"] = train(staircase, digits, report=False)
    results["faster"] = train(gs.schedules.Exponential(0.1, gamma=0.96, every=20), digits, report=False)
    for name, last in results.items():
        print(
            f"{name:9} after {last['steps']} steps: rate {last['rate']:.1e}, "
            f"training loss {last['training loss']:.6f}, test accuracy {last['test accuracy']:.2%}"
        )
    return results


if __name__ == "__main__":
    main()
