"""
Noise that belongs to the data: the same figure of the same data always has the same noise.

There are two kinds. Each person of a period counts once, or now and then not at all or twice; so
that somebody who was added to the data cannot be told from people who happen to count otherwise,
however many figures are compared. And each figure is changed by a whole number of its own. Both
follow from a secret of the site and the data of the period: asking again changes nothing and cannot
be averaged out, and when one person is added everything is drawn anew.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cdss.errors import DefinitionError

Array = NDArray[Any]

_BYTES = 32
_MILLI = 1000
_TWO_SIDED = 1.959964
_UNIT = 2.0**-53
_GOLDEN = 0x9E3779B97F4A7C15


class Secret(NamedTuple):
    """
    What only the site knows.

    Attributes
    ----------
    key : bytes
        32 of them, random.
    """

    key: bytes

    def __repr__(self) -> str:
        return "Secret()"

    @classmethod
    def read(cls, path: Path) -> tuple[Secret, bool]:
        """
        Read it, or make one if there is no such file.

        Parameters
        ----------
        path : Path
            64 hexadecimal digits.

        Returns
        -------
        tuple of (Secret, bool)
            And whether it is new.

        Raises
        ------
        DefinitionError
            If the file holds something else.
        OSError
            If it cannot be read or written.
        """
        if not path.exists():
            key = os.urandom(_BYTES)
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(key.hex() + "\n")
            return cls(key), True
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except ValueError:
            key = b""
        if len(key) != _BYTES:
            raise DefinitionError(f"{path.name}: a key is 64 hexadecimal digits")
        return cls(key), False

    def people(self, names: Sequence[str]) -> Array:
        """
        Name people so that only who has the key can tell whose name it was.

        Parameters
        ----------
        names : sequence of str
            As the batch names them.

        Returns
        -------
        ndarray of uint64, shape (n,)
            The same name gives the same number.
        """
        fresh, key = hashlib.blake2b, self.key
        digests = [fresh(name.encode(), key=key, digest_size=8).digest() for name in names]
        return np.frombuffer(b"".join(digests), np.uint64)

    def times(self, people: Array, label: str, weights: float) -> Array:
        """
        Say how often each person counts.

        Parameters
        ----------
        people : ndarray of uint64, shape (n,)
            As `people` names them.
        label : str
            Data of the period.
        weights : float
            Variance.

        Returns
        -------
        ndarray of int, shape (n,)
            0, 1 or 2; 1 on average.
        """
        if not weights:
            return np.ones(len(people), np.int8)
        own = np.uint64(
            int.from_bytes(hmac.digest(self.key, label.encode(), "sha256")[:8], "little")
        )
        drawn = _mixed(_mixed(people ^ own) + own) >> np.uint64(11)
        share = drawn.astype(np.float64) * _UNIT
        return np.where(share < weights / 2, 0, np.where(share < weights, 2, 1)).astype(np.int8)

    def uniform(self, label: str) -> tuple[float, float]:
        """
        Draw two numbers for a label.

        Parameters
        ----------
        label : str
            What they are for; the same label gives the same numbers.

        Returns
        -------
        tuple of two floats
            Within 0 to 1, both ends excluded.
        """
        digest = hmac.digest(self.key, label.encode(), "sha256")
        first, second = (int.from_bytes(digest[at : at + 8], "little") >> 11 for at in (0, 8))
        return (first + 0.5) * _UNIT, (second + 0.5) * _UNIT


class Protection(NamedTuple):
    """
    How counts are changed before anything is computed of them.

    Attributes
    ----------
    secret : Secret
        Of the site.
    spread : float
        Standard deviation of the noise of a figure, people; 0 for none.
    weights : float
        Variance of how often a person counts; 0 if everybody counts once.
    epsilon : float or None
        Of differential privacy for the whole report; None if it is not asked for.
    share : int
        Numbers of a report to which one person can contribute at most.
    least : int
        Fewer people are not shown.
    """

    secret: Secret
    spread: float
    weights: float = 0.0
    epsilon: float | None = None
    share: int = 1
    least: int = 10

    @property
    def scale(self) -> float:
        """
        Say how wide the Laplace noise of differential privacy is.

        Returns
        -------
        float
            Numbers that a person contributes to, over epsilon.
        """
        return self.share / self.epsilon if self.epsilon else 0.0

    @property
    def deviation(self) -> float:
        """
        Say how wide the noise in use is.

        Returns
        -------
        float
            Its standard deviation, people.
        """
        return math.sqrt(2) * self.scale if self.epsilon else self.spread

    @property
    def reach(self) -> float:
        """
        Say how far the noise goes.

        Returns
        -------
        float
            Of 95 in 100 figures at most, people.
        """
        return math.log(20) * self.scale if self.epsilon else _TWO_SIDED * self.spread

    @property
    def inflation(self) -> float:
        """
        Say how much more shares vary than by chance alone.

        Returns
        -------
        float
            Factor of their variance: mean square of how often a person counts.
        """
        return 1.0 if self.epsilon else 1.0 + self.weights

    def of_count(self, counts: Array) -> Array:
        """
        Say how far counts may be from those of the data.

        Parameters
        ----------
        counts : ndarray
            Of people.

        Returns
        -------
        ndarray
            Half the width of a 95 % interval of the protection alone.
        """
        if self.epsilon:
            return np.full(np.shape(counts), self.reach)
        return np.asarray(_TWO_SIDED * np.sqrt(self.spread**2 + self.weights * counts))

    def noise(self, labels: Sequence[str], total: bool) -> Array:
        """
        Say what is added to figures.

        Parameters
        ----------
        labels : sequence of str
            What each figure is: data, cell and definition.
        total : bool
            Whether they are sums of probabilities, not counts.

        Returns
        -------
        ndarray, shape (n,)
            Whole numbers for counts, thousandths for sums.
        """
        if not self.deviation:
            return np.zeros(len(labels))
        drawn = np.array([self.secret.uniform(label) for label in labels]).reshape(-1, 2)
        step = _MILLI if total else 1
        if self.epsilon:
            # the difference of two geometric numbers is the discrete Laplace distribution
            first, second = np.floor(-np.log(drawn) * (step * self.scale)).T
            return np.asarray((second - first) / step)
        angle = 2 * math.pi * drawn[:, 1]
        normal = np.sqrt(-2 * np.log(drawn[:, 0])) * np.cos(angle)
        return np.asarray(np.round(normal * self.spread * step) / step)


def row_marks(people: Array, columns: Sequence[Array]) -> Array:
    """
    Mark rows, so that other data have another mark.

    Parameters
    ----------
    people : ndarray of uint64, shape (n,)
        Who.
    columns : sequence of ndarray of 8-byte numbers, shape (n,)
        What is known of them.

    Returns
    -------
    ndarray of uint64, shape (n,)
        Marks whose sum, modulo 2⁶⁴, stands for the rows whatever their order.
    """
    marks = people.copy()
    for at, column in enumerate(columns):
        place = np.uint64(_GOLDEN * (at + 1) % 2**64)
        marks = _mixed(marks ^ (column.view(np.uint64) + place))
    return marks


def _mixed(values: Array) -> Array:
    """Finaliser of splitmix64: every bit of the input changes half of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
