"""Six rules and ten schedules on the handwritten digits, compared in a table and, if you like, in one plot.

What it teaches: how much the rule, and how much the schedule matters. Every rule is trained at its own usual rate
under every schedule; a schedule here is a factor from 0 to 1, and `rate * schedule` is what the rule gets.

    η(t) = rate·s(t)            for each of 6 rules × 10 schedules, 12 epochs, the same weights to start from

What to look at: the accuracies on the validation split. Along a row the schedule changes, down a column the
rule. Falling schedules beat the constant in nearly every row, by less than the choice of rate does; see
`rate_sweep.py`. The plot has the training loss of each rule under one schedule, of one rule under each
schedule, and the schedules themselves:

    python docs/examples/compare_rules.py --plot docs/images/compare_rules.png
"""

import argparse

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import accuracy, initial_params, loss_and_grads
from gradstep.schedules import (
    Constant, Cosine, CosineRestarts, Cyclic, Exponential, InverseTime, Linear, OneCycle, Schedule, StepDecay,
)

EPOCHS, BATCH_SIZE = 12, 32
digits = split()
order = np.random.default_rng(0).permutation(len(digits.train_labels))
validation, training = order[:300], order[300:]
STEPS = EPOCHS * -(-len(training) // BATCH_SIZE)

RULES = {
    "SGD": lambda params, schedule: gs.SGD(params, lr=0.1 * schedule),
    "momentum": lambda params, schedule: gs.SGD(params, lr=0.03 * schedule, momentum=0.9),
    "Adagrad": lambda params, schedule: gs.Adagrad(params, lr=0.03 * schedule),
    "RMSprop": lambda params, schedule: gs.RMSprop(params, lr=0.003 * schedule),
    "Adam": lambda params, schedule: gs.Adam(params, lr=0.005 * schedule),
    "AdamW": lambda params, schedule: gs.AdamW(params, lr=0.005 * schedule, weight_decay=0.1),
}
SCHEDULES: dict[str, Schedule] = {
    "Constant": Constant(1.0),
    "StepDecay": StepDecay(1.0, gamma=0.3, every=STEPS // 3),
    "Exponential": Exponential(1.0, gamma=0.02, every=STEPS),
    "InverseTime": InverseTime(1.0, rate=10.0, every=STEPS),
    "Linear": Linear(1.0, 0.0, steps=STEPS),
    "Cosine": Cosine(1.0, steps=STEPS),
    "warm Cosine": Cosine(1.0, steps=STEPS - STEPS // 10).warmup(STEPS // 10),
    "Restarts": CosineRestarts(1.0, period=-(-STEPS // 7), period_mult=2),
    "Cyclic": Cyclic(0.0, 1.0, up=STEPS // 6, mode="triangular2"),
    "OneCycle": OneCycle(1.0, steps=STEPS),
}
