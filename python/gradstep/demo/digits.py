"""The UCI optical digits, embedded; DIGITS.txt names their source and licence."""

from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

TEST_EVERY = 5
"""Of each digit's images, in the order of the file, every fifth is for testing."""


@dataclass(frozen=True)
class Split:
    """The digits, split once and for all into a training and a test set.

    Attributes:
        train_images: float32 (n, 64), normalised.
        train_labels: the digits, uint8 (n,).
        test_images: float32 (m, 64), normalised with the training set's mean and deviation.
        test_labels: the digits, uint8 (m,).
        test_rows: the rows of the file that are for testing, (m,), ascending.
    """

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.uint8]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.uint8]
    test_rows: npt.NDArray[np.intp]


def load() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Read the images, uint8 (1797, 8, 8) with values from 0 to 16, and their labels, uint8 (1797,).

    Example:
        >>> images, labels = load()
        >>> images.shape, int(images.max()), labels[:4]
        ((1797, 8, 8), 16, array([0, 1, 2, 3], dtype=uint8))
    """
    with resources.files("gradstep.demo").joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        return arrays["images"], arrays["labels"]


def split() -> Split:
    """Split into about four fifths for training and one fifth for testing, in equal parts of every digit.

    No random numbers are drawn, so the split is the same under every seed and NumPy version. The mean of each
    pixel and the one standard deviation by which all are divided are those of the training set.

    Example:
        >>> digits = split()
        >>> digits.train_images.shape, digits.test_images.shape
        ((1433, 64), (364, 64))
    """
    images, labels = load()
    is_test = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        is_test[np.flatnonzero(labels == digit)[::TEST_EVERY]] = True
    pixels = images.reshape(len(images), -1).astype(np.float64)
    mean = pixels[~is_test].mean(axis=0)
    deviation = (pixels[~is_test] - mean).std()
    normalised = ((pixels - mean) / deviation).astype(np.float32)
    return Split(
        normalised[~is_test], labels[~is_test], normalised[is_test], labels[is_test], np.flatnonzero(is_test)
    )
