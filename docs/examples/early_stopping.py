"""Early stopping: 100 images, some with wrong labels, and a network that can learn all of them by heart.

What it teaches: the training loss says how well a network knows its training images, mistakes and all. The
validation loss, on images held back, says when it begins to learn the mistakes. Training stops when the
validation loss has not fallen for some epochs, the patience, and the best parameters are put back.

    stop when  the best validation loss is 20 epochs old          EarlyStopping(patience=20, restore=params)

What to look at: the validation loss falls, turns and rises, while the training loss goes to zero. The last
lines compare, on the test split, the parameters that early stopping kept with those of 300 epochs.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads

EPOCHS, PATIENCE = 300, 20

digits = split()
rng = np.random.default_rng(0)
order = rng.permutation(len(digits.train_labels))
training, validation = order[:100], order[100:400]
labels = digits.train_labels.copy()
labels[training[:30]] = rng.integers(10, size=30)  # the mistakes: 30 labels are drawn at random


def test(params: Params) -> dict[str, float]:
    """Compute the mean cross-entropy and the accuracy on the test split."""
    loss, _ = loss_and_grads(params, digits.test_images, digits.test_labels)
    return {"loss": loss, "accuracy": accuracy(params, digits.test_images, digits.test_labels)}


def main() -> dict[str, object]:
    """Note where early stopping stops, train on to see what it saves us from, and put the best back."""
    params = initial_params(np.random.default_rng(1), (64, 64, 10))
    opt = gs.Adam(params, lr=0.003)
    stopping = gs.EarlyStopping(patience=PATIENCE, restore=params)
    stopped_at = None
    training_loss = np.inf
    print("epoch  training loss  validation loss")
    for epoch in range(EPOCHS + 1):
        training_loss, grads = loss_and_grads(params, digits.train_images[training], labels[training])
        validation_loss, _ = loss_and_grads(params, digits.train_images[validation], labels[validation])
        if stopped_at is None and stopping.update(validation_loss):
            stopped_at = epoch  # a real program would leave the loop here
            print(f"{epoch:5}  {training_loss:13.4f}  {validation_loss:15.4f}  stopped")
        elif epoch % 20 == 0:
            print(f"{epoch:5}  {training_loss:13.4f}  {validation_loss:15.4f}")
        opt.step(grads)
    at_end = test(params)
    stopping.restore()
    at_best = test(params)
    print(f"the best epoch was {stopping.best_step}, with a validation loss of {stopping.best:.4f}")
    print(f"test, after {EPOCHS} epochs: loss {at_end['loss']:.4f}, accuracy {at_end['accuracy']:.2%}")
    print(f"test, early stopping: loss {at_best['loss']:.4f}, accuracy {at_best['accuracy']:.2%}")
    return {
        "training loss": training_loss,
        "stopped at": stopped_at,
        "best epoch": stopping.best_step,
        "best": at_best,
        "end": at_end,
    }


if __name__ == "__main__":
    main()
