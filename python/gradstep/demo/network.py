"""A multilayer perceptron in NumPy, with its backward pass written by hand."""

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Params: TypeAlias = dict[str, dict[str, Floats]]
"""`{"fc1": {"w": (inputs, outputs), "b": (outputs,)}, "fc2": …}`; gradients have the same structure."""


def initial_params(
    rng: np.random.Generator, sizes: tuple[int, ...], dtype: npt.DTypeLike = np.float32
) -> Params:
    """Draw He's initial weights, N(0, 2/inputs), with zero biases (He et al. 2015, arXiv:1502.01852).

    Args:
        rng: where the weights are drawn from.
        sizes: the width of every layer, from the inputs to the classes.
        dtype: of all arrays.

    Example:
        >>> params = initial_params(np.random.default_rng(0), (64, 32, 10))
        >>> params["fc2"]["w"].shape, params["fc2"]["b"].shape
        ((32, 10), (10,))
    """
    return {
        f"fc{i}": {
            "w": (rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(dtype),
            "b": np.zeros(outputs, dtype),
        }
        for i, (inputs, outputs) in enumerate(pairwise(sizes), start=1)
    }


def arrays(tree: Params) -> list[Floats]:
    """List the arrays of `tree` in order."""
    return [array for layer in tree.values() for array in layer.values()]


def activations(params: Params, x: Floats) -> list[Floats]:
    """List the input and each layer's output: ReLU for the hidden layers, the logits last."""
    outputs = [x]
    for i, layer in enumerate(params.values(), start=1):
        z = outputs[-1] @ layer["w"] + layer["b"]
        outputs.append(np.maximum(z, 0) if i < len(params) else z)
    return outputs


def loss_and_grads(params: Params, x: Floats, labels: npt.NDArray[np.uint8]) -> tuple[float, Params]:
    """Compute the mean cross-entropy of softmax(logits) over a mini-batch, and its gradients.

    For the logits z of n images with labels y, L = −(1/n) Σ log softmax(z)_y and so
    ∂L/∂z = (softmax(z) − onehot(y))/n; then backwards through each z = aW + b and a = max(z, 0).
    """
    *hidden, logits = activations(params, x)
    rows = np.arange(len(x))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    loss = float(np.mean(np.log(sums[:, 0]) - shifted[rows, labels]))

    delta = exponentials / sums
    delta[rows, labels] -= 1
    delta /= len(x)
    grads: Params = {}
    for name, a in zip(reversed(params), reversed(hidden), strict=True):
        grads[name] = {"w": a.T @ delta, "b": delta.sum(axis=0)}
        delta = (delta @ params[name]["w"].T) * (a > 0)
    return loss, dict(reversed(grads.items()))


def accuracy(params: Params, x: Floats, labels: npt.NDArray[np.uint8]) -> float:
    """Compute the share of images whose largest logit is the label's."""
    return float(np.mean(activations(params, x)[-1].argmax(axis=1) == labels))
