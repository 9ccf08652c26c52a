"""A guard against spikes: gradients far above the recent ones are not trusted.

What it teaches: a limit on the norm has to be chosen before one knows how large gradients are, and what is
right at the start is far too much later, when they have become small. A guard compares each norm with those
of the last steps instead.

    limit of step t    2·Q, Q the 0.99 quantile of the last 100 norms
    action="clip"      g ← g·min(1, limit/‖g‖)
    action="skip"      no update at all if ‖g‖ > limit; counted in opt.skipped

Here one mini-batch in 150 comes from a broken sensor: a thousand times as large, with the labels of others.

What to look at: without a guard the first of them throws the network away. With one, nothing is lost, however
small the gradients have become. Before the first spike there is no difference, not in a single bit. And what
stays is no spike: where all gradients are twenty times as large from a step on, they pass after a few steps.
"""

import pickle

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

STEPS, BATCH_SIZE, EVERY, FIRST, LARGER = 900, 32, 150, 149, 1000.0
GUARDS = {
    "no guard": None,
    "clip": gs.feedback.NormGuard(window=100, action="clip"),
    "skip": gs.feedback.NormGuard(window=100, action="skip"),
}
digits = split()


def gradients(params: Params, t: int) -> Params:
    """Compute those of mini-batch t, which may be a bad one."""
    rows = np.random.default_rng(t).integers(len(digits.train_labels), size=BATCH_SIZE)
    images, labels = digits.train_images[rows], digits.train_labels[rows]
    if t % EVERY == FIRST:
        images, labels = images * LARGER, np.roll(labels, 1)
    return loss_and_grads(params, images, labels)[1]


def train(guard: gs.feedback.NormGuard | None) -> dict[str, object]:
    """Train, and keep the parameters as they were before the first bad batch."""
    params = initial_params(np.random.default_rng(1), (64, 32, 10))
    opt = gs.SGD(params, lr=0.05, momentum=0.9, clip_norm=guard)
    before, curve = b"", []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for t in range(STEPS):
            if t == FIRST:
                before = pickle.dumps(params)
            opt.step(gradients(params, t))
            if t % 100 == 99:
                curve.append(accuracy(params, digits.test_images, digits.test_labels))
    return {"curve": curve, "skipped": opt.skipped, "before": before}


def skipped_at_a_new_level() -> int:
    """Count the steps that are lost where gradients become twenty times as large, and stay so."""
    w = np.ones(4)
    opt = gs.SGD(w, lr=0.0, clip_norm=gs.feedback.NormGuard(window=100, action="skip"))
    for t in range(400):
        opt.step(np.full(4, 1.0 if t < 200 else 20.0))
    return opt.skipped


def main() -> dict[str, object]:
    """Train without a guard and with each kind."""
    results = {name: train(guard) for name, guard in GUARDS.items()}
    print("of the test images, after so many steps", *(f"{name:>8}" for name in results), sep="  ")
    for i, reached in enumerate(zip(*(result["curve"] for result in results.values()), strict=True)):
        print(f"{100 * (i + 1):39}", *(f"{one:8.2%}" for one in reached), sep="  ")
    print(f"{'steps skipped':>39}", *(f"{result['skipped']:8}" for result in results.values()), sep="  ")
    same = all(result["before"] == results["no guard"]["before"] for result in results.values())
    print(f"the same bits before the first bad batch: {same}")
    new_level = skipped_at_a_new_level()
    print(f"steps lost at a level that stays: {new_level} of 200")
    return {"runs": results, "same": same, "new level": new_level}


if __name__ == "__main__":
    main()
