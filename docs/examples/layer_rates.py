"""Different rates for different layers: a network learns a new task without forgetting the old one.

What it teaches: parameter groups. A network that tells the ten digits apart gets a second last layer, the
new head, and learns from 400 images whether a digit is even or odd. The first layer, the body, serves both
tasks, the old one through the old head, which is not trained any more. So the body gets a small rate and the
new head a large one, each under a schedule of its own:

    body   η₁(t) = 0.01·(1 + cos πt/T)/2                       a cosine to zero
    head   η₂(t) = 0.2·0.3^(times that the loss stood still)   Plateau, fed by opt.observe(loss)

What to look at: the rates, one for each group, `opt.lr` being a tuple here; the plateau lowers only its own.
Then the last two columns. With a large rate for the body the new task is learned to about the same accuracy,
but the ten digits are forgotten, since the body has changed under their head.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads
from gradstep.feedback import Plateau
from gradstep.schedules import Constant, Cosine, Schedule

EPOCHS, STEPS_PER_EPOCH = 40, 10

digits = split()
some = np.random.default_rng(0).permutation(len(digits.train_labels))[:400]


def learn_ten_digits() -> tuple[Params, Params]:
    """Train a network with one hidden layer on all images; return its body and its head."""
    params = initial_params(np.random.default_rng(1), (64, 8, 10))
    opt = gs.Adam(params, lr=0.01)
    for _ in range(200):
        _, grads = loss_and_grads(params, digits.train_images, digits.train_labels)
        opt.step(grads)
    return {"fc1": params["fc1"]}, {"fc2": params["fc2"]}


def learn_even_or_odd(body_rate: Schedule) -> dict[str, object]:
    """Train a new head on some of the images, and the body with it; return both accuracies and the rates."""
    body, old_head = learn_ten_digits()
    rng = np.random.default_rng(2)
    head = {"fc2": initial_params(rng, (64, 8, 2))["fc2"]}
    head_rate = Plateau(Constant(0.2), factor=0.3, patience=2, threshold=0.1)
    opt = gs.SGD([{"params": body, "lr": body_rate}, {"params": head, "lr": head_rate}])
    result: dict[str, object] = {}
    print("epoch  body rate  head rate    loss  even or odd  ten digits")
    for epoch in range(1, EPOCHS + 1):
        losses = []
        for rows in np.split(rng.permutation(some), STEPS_PER_EPOCH):
            images, odd = digits.train_images[rows], digits.train_labels[rows] % 2
            loss, grads = loss_and_grads(body | head, images, odd)
            opt.step([{"fc1": grads["fc1"]}, {"fc2": grads["fc2"]}])
            losses.append(loss)
        opt.observe(np.mean(losses))
        result = {
            "loss": float(np.mean(losses)),
            "rates": opt.lr,
            "even or odd": accuracy(body | head, digits.test_images, digits.test_labels % 2),
            "ten digits": accuracy(body | old_head, digits.test_images, digits.test_labels),
        }
        if epoch % 5 == 0 or epoch == 1:
            of_body, of_head = np.atleast_1d(opt.lr)
            row = f"{of_body:9.6f}  {of_head:9.6f}  {result['loss']:6.4f}"
            print(f"{epoch:5}  {row}  {result['even or odd']:11.2%}  {result['ten digits']:10.2%}")
    return result


def main() -> dict[str, dict[str, object]]:
    """Learn the new task with a small rate for the body, and with a large one."""
    print("small rate for the body")
    small = learn_even_or_odd(Cosine(0.01, steps=EPOCHS * STEPS_PER_EPOCH))
    print("large rate for the body")
    large = learn_even_or_odd(Constant(0.5))
    return {"small": small, "large": large}


if __name__ == "__main__":
    main()
