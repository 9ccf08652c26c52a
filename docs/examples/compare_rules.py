"""Six rules and ten schedules on the handwritten digits, compared in a table and, if you like, in one plot.

What it teaches: what a schedule is good for. Every rule is trained under every schedule. A schedule here is
a factor from 0 to 1, and `rate * schedule` is what the rule gets.

    η(t) = rate·s(t)            for each of 6 rules × 10 schedules, 12 epochs, the same weights to start from

What to look at: the row of Adam, whose rate is large. Held constant, it keeps the training loss where the
noise of the mini-batches leaves it, at some tenths; under every schedule that falls, the loss goes on down,
to a hundredth of that or less. Where the rate is small enough, a schedule has nothing to mend in so short a
run, and the training loss is lowest where the rate falls least. The validation accuracies, of 300 images,
differ by a few images only. The first plot has each rule under Cosine, the second Adam under each schedule.

    python docs/examples/compare_rules.py --plot docs/images/compare_rules.png
"""

import argparse
from collections.abc import Callable

import numpy as np

import gradstep as gs
from gradstep import schedules
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

EPOCHS, BATCH_SIZE = 12, 32
digits = split()
order = np.random.default_rng(0).permutation(len(digits.train_labels))
validation, training = order[:300], order[300:]
STEPS = EPOCHS * -(-len(training) // BATCH_SIZE)

RULES: dict[str, Callable[[Params, schedules.Schedule], gs.Optimizer]] = {
    "SGD": lambda params, schedule: gs.SGD(params, lr=0.3 * schedule),
    "momentum": lambda params, schedule: gs.SGD(params, lr=0.05 * schedule, momentum=0.9),
    "Adagrad": lambda params, schedule: gs.Adagrad(params, lr=0.1 * schedule),
    "RMSprop": lambda params, schedule: gs.RMSprop(params, lr=0.01 * schedule),
    "Adam": lambda params, schedule: gs.Adam(params, lr=0.05 * schedule),
    "AdamW": lambda params, schedule: gs.AdamW(params, lr=0.015 * schedule, weight_decay=0.1),
}
SCHEDULES: dict[str, schedules.Schedule] = {
    "Constant": schedules.Constant(1.0),
    "StepDecay": schedules.StepDecay(1.0, gamma=0.3, every=STEPS // 3),
    "Exponential": schedules.Exponential(1.0, gamma=0.02, every=STEPS),
    "InverseTime": schedules.InverseTime(1.0, rate=10.0, every=STEPS),
    "Linear": schedules.Linear(1.0, 0.0, steps=STEPS),
    "Cosine": schedules.Cosine(1.0, steps=STEPS),
    "warm Cosine": schedules.Cosine(1.0, steps=STEPS - STEPS // 10).warmup(STEPS // 10),
    "Restarts": schedules.CosineRestarts(1.0, period=-(-STEPS // 7), period_mult=2),
    "Cyclic": schedules.Cyclic(0.0, 1.0, up=STEPS // 6, mode="triangular2"),
    "OneCycle": schedules.OneCycle(1.0, steps=STEPS),
}


def train(rule: str, schedule: schedules.Schedule) -> dict[str, list[float]]:
    """Train one rule under one schedule; return the training loss and validation accuracy of each epoch."""
    rng = np.random.default_rng(1)
    params = initial_params(rng, (64, 32, 10))
    opt = RULES[rule](params, schedule)
    curves: dict[str, list[float]] = {"loss": [], "accuracy": []}
    for _ in range(EPOCHS):
        shuffled, losses = rng.permutation(training), []
        for start in range(0, len(shuffled), BATCH_SIZE):
            rows = shuffled[start : start + BATCH_SIZE]
            loss, grads = loss_and_grads(params, digits.train_images[rows], digits.train_labels[rows])
            opt.step(grads)
            losses.append(loss)
        curves["loss"].append(float(np.mean(losses)))
        curves["accuracy"].append(
            accuracy(params, digits.train_images[validation], digits.train_labels[validation])
        )
    return curves


def draw(results: dict[tuple[str, str], dict[str, list[float]]], path: str) -> None:
    """Draw the rules under the cosine, Adam under each schedule, and the schedules."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.5), layout="constrained")
    by_rule, by_schedule, rates = figure.subplots(1, 3)
    epochs, steps = np.arange(1, EPOCHS + 1), np.arange(STEPS)
    for rule in RULES:
        by_rule.plot(epochs, results[rule, "Cosine"]["loss"], label=rule)
    for i, (name, schedule) in enumerate(SCHEDULES.items()):
        style = {"label": name, "color": f"C{i}", "linestyle": "-" if i < 5 else "--"}
        by_schedule.plot(epochs, results["Adam", name]["loss"], **style)
        rates.plot(steps, schedule(steps), **style)
    for axes, title in ((by_rule, "each rule under Cosine"), (by_schedule, "Adam under each schedule")):
        axes.set(
            title=title, xlabel="epoch", ylabel="training loss (nats)", yscale="log", xticks=epochs[1::2]
        )
    rates.set(title="the schedules", xlabel="step", ylabel="factor of the rate")
    by_rule.legend()
    figure.legend(*rates.get_legend_handles_labels(), loc="outside right center")
    figure.savefig(path, dpi=90)


def main(plot: str | None = None) -> dict[tuple[str, str], dict[str, list[float]]]:
    """Train all pairs and print the validation accuracy of each after the last epoch."""
    results = {(rule, name): train(rule, SCHEDULES[name]) for rule in RULES for name in SCHEDULES}
    print("validation accuracy after", EPOCHS, "epochs")
    print(" " * 8 + "".join(f"{name:>13}" for name in SCHEDULES))
    for rule in RULES:
        print(f"{rule:8}" + "".join(f"{results[rule, name]['accuracy'][-1]:13.2%}" for name in SCHEDULES))
    print("training loss of the last epoch")
    for rule in RULES:
        print(f"{rule:8}" + "".join(f"{results[rule, name]['loss'][-1]:13.4f}" for name in SCHEDULES))
    if plot:
        draw(results, plot)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare six rules under ten schedules.")
    parser.add_argument("--plot", metavar="FILE", help="draw the curves to FILE, such as curves.png")
    main(parser.parse_args().plot)
