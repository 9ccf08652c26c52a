"""scikit-learn: `MLPClassifier` with any rule, any schedule and any option, through a subclass.

The classifier keeps what moves its weights in the attribute `_optimizer`, and asks it to update lists of
arrays in place. The subclass puts gradstep there; all else, from the mini-batches to `predict`, is
scikit-learn's. With `like("sklearn")` the losses are those of `MLPClassifier` itself. The attribute is
private: this is as of scikit-learn 1.9, and `make recipes` tells when it no longer fits.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier

import gradstep as gs

EPOCHS = 15
OPTIONS: dict[str, Any] = {
    "batch_size": 64,
    "random_state": 0,
    "max_iter": EPOCHS,
    "n_iter_no_change": EPOCHS,
}


class Stepper:
    """What scikit-learn asks of an optimizer."""

    def __init__(self, opt: gs.Optimizer) -> None:
        self.opt = opt

    def update_params(self, _: list[np.ndarray], grads: list[np.ndarray]) -> None:
        """Move the arrays that the optimizer was given."""
        self.opt.step(grads)

    def iteration_ends(self, time_step: int) -> None:
        """Do nothing: a schedule of gradstep counts updates, and does so by itself."""

    def trigger_stopping(self, message: str, verbose: bool) -> bool:
        """Stop where the loss no longer falls, as scikit-learn's Adam does."""
        if verbose:
            print(message)
        return True


class AnyRuleClassifier(MLPClassifier):  # type: ignore[misc, unused-ignore]
    """A perceptron that is trained by a rule of gradstep.

    Args:
        rule: makes an optimizer for a list of arrays, such as ``gs.Lion``.
        hidden_layer_sizes: as of MLPClassifier.
    """

    def __init__(
        self,
        rule: Callable[[list[np.ndarray]], gs.Optimizer] = gs.Adam,
        hidden_layer_sizes: tuple[int, ...] = (64,),
    ) -> None:
        super().__init__(hidden_layer_sizes, **OPTIONS)
        self.rule = rule

    @property
    def _optimizer(self) -> Stepper:
        return self._stepper

    @_optimizer.setter
    def _optimizer(self, _: Any) -> None:
        self._stepper = Stepper(self.rule(self.coefs_ + self.intercepts_))


def like_sklearn(arrays: list[np.ndarray]) -> gs.Optimizer:
    """Make the Adam that scikit-learn has, with its defaults."""
    return gs.Adam.like("sklearn", arrays)


def falling(arrays: list[np.ndarray]) -> gs.Optimizer:
    """Make an AdamW with what scikit-learn has no words for: a schedule, and a limit on the gradients."""
    rate = gs.schedules.Cosine(0.01, steps=400).warmup(20)
    return gs.AdamW(arrays, lr=rate, weight_decay=0.1, clip_norm=1.0)


def main() -> dict[str, Any]:
    """Train MLPClassifier, the same by gradstep, and with another rule."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is what was asked for
    images, labels = load_digits(return_X_y=True)
    images = images / 16.0
    theirs = MLPClassifier((64,), **OPTIONS)
    ours = AnyRuleClassifier(like_sklearn)
    for model in (theirs, ours):
        model.fit(images, labels)
    result = {
        "losses": [theirs.loss_curve_, ours.loss_curve_],
        "accuracy by its own Adam": float(cross_val_score(clone(theirs), images, labels, cv=3).mean()),
        "accuracy by AdamW on a schedule": float(
            cross_val_score(AnyRuleClassifier(falling), images, labels, cv=3).mean()
        ),
    }
    for epoch in (0, EPOCHS - 1):
        a, b = theirs.loss_curve_[epoch], ours.loss_curve_[epoch]
        print(f"loss after epoch {epoch + 1:2}: {a:.6f} and {b:.6f}")
    for name in ("accuracy by its own Adam", "accuracy by AdamW on a schedule"):
        print(f"{name}: {result[name]:.2%}")
    return result


if __name__ == "__main__":
    main()
