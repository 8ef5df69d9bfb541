"""
Who occurs twice, without keeping everybody: 128 bits of each name and day, sorted in buckets.

Two different names share their bits once in 10²⁰ or so runs over a hundred million people.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Array = NDArray[Any]

_BUCKETS = 64
_SEEDS = np.array([0x9E3779B97F4A7C15, 0xD1B54A32D192ED03], np.uint64)
_MIX = tuple(np.uint64(m) for m in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB))  # of splitmix64
_WORD = 8


def marks(ids: Any, days: Any) -> Array:
    """
    Reduce names and days to 128 bits.

    Parameters
    ----------
    ids : pyarrow.StringArray
        Names, of any length.
    days : pyarrow.Date32Array
        Days.

    Returns
    -------
    ndarray of uint64, shape (n, 2)
        Equal for equal names and days; 0 where one of them is unknown.
    """
    rows = len(ids)
    known = (ids.is_valid() if rows else pa.array([], pa.bool_())).to_numpy(zero_copy_only=False)
    known &= days.is_valid().to_numpy(zero_copy_only=False)
    ids = ids.fill_null("")
    raw = np.frombuffer(ids.buffers()[2] or b"\0", np.uint8)
    ends = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + rows + 1]
    starts, lengths = ends[:-1].astype(np.int64), np.diff(ends)
    day = days.fill_null(0).cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.uint64)
    found = _mixed((day << np.uint64(32)) ^ lengths.astype(np.uint64), _SEEDS[:, None])
    for at in range(0, int(lengths.max(initial=0)), _WORD):
        have = np.flatnonzero(lengths > at)
        place = at + np.arange(_WORD)
        index = np.minimum(starts[have, None] + place, len(raw) - 1)
        part = np.where(place < lengths[have, None], raw[index], 0).astype(np.uint8)
        found[:, have] = _mixed(found[:, have], part.view(np.uint64).ravel())
    found[:, ~known] = 0
    return found.T


def _mixed(one: Array, other: Array) -> Array:
    """One step of a mixing function: every bit of both changes half of the result."""
    x = (one ^ (one >> np.uint64(30)) ^ other) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)


class Doubles:
    """
    Finds marks that occur more than once.

    Parameters
    ----------
    folder : Path
        For what does not fit the memory; removed at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

    def add(self, found: Array) -> None:
        """
        Add marks.

        Parameters
        ----------
        found : ndarray of uint64, shape (n, 2)
            As `marks` gives them.
        """
        found = found[found.any(axis=1)]
        bucket = (found[:, 0] % np.uint64(_BUCKETS)).astype(np.int8)
        order = np.argsort(bucket, kind="stable")
        parts = np.split(found[order], np.searchsorted(bucket[order], np.arange(1, _BUCKETS)))
        for at, part in enumerate(parts):
            with (self._folder / str(at)).open("ab") as file:
                file.write(part.tobytes())

    def result(self) -> Array:
        """
        Give those that occur more than once.

        Returns
        -------
        ndarray of uint64, shape (m, 2)
            Each once, sorted.
        """
        twice = []
        for path in self._folder.iterdir():
            found = np.fromfile(path, np.uint64).reshape(-1, 2)
            found = found[np.lexsort((found[:, 1], found[:, 0]))]
            same = (found[1:] == found[:-1]).all(axis=1)
            twice.append(np.unique(found[1:][same], axis=0))
        with contextlib.suppress(OSError):
            shutil.rmtree(self._folder)
        every = np.concatenate([*twice, np.empty((0, 2), np.uint64)])
        return np.asarray(every[np.lexsort((every[:, 1], every[:, 0]))])


def doubled(twice: Array) -> Callable[[Any, Any], Array]:
    """
    Make the question whether somebody occurs elsewhere too.

    Parameters
    ----------
    twice : ndarray of uint64, shape (m, 2)
        Marks that occur more than once.

    Returns
    -------
    callable
        Of names and days; whether each occurs more than once.
    """
    known = {(int(a), int(b)) for a, b in twice}

    def _double(ids: Any, days: Any) -> Array:
        if not known or not len(ids):
            return np.zeros(len(ids), dtype=bool)
        found = marks(ids, days)
        maybe = np.isin(found[:, 0], twice[:, 0])
        for row in np.flatnonzero(maybe).tolist():
            maybe[row] = (int(found[row, 0]), int(found[row, 1])) in known
        return maybe

    return _double
