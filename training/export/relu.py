"""
A ReLU network of one input is a piecewise-linear function: find its pieces exactly.

Between two neighbouring breaks every unit is a straight line of the input, so a hidden layer can
only bend where one of its units crosses zero: those points are added, layer by layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.export.shapes import Shape


def relu_network_to_shape(
    weights: Sequence[NDArray[np.float64]],
    biases: Sequence[NDArray[np.float64]],
    *,
    missing: float = 0.0,
) -> Shape:
    """
    Convert a multilayer perceptron with one input and one output into its exact shape.

    Parameters
    ----------
    weights : sequence of ndarray, shape (units out, units in), float64
        One matrix a layer, as `torch.nn.Linear.weight`; the first has one column, the last one row.
        Scaling of the input belongs in the first layer.
    biases : sequence of ndarray, shape (units out,), float64
        One vector a layer. A ReLU follows every layer but the last.
    missing : float
        Value at NaN, log-odds; a network has no answer of its own there.

    Returns
    -------
    Shape
        Piecewise linear; equal to the network up to rounding in float64.

    Raises
    ------
    ValueError
        If the layers do not fit each other, or the network has not one input and one output.

    Examples
    --------
    >>> bend = relu_network_to_shape(
    ...     [np.array([[1.0]]), np.array([[2.0]])], [np.array([-3.0]), np.array([0.5])]
    ... )
    >>> bend.breaks.tolist(), bend([2.0, 4.0]).tolist()
    ([3.0], [0.5, 2.5])
    """
    sizes = [1, *(len(bias) for bias in biases)]
    shapes = [np.shape(weight) for weight in weights]
    if shapes != list(zip(sizes[1:], sizes[:-1], strict=True)) or sizes[-1] != 1:
        raise ValueError(f"layers {shapes} are not a network of one input and one output")
    breaks = np.zeros(0)
    slopes, levels = np.ones((1, 1)), np.zeros((1, 1))  # of each piece and unit: slope * x + level
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        matrix = np.asarray(weight, np.float64).T
        slopes, levels = slopes @ matrix, levels @ matrix + np.asarray(bias, np.float64)
        if layer < len(weights) - 1:
            refined = np.union1d(breaks, _crossings(breaks, slopes, levels))
            middles = _middles(refined)
            piece = np.searchsorted(breaks, middles)
            breaks, slopes, levels = refined, slopes[piece], levels[piece]
            active = slopes * middles[:, None] + levels > 0
            slopes, levels = slopes * active, levels * active
    anchors = np.concatenate([breaks[:1], breaks]) if len(breaks) else np.zeros(1)
    coefficients = np.zeros((len(breaks) + 1, 4))
    coefficients[:, 0] = slopes[:, 0] * anchors + levels[:, 0]
    coefficients[:, 1] = slopes[:, 0]
    return Shape(breaks, coefficients, anchors, missing)


def _crossings(
    breaks: NDArray[np.float64], slopes: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points inside a piece where one of its units is zero."""
    low = np.concatenate([[-np.inf], breaks])[:, None]
    high = np.concatenate([breaks, [np.inf]])[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = -levels / slopes
    return zeros[np.isfinite(zeros) & (zeros > low) & (zeros < high)]


def _middles(breaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """One point inside every piece."""
    if len(breaks) == 0:
        return np.zeros(1)
    return np.concatenate([[breaks[0] - 1.0], (breaks[1:] + breaks[:-1]) / 2, [breaks[-1] + 1.0]])
