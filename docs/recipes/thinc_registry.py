"""thinc: a rule in thinc's registry, named by a config, called for each array.

`@registry.optimizers` makes a name that configs of thinc and spaCy can say. An optimizer is called with a
key, weights and a gradient, and gives both back, the gradient zeroed; there is an optimizer of gradstep for
each key, made when the key is first seen. It changes the weights in place. `like("thinc")` has thinc's
formula and defaults, the limit of 1 on the norm of each gradient among them, so that training ends at the
same weights.
"""

import time
from typing import Any

import numpy as np
from thinc.api import Config, Model, Optimizer, Relu, Softmax, chain, fix_random_seed, registry

import gradstep as gs
from gradstep.demo.digits import Split, split

STEPS, BATCH_SIZE = 300, 64
CONFIG = """
[ours]
@optimizers = "gradstep.like_thinc.v1"
rule = "Adam"
lr = 0.01
L2 = 0.01

[theirs]
@optimizers = "Adam.v1"
learn_rate = 0.01
L2 = 0.01
use_averages = false
"""
Key = tuple[int, str]


class GradstepOptimizer(Optimizer):  # type: ignore[misc, unused-ignore]
    """An optimizer of thinc that has one of gradstep for each key.

    Args:
        rule: a class of gradstep that thinc has too.
        lr: the rate, or a schedule.
        options: more of the rule's.
    """

    def __init__(self, rule: type[gs.Optimizer], lr: gs.Rate, **options: Any) -> None:
        super().__init__(0.0, use_averages=False)
        self.rule, self.lr, self.options = rule, lr, options
        self.of_key: dict[Key, gs.Optimizer] = {}

    def __call__(self, key: Key, weights: Any, gradient: Any, *, lr_scale: float = 1.0) -> tuple[Any, Any]:
        """Make a step in place."""
        if key not in self.of_key:
            self.of_key[key] = self.rule.like("thinc", weights, lr=self.lr, **self.options)
        opt = self.of_key[key]
        if opt.params is not weights:  # the model has new arrays, as after from_bytes
            opt.bind(weights)
        opt.lr = self.lr * lr_scale
        opt.step(gradient)
        gradient[...] = 0
        return weights, gradient


@registry.optimizers("gradstep.like_thinc.v1")  # type: ignore[untyped-decorator, unused-ignore]
def like_thinc(rule: str, lr: float, L2: float = 0.0) -> GradstepOptimizer:  # noqa: N803  thinc's word
    """Make one by the name of its rule."""
    return GradstepOptimizer(getattr(gs, rule), lr, weight_decay=L2)


def train(optimizer: Optimizer, data: Split) -> tuple[Model[Any, Any], float]:
    """Train a network; give it, and the seconds that it took."""
    fix_random_seed(0)
    model: Model[Any, Any] = chain(Relu(64), Softmax())
    model.initialize(data.train_images[:8], np.eye(10, dtype=np.float32)[:8])
    rng = np.random.default_rng(0)
    begin = time.perf_counter()
    for _ in range(STEPS):
        rows = rng.integers(len(data.train_labels), size=BATCH_SIZE)
        guesses, backprop = model.begin_update(data.train_images[rows])
        backprop((guesses - np.eye(10, dtype=np.float32)[data.train_labels[rows]]) / BATCH_SIZE)
        model.finish_update(optimizer)
        optimizer.step_schedules()  # type: ignore[no-untyped-call, unused-ignore]
    return model, time.perf_counter() - begin


def arrays(model: Model[Any, Any]) -> list[np.ndarray]:
    """List the weights."""
    return [np.asarray(node.get_param(name)) for node in model.walk() for name in node.param_names]


def main() -> dict[str, float]:
    """Train by thinc's Adam and by gradstep's, both from a config."""
    data = split()
    optimizers = registry.resolve(Config().from_str(CONFIG))
    theirs, of_theirs = train(optimizers["theirs"], data)
    ours, of_ours = train(optimizers["ours"], data)
    found = ours.predict(data.test_images).argmax(axis=1)
    pairs = zip(arrays(ours), arrays(theirs), strict=True)
    result = {
        "accuracy": float(np.mean(found == data.test_labels)),
        "largest difference": max(float(np.abs(a - b).max()) for a, b in pairs),
        "seconds with thinc's Adam": of_theirs,
        "seconds with gradstep": of_ours,
    }
    for name, value in result.items():
        print(f"{name}: {value:.3g}")
    return result


if __name__ == "__main__":
    main()
