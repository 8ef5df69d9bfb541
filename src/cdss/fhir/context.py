"""What the resources of one answer share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cdss.assess import Assessment, Disagreement
from cdss.derived import DERIVED
from cdss.estimate import Outcome
from cdss.fhir.parts import SYSTEM, Resource, coding, concept, own, references
from cdss.i18n import Words
from cdss.jurisdiction import Choice, Model
from cdss.reading import Basis
from cdss.record import PatientRecord


@dataclass(frozen=True, slots=True)
class Context:
    """
    What the resources of one answer share.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    assessment_id : str
        Name under which it can be found again.
    models : mapping of str to Model
        Those asked, by id.
    subject : dict
        Reference to the patient.
    places : mapping of str to tuple of str
        Variable → where its value stood, or what it was computed from.
    devices : mapping of str to str
        Model → id of its Device.
    advice : mapping of str to str
        Rule that holds → what it says; what is urgent first.
    disagreements : tuple of Disagreement
        Of `assessment`.
    text : Words
        Words of the language.
    """

    assessment: Assessment
    assessment_id: str
    models: Mapping[str, Model]
    subject: Resource
    places: Mapping[str, tuple[str, ...]]
    devices: Mapping[str, str]
    advice: Mapping[str, str]
    disagreements: tuple[Disagreement, ...]
    text: Words

    @property
    def record(self) -> PatientRecord:
        """
        What was known.

        Returns
        -------
        PatientRecord
            Of the assessment.
        """
        return self.assessment.record

    @property
    def day(self) -> str:
        """
        The index date.

        Returns
        -------
        str
            As FHIR writes it.
        """
        return self.record.index_date.isoformat()

    def device(self, model: str) -> Resource:
        """
        Refer to a model.

        Parameters
        ----------
        model : str
            Its id.

        Returns
        -------
        dict
            Reference to its Device.
        """
        return {**own(self.devices[model]), "display": model}

    def basis(self, model: str) -> list[Resource]:
        """
        Refer to what a model really used: values of its inputs and of what decides eligibility.

        Parameters
        ----------
        model : str
            Its id.

        Returns
        -------
        list of dict
            References; of a computed value, to what it was computed from.
        """
        used = self.models[model]
        names = (*used.predictors, *used.excluded, *getattr(used, "only_with", ()))
        return references(at for name in names for at in self.places.get(name, ()))

    def answered(self, model: str) -> Choice | None:
        """
        Find the question that a model answered.

        Parameters
        ----------
        model : str
            Its id.

        Returns
        -------
        Choice or None
            None if it answered none.
        """
        return next((c for c in self.assessment.choices if c.model == model), None)

    def heading(self, outcome: Outcome) -> str:
        """
        Say what an answer is of.

        Parameters
        ----------
        outcome : outcome
            What a model said.

        Returns
        -------
        str
            Outcome and horizon.
        """
        text = self.text
        return f"{text.outcome(outcome.outcome)}, {text.horizon(outcome.horizon_years)}"

    def method(self, outcome: Outcome) -> Resource:
        """
        Name the model of an answer.

        Parameters
        ----------
        outcome : outcome
            What a model said.

        Returns
        -------
        dict
            CodeableConcept with id and version.
        """
        said = self.text("report.model", model=outcome.model, version=outcome.version)
        code = coding(SYSTEM["model"], outcome.model, version=outcome.version)
        return concept(said, code)


def places(record: PatientRecord, basis: Iterable[Basis]) -> dict[str, tuple[str, ...]]:
    """
    Say where the values of a record stood in the document it was read from.

    Parameters
    ----------
    record : PatientRecord
        What was known.
    basis : iterable of Basis
        Where the recorded values stood.

    Returns
    -------
    dict of str to tuple of str
        Variable → places; of a computed value, those of what it was computed from.
    """
    found: dict[str, tuple[str, ...]] = {each.variable: (each.at,) for each in basis}
    for name, needs, function, _ in DERIVED:  # in the order in which they were computed
        if name not in record.derived or name in found or not all(n in found for n in needs):
            continue
        if function(*(record.values[need] for need in needs)) is not None:
            found[name] = tuple(at for need in needs for at in found[need])
    return found
