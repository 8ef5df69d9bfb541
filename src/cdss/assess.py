"""The flow: a record and some models in, all there is to say out; no I/O, clock or language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdss.estimate import NoEstimate, Outcome, RiskEstimate
from cdss.record import PatientRecord
from cdss.risk import RiskModel


@dataclass(frozen=True, slots=True)
class Assessment:
    """
    What the models say about one patient on one day.

    Attributes
    ----------
    record : PatientRecord
        What was known.
    outcomes : tuple of RiskEstimate or NoEstimate
        One for each model, in the order asked.
    """

    record: PatientRecord
    outcomes: tuple[Outcome, ...]

    @property
    def estimates(self) -> tuple[RiskEstimate, ...]:
        """The models that answered."""
        return tuple(o for o in self.outcomes if isinstance(o, RiskEstimate))

    @property
    def not_estimated(self) -> tuple[NoEstimate, ...]:
        """The models that do not apply, with reasons."""
        return tuple(o for o in self.outcomes if isinstance(o, NoEstimate))


def assess(record: PatientRecord, models: Sequence[RiskModel]) -> Assessment:
    """
    Assess one patient.

    Parameters
    ----------
    record : PatientRecord
        One patient on one day.
    models : sequence of RiskModel
        Which models to ask.

    Returns
    -------
    Assessment
        An estimate or a reasoned refusal for each model.
    """
    return Assessment(record, tuple(model.estimate(record) for model in models))


def assess_all(
    records: Sequence[PatientRecord], models: Sequence[RiskModel]
) -> tuple[Assessment, ...]:
    """
    Assess many patients; each model runs once.

    Parameters
    ----------
    records : sequence of PatientRecord
        Patients, each on their day.
    models : sequence of RiskModel
        Which models to ask.

    Returns
    -------
    tuple of Assessment
        In the order of `records`.
    """
    columns = [model.estimate_all(records) for model in models]
    return tuple(
        Assessment(record, tuple(column[row] for column in columns))
        for row, record in enumerate(records)
    )
