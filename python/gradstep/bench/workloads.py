"""What is stepped: sets of float32 arrays with the shapes of real models."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Shape: TypeAlias = tuple[int, ...]

LARGE_FROM = 8_000_000
"""Elements, 32 MB an array, from which on the floor kernel says anything. In cache it measures itself."""


@dataclass(frozen=True)
class Workload:
    """A model's parameters.

    Attributes:
        key: its name on the command line.
        title: its name in the report.
        shapes: of all parameters.
        batch: if not None, a step is timed where it stands in a training loop: just after the gradients of so
            many samples were written, by the backward pass of the perceptron that has these shapes.
    """

    key: str
    title: str
    shapes: tuple[Shape, ...]
    batch: int | None = None

    @property
    def elements(self) -> int:
        """The number of elements of all arrays."""
        return sum(map(math.prod, self.shapes))

    @property
    def is_large(self) -> bool:
        """Whether a step is bound by memory: one array alone is larger than most caches."""
        return self.elements >= LARGE_FROM

    @property
    def label(self) -> str:
        """The title with the size, such as "ResNet-50: 161 tensors, 25,557,032 elements"."""
        tensors = f"{len(self.shapes)} tensor{'s' if len(self.shapes) > 1 else ''}"
        return f"{self.title}: {tensors}, {self.elements:,} elements"

    def draw(self, seed: int) -> list[Floats]:
        """Draw an array of every shape, float32 from N(0, 1)."""
        rng = np.random.default_rng(seed)
        return [rng.standard_normal(shape, np.float32) for shape in self.shapes]


def mlp(*sizes: int) -> tuple[Shape, ...]:
    """List the weights and biases of a multilayer perceptron.

    Example:
        >>> mlp(784, 10)
        ((784, 10), (10,))
    """
    return tuple(shape for inputs, outputs in pairwise(sizes) for shape in ((inputs, outputs), (outputs,)))


def resnet50() -> tuple[Shape, ...]:
    """List the parameters of ResNet-50 (He et al. 2016), in the order of torchvision.

    Example:
        >>> shapes = resnet50()
        >>> len(shapes), sum(map(math.prod, shapes))
        (161, 25557032)
    """

    def convolution(outputs: int, inputs: int, width: int) -> list[Shape]:
        # Each is followed by a batch normalisation with a scale and a shift.
        return [(outputs, inputs, width, width), (outputs,), (outputs,)]

    shapes = convolution(64, 3, 7)
    channels = 64
    for planes, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes += convolution(planes, channels, 1)
            shapes += convolution(planes, planes, 3)
            shapes += convolution(4 * planes, planes, 1)
            if block == 0:
                shapes += convolution(4 * planes, channels, 1)
            channels = 4 * planes
    return (*shapes, (1000, channels), (1000,))


def gpt2() -> tuple[Shape, ...]:
    """List the parameters of GPT-2 small (Radford et al. 2019), in the order of transformers.

    Example:
        >>> shapes = gpt2()
        >>> len(shapes), sum(map(math.prod, shapes))
        (148, 124439808)
    """
    width = 768
    norm = ((width,), (width,))
    attention = ((width, 3 * width), (3 * width,), (width, width), (width,))
    block = norm + attention + norm + mlp(width, 4 * width, width)
    return ((50257, width), (1024, width), *(block * 12), *norm)


WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload("tensor", "One small tensor", ((1000,),)),
        # An actor (17 observations, 6 actions) and a critic, as PPO has them for a walking robot.
        Workload("policy", "RL policy", mlp(17, 64, 64, 6) + mlp(17, 64, 64, 1)),
        Workload("mlp", "MLP 784-256-128-10", mlp(784, 256, 128, 10)),
        Workload("training", "The MLP in training, batch 64", mlp(784, 256, 128, 10), batch=64),
        Workload("resnet50", "ResNet-50", resnet50()),
        Workload("gpt2", "GPT-2 small", gpt2()),
    )
}
USUAL = ("tensor", "policy", "mlp", "training", "resnet50")
"""What runs unless told otherwise; GPT-2 takes up to 20 GB and some minutes."""
