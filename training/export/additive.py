"""
Explained graph of an additive model: logistic regression, splines, additive networks.

The log-odds are `constant + sum_i f_i(x_i)`, so the Shapley value of input i is
`f_i(x_i) - mean(f_i over the background)`: interventional and exact, whatever the background.

At run time: find the interval each input lies in, which is the piece of its shape, look up the
piece's polynomial, and evaluate it by Horner's rule in the piece's local coordinate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.export.graph import ExplainedGraph, GraphBuilder
from training.export.shapes import FLOAT32_MAX, Shape


def additive_graph(
    shapes: Sequence[Shape],
    *,
    constant: float,
    background: NDArray[np.floating],
    intercept: float = 0.0,
    slope: float = 1.0,
) -> ExplainedGraph:
    """
    Convert an additive model on the log-odds into an explained graph.

    Parameters
    ----------
    shapes : sequence of Shape
        One for each of the k inputs, in order.
    constant : float
        Log-odds where every shape is 0.
    background : ndarray, shape (m, k)
        Rows the contributions are relative to; NaN = unknown.
    intercept, slope : float
        Recalibration: log-odds become `intercept + slope * log-odds`, and the contributions and
        the baseline with them.

    Returns
    -------
    ExplainedGraph
        Its baseline is the mean log-odds over the background. NaN takes each shape's value for it;
        an infinity is read as the largest float32.

    Raises
    ------
    ValueError
        If there are no shapes, or the background is empty or not of their number of columns.
    """
    k = len(shapes)
    if k == 0:
        raise ValueError("an additive model needs a shape")
    if background.ndim != 2 or background.shape[1] != k or len(background) == 0:
        raise ValueError(f"background has shape {background.shape}, not (m > 0, {k})")
    means = [float(shape(background[:, i]).mean()) for i, shape in enumerate(shapes)]
    rows = [_polynomials(shape, mean) for shape, mean in zip(shapes, means, strict=True)]
    table = np.concatenate(rows)
    table[:, 1:] *= slope
    breaks = [_round_up(shape.breaks) for shape in shapes]
    return _graph(breaks, table).finish(intercept + slope * (constant + sum(means)))


def _polynomials(shape: Shape, mean: float) -> NDArray[np.float64]:
    """Return rows (anchor, coefficients of the contribution): unknown, then every piece."""
    # The input is float32: an anchor that is one, too, makes the local coordinate exact.
    local = shape.anchored(shape.anchors.astype(np.float32).astype(np.float64))
    pieces = np.column_stack([local.anchors, local.coefficients])
    rows = np.concatenate([[[0.0, shape.missing, 0.0, 0.0, 0.0]], pieces])
    rows[:, 1] -= mean
    return rows


def _round_up(breaks: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to float32 so that no float32 changes side: a value equal to a break passes it."""
    rounded = breaks.astype(np.float32)
    return np.where(rounded < breaks, np.nextafter(rounded, np.float32(np.inf)), rounded)


def _graph(breaks: Sequence[NDArray[np.float32]], table: NDArray[np.float64]) -> GraphBuilder:
    degree = int(np.flatnonzero(table[:, 1:].any(axis=0)).max(initial=0))
    g = GraphBuilder(len(breaks))
    rows = g.interval_rows(breaks)
    # Finite stand-ins, so that a flat piece stays flat: infinity or NaN times 0 is NaN.
    g.node("IsNaN", "x", out="unknown")
    g.node(
        "Clip",
        "x",
        g.constant("lowest", -FLOAT32_MAX),
        g.constant("highest", FLOAT32_MAX),
        out="finite",
    )
    g.node("Where", "unknown", g.constant("zero", 0.0), "finite", out="known")
    g.node("Gather", g.constant("anchors", table[:, 0]), rows, out="anchor", axis=0)
    g.node("Sub", "known", "anchor", out="local")
    value = ""
    for power in range(degree, -1, -1):
        coefficients = g.constant(f"coefficients_{power}", table[:, 1 + power])
        name = "contributions" if degree == 0 else f"coefficient_{power}"
        coefficient = g.node("Gather", coefficients, rows, out=name, axis=0)
        if power == degree:
            value = coefficient
        else:
            g.node("Mul", value, "local", out=f"product_{power}")
            name = "contributions" if power == 0 else f"sum_{power}"
            value = g.node("Add", f"product_{power}", coefficient, out=name)
    return g
