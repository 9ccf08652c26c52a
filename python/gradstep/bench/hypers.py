"""The hyperparameters that every contender uses."""

LR = 1e-3
MOMENTUM = 0.9
ALPHA = 0.99
BETA1, BETA2 = 0.9, 0.999
EPS = 1e-8
ADAGRAD_EPS = 1e-10
WEIGHT_DECAY = 0.01
MAX_NORM = 1.0
