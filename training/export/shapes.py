"""Piecewise polynomials of one input: what every additive model is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline, PPoly

Extrapolation = Literal["constant", "linear", "continue"]

# Infinities are read as the largest float32, so that a flat piece stays flat: inf * 0 is NaN.
FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Shape:
    """
    A piecewise polynomial of degree at most 3, with its own value where the input is unknown.

    Piece i applies where `breaks[i - 1] <= x < breaks[i]`, and is
    `sum_d coefficients[i, d] * (x - anchors[i]) ** d`.

    Parameters
    ----------
    breaks : ndarray, shape (b,), float64
        Where one piece ends and the next begins, strictly ascending, in the unit of the input.
    coefficients : ndarray, shape (b + 1, 4), float64
        Of each piece, from the constant up, in log-odds.
    anchors : ndarray, shape (b + 1,), float64
        Origin of each piece's coordinate, in the unit of the input; best within the piece.
    missing : float
        Value where the input is NaN, log-odds.

    Raises
    ------
    ValueError
        If the arrays' shapes do not fit, a number is not finite, or the breaks do not ascend.

    Examples
    --------
    >>> hinge = Shape.piecewise_linear([50, 60], [0.0, 0.5], missing=0.1, extrapolate="constant")
    >>> hinge(np.array([40.0, 55.0, np.nan])).tolist()
    [0.0, 0.25, 0.1]
    """

    breaks: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    anchors: NDArray[np.float64]
    missing: float

    def __post_init__(self) -> None:
        pieces = len(self.breaks) + 1
        if self.coefficients.shape != (pieces, 4) or self.anchors.shape != (pieces,):
            raise ValueError(
                f"{pieces} pieces need coefficients ({pieces}, 4) and anchors ({pieces},), not "
                f"{self.coefficients.shape} and {self.anchors.shape}"
            )
        numbers = (self.breaks, self.coefficients, self.anchors, np.array(self.missing))
        if not all(np.isfinite(array).all() for array in numbers):
            raise ValueError("a shape's numbers must be finite")
        if (np.diff(self.breaks) <= 0).any():
            raise ValueError("breaks must be strictly ascending")

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Evaluate in float64; NaN gives `missing`, an infinity the largest float32's value."""
        values = np.clip(np.asarray(x, np.float64), -FLOAT32_MAX, FLOAT32_MAX)
        piece = np.searchsorted(self.breaks, values, side="right")
        piece = np.where(np.isnan(values), 0, piece)
        u = values - self.anchors[piece]
        result = np.zeros_like(u)
        for power in (3, 2, 1, 0):
            result = result * u + self.coefficients[piece, power]
        return np.where(np.isnan(values), self.missing, result)

    def anchored(self, anchors: NDArray[np.float64]) -> Shape:
        """Express the same pieces in other local coordinates (a Taylor shift)."""
        step = anchors - self.anchors
        shifted = np.zeros_like(self.coefficients)
        for to in range(4):
            for power in range(to, 4):
                factor = comb(power, to) * step ** (power - to)
                shifted[:, to] += factor * self.coefficients[:, power]
        return Shape(self.breaks, shifted, anchors, self.missing)

    @classmethod
    def steps(cls, values: Sequence[float], *, missing: float) -> Shape:
        """
        Build the shape of a category coded 0, 1, 2, ...

        Parameters
        ----------
        values : sequence of float
            One value for each code, log-odds. Other numbers take the value of the nearest code.
        missing : float
            Value at NaN, log-odds.

        Returns
        -------
        Shape
            Constant pieces, with breaks half-way between the codes.
        """
        coefficients = np.zeros((len(values), 4))
        coefficients[:, 0] = values
        codes = np.arange(len(values), dtype=np.float64)
        return cls(codes[1:] - 0.5, coefficients, codes, missing)

    @classmethod
    def piecewise_linear(
        cls,
        knots_x: ArrayLike,
        knots_y: ArrayLike,
        missing: float,
        *,
        extrapolate: Literal["constant", "linear"] = "linear",
    ) -> Shape:
        """
        Join knots by straight lines.

        Parameters
        ----------
        knots_x : array_like, shape (q,)
            At least two, strictly ascending, in the unit of the input.
        knots_y : array_like, shape (q,)
            Values at the knots, log-odds.
        missing : float
            Value at NaN, log-odds.
        extrapolate : {"linear", "constant"}
            Beyond the knots: go on with the outer slopes, or stay at the outer values.

        Returns
        -------
        Shape
            One linear piece between each pair of knots.

        Raises
        ------
        ValueError
            If there are fewer than two knots, or they do not ascend.
        """
        x, y = np.asarray(knots_x, np.float64), np.asarray(knots_y, np.float64)
        if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
            raise ValueError(f"two knots or more are needed, as many x as y: {x.shape}, {y.shape}")
        if (np.diff(x) <= 0).any():
            raise ValueError("knots must be strictly ascending")
        slopes = np.diff(y) / np.diff(x)
        return cls.cubic(PPoly(np.stack([slopes, y[:-1]]), x), missing, extrapolate=extrapolate)

    @classmethod
    def cubic(cls, pieces: PPoly | BSpline, missing: float, *, extrapolate: Extrapolation) -> Shape:
        """
        Convert a spline of degree at most 3.

        Parameters
        ----------
        pieces : scipy.interpolate.PPoly or BSpline
            A `BSpline` counts on its base interval only, `t[k]` to `t[-k-1]`. One input of a
            `sklearn.preprocessing.SplineTransformer` with coefficients `w` is
            `BSpline(b.t, b.c @ w, b.k)`, where `b` is its entry of `bsplines_`.
        missing : float
            Value at NaN, log-odds.
        extrapolate : {"constant", "linear", "continue"}
            Beyond the ends: stay at the end's value, go on with its slope, or with its polynomial.

        Returns
        -------
        Shape
            The pieces of the spline, and one beyond either end.

        Raises
        ------
        ValueError
            If the degree is above 3.
        """
        if isinstance(pieces, BSpline):
            low, high = pieces.t[pieces.k], pieces.t[-pieces.k - 1]
            pieces = PPoly.from_spline(pieces)
        else:
            low, high = pieces.x[0], pieces.x[-1]
        degree = len(pieces.c) - 1
        if degree > 3:
            raise ValueError(f"degree {degree}: the highest supported is 3")
        # Repeated knots make empty pieces; pieces outside the base interval are not the spline's.
        kept = (np.diff(pieces.x) > 0) & (pieces.x[:-1] >= low) & (pieces.x[1:] <= high)
        starts = pieces.x[:-1][kept]
        inner = np.zeros((len(starts), 4))
        inner[:, : degree + 1] = pieces.c[::-1, kept].T
        spline = cls(starts[1:], inner, starts, missing)
        # The outer pieces are the end pieces, seen from the ends and cut off at some degree.
        ends = np.array([low, high], np.float64)
        outer = cls(np.array([low]), inner[[0, -1]], starts[[0, -1]], missing).anchored(ends)
        outer.coefficients[:, {"constant": 1, "linear": 2, "continue": 4}[extrapolate] :] = 0.0
        return cls(
            np.concatenate([[low], spline.breaks, [high]]),
            np.concatenate([outer.coefficients[:1], inner, outer.coefficients[1:]]),
            np.concatenate([ends[:1], starts, ends[1:]]),
            missing,
        )
