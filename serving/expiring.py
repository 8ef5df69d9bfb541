"""Things kept in memory for a while, each under a name that nobody can guess."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST_NAME = 64


class Expiring(Generic[T]):
    """
    Keeps things until they expire, or there are too many: then the oldest go.

    Parameters
    ----------
    seconds : float
        How long each is kept.
    most : int
        How many.
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = monotonic) -> None:
        self.seconds, self.most, self.clock = seconds, most, clock
        self._kept: OrderedDict[bytes, tuple[T, float]] = OrderedDict()

    def keep(self, thing: T) -> str:
        """
        Keep something.

        Parameters
        ----------
        thing : object
            What to keep.

        Returns
        -------
        str
            Its name: 43 letters and digits at random, of which only a hash is kept.
        """
        self._sweep()
        name = secrets.token_urlsafe(32)
        self._kept[_hashed(name)] = thing, self.clock() + self.seconds
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return name

    def find(self, name: str, *, renew: bool = False) -> T | None:
        """
        Look for something.

        Parameters
        ----------
        name : str
            As somebody says it.
        renew : bool
            Whether its time begins anew.

        Returns
        -------
        object or None
            None if it has expired or never was.
        """
        self._sweep()
        key = _hashed(name)
        thing, _ = self._kept.get(key, (None, 0.0))
        if thing is not None and renew:
            self._kept[key] = thing, self.clock() + self.seconds
            self._kept.move_to_end(key)
        return thing

    def take(self, name: str) -> T | None:
        """
        Look for something, and keep it no longer.

        Parameters
        ----------
        name : str
            As somebody says it.

        Returns
        -------
        object or None
            None if it has expired, was taken before, or never was.
        """
        thing = self.find(name)
        self._kept.pop(_hashed(name), None)
        return thing

    def _sweep(self) -> None:
        """Let go of what has expired: the first, since all are kept equally long."""
        while self._kept and next(iter(self._kept.values()))[1] <= self.clock():
            self._kept.popitem(last=False)


def _hashed(name: str) -> bytes:
    """How a name is looked up: the time it takes tells nothing of the names there are."""
    return hashlib.sha256(name[:LONGEST_NAME].encode("utf-8", "replace")).digest()
