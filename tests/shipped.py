"""The shipped models, as tests load them."""

from __future__ import annotations

from collections.abc import Iterable

from cdss.bundle import load_models
from cdss.risk import RiskModel


def shipped(
    ids: Iterable[str] | None = None, *, demonstrations: bool = False
) -> tuple[RiskModel, ...]:
    """The models of the package, those that no gate has let pass too: code is tested with all."""
    return load_models(ids, demonstrations=demonstrations, ungated=True)
