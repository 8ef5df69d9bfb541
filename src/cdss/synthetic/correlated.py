"""Correlations of what is drawn: between values of a person, and between visits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DRINKING = "drinks_alcohol"
"""No cohort has it: it follows smoking."""

_LEAST = 0.02  # smallest eigenvalue of a correlation matrix


def alike(names: tuple[str, ...], cohorts: Mapping[str, Any], decided: Mapping[str, Any]) -> Array:
    """
    Tell how alike two visits of a person are.

    Parameters
    ----------
    names : tuple of str
        Latent quantities.
    cohorts, decided : mapping
        What was learned, and what was decided.

    Returns
    -------
    ndarray, shape (k,)
        Correlations: learned, decided, or 1 for what does not come and go.
    """
    found = {name: decided["alike"]["total"] for name in names}
    found |= dict.fromkeys((*cohorts["yes_no"], DRINKING), 1.0)
    found |= {name: said for name, said in decided["alike"].items() if name in found}
    found |= {name: said["correlation"] for name, said in cohorts["within_person"].items()}
    return np.array([found[name] for name in names])


def between(
    names: tuple[str, ...],
    each: Mapping[str, Any],
    continuous: Array,
    within: Array,
    decided: Mapping[str, Any],
) -> Array:
    """
    Correlations between people, of what stays of them.

    Those with what is measured once were weakened by its noise; what people know is nearer to what
    they have than a cohort shows in which it is treated; drinking goes with smoking.

    Parameters
    ----------
    names : tuple of str
        Latent quantities.
    each : mapping
        What was learned of one sex and group of age.
    continuous : ndarray of bool, shape (k,)
        Which are quantities, and no yes/no.
    within : ndarray, shape (k,)
        Weight of what stays of a person.
    decided : mapping
        What was decided.

    Returns
    -------
    ndarray, shape (k, k)
        A correlation matrix.
    """
    many = len(continuous)
    matrix = np.eye(many)
    for k, row in enumerate(each["lower"]):
        matrix[k, : len(row)] = matrix[: len(row), k] = row
    mixed = continuous[:, None] != continuous[None, :]
    matrix = nearest(np.where(mixed, matrix / np.outer(within, within), matrix))
    turn = np.eye(many)
    smoking, drinking = names.index("current_smoker"), names.index(DRINKING)
    turn[drinking, smoking] = decided["liability"]["drinking_with_smoking"]
    turn[drinking, drinking] = np.sqrt(1 - turn[drinking, smoking] ** 2)
    for name, (other, weight) in decided["sharper"].items():
        turn[names.index(name), names.index(other)] = weight
    matrix = turn @ matrix @ turn.T
    scale = np.sqrt(np.diag(matrix))
    return np.asarray(matrix / np.outer(scale, scale))


def nearest(matrix: Array) -> Array:
    """
    Make a matrix one of correlations.

    Parameters
    ----------
    matrix : ndarray, shape (k, k)
        Symmetric; its diagonal is 1.

    Returns
    -------
    ndarray, shape (k, k)
        Near it, and positive definite.
    """
    for _ in range(50):
        values, vectors = np.linalg.eigh(matrix)
        matrix = (vectors * np.maximum(values, _LEAST)) @ vectors.T
        scale = np.sqrt(np.diag(matrix))
        matrix = matrix / np.outer(scale, scale)
    return matrix
