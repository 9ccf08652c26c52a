"""A noisy curve made smooth, without the delay of a moving average."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 4
"""Beyond so many widths a weight is below 10⁻³."""


def local_lines(
    values: NDArray[np.float64], width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Fit a straight line around each point, by least squares under Gaussian weights.

    Args:
        values: the curve, at 0, 1, 2, …; finite.
        width: the standard deviation of the weights.

    Returns:
        The values and the slopes of the lines at their points; at the ends of the curve too they are those
        of lines, so a curve that is straight stays as it is. And how large the standard error of each value
        is, if that of a point of the curve is 1.

    Example:
        >>> import numpy as np
        >>> from gradstep.finding.smoothing import local_lines
        >>> values, slopes, _ = local_lines(np.array([1.0, 3.0, 5.0, 7.0]), width=1.0)
        >>> np.round(values, 9).tolist(), np.round(slopes, 9).tolist()
        ([1.0, 3.0, 5.0, 7.0], [2.0, 2.0, 2.0, 2.0])
    """
    reach = max(1, math.ceil(REACH * width))
    distances = np.arange(-reach, reach + 1.0)
    weights = np.exp(-0.5 * (distances / width) ** 2)

    def moments(of: NDArray[np.float64], weights: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        kernels = [(weights * distances**power)[::-1] for power in range(3)]
        return [np.convolve(of, kernel)[reach : reach + len(of)] for kernel in kernels]

    ones = np.ones_like(values)
    (w0, w1, w2), (v0, v1, v2) = moments(ones, weights), moments(ones, weights**2)
    y0, y1, _ = moments(values, weights)
    determinant = w0 * w2 - w1**2
    errors = np.sqrt(w2**2 * v0 - 2 * w1 * w2 * v1 + w1**2 * v2) / determinant
    return (w2 * y0 - w1 * y1) / determinant, (w0 * y1 - w1 * y0) / determinant, errors
