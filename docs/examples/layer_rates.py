"""Different rates for different layers: a trained network learns new digits from a handful of images.

What it teaches: parameter groups. A network that knows the digits 0 to 4 gets a new last layer and has to learn
5 to 9 from 50 images. What its first layer knows is worth keeping, so the first layer gets a small rate and
the new one a large rate, each under a schedule of its own:

    body   η₁(t) = 0.005·(1 + cos πt/T)/2                      a cosine to zero
    head   η₂(t) = 0.5·0.3^(times that the loss stood still)   Plateau, fed by opt.observe(loss)

What to look at: `opt.lr`, a tuple with one rate for each group, and how the plateau lowers only its own. Then
the last lines: with the same large rate for both layers, or from scratch, the network fits the 50 images
as well, but does worse on the images that it has never seen.
"""

import numpy as np

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import Params, accuracy, initial_params, loss_and_grads
from gradstep.feedback import Plateau
from gradstep.schedules import Constant, Cosine

EPOCHS = 200
SIZES = (64, 32, 5)

digits = split()
old = np.flatnonzero(digits.train_labels < 5)
new = np.random.default_rng(0).permutation(np.flatnonzero(digits.train_labels >= 5))[:50]
unseen = np.flatnonzero(digits.test_labels >= 5)
