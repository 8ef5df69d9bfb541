"""An assessment as a FHIR R4 Bundle, strictly: what readers reject is not written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from cdss.assess import Assessment
from cdss.errors import Problem
from cdss.estimate import NoEstimate, Outcome, PointsTotal, RiskEstimate, RiskRange
from cdss.fhir.care_plan import care_plan
from cdss.fhir.context import Context, places
from cdss.fhir.operation_outcome import issue, operation_outcome, remark
from cdss.fhir.parts import SYSTEM, Resource, instant, name, own, reference
from cdss.fhir.provenance import device, device_id, provenance, software
from cdss.fhir.risk_assessment import points_observation, risk_assessment
from cdss.i18n import words
from cdss.i18n.guidance import advice_text, need_text, to_ask
from cdss.jurisdiction import Model
from cdss.reading import Basis


def write(
    assessment: Assessment,
    models: Iterable[Model],
    *,
    assessment_id: str,
    recorded: datetime,
    basis: Sequence[Basis] = (),
    problems: Iterable[Problem] = (),
    subject: str | None = None,
    lang: str = "en",
    base_url: str | None = None,
    date_given: bool = True,
) -> Resource:
    """
    Say an assessment as a Bundle.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    models : iterable of RiskModel or PointsScore
        At least those asked.
    assessment_id : str
        Name under which it can be found again; ids of the resources follow from it.
    recorded : datetime.datetime
        When it was made, with a time zone.
    basis : sequence of Basis
        Where the values used stood.
    problems : iterable of Problem
        What was not used of what was sent, and why.
    subject : str, optional
        Reference to the patient, e.g. ``Patient/1``.
    lang : str
        Language of all texts.
    base_url : str, optional
        Where this server is.
    date_given : bool
        Whether somebody said the index date; if not, the answer says that it was assumed.

    Returns
    -------
    dict
        Bundle of type collection: a RiskAssessment for each probability or range, an Observation
        for each points score, a CarePlan with all advice, an OperationOutcome with what could not
        be estimated, was not used or would decide more, a Provenance, and a Device for the software
        and each model that answered. The same arguments give the same Bundle.

    Raises
    ------
    UnknownLanguage
        If there are no words in `lang`.
    """
    context = _context(assessment, models, assessment_id, basis, subject, lang)
    answers = [_answer(outcome, context) for outcome in _answers(assessment)]
    author = software(context.text, base_url)
    made = list(answers)
    if assessment.advice:
        made.append(care_plan(context, answers, author["id"], recorded))
    asked = [outcome.model for outcome in _answers(assessment)]
    issues = _issues(context, problems, date_given)
    if issues:
        told = operation_outcome(issues, lang)
        told = {"resourceType": told.pop("resourceType"),
                "id": name(assessment_id, "OperationOutcome"), **told}  # fmt: skip
        made.append(told)
    entries = [
        *made,
        provenance(context, made or [author], asked, recorded),
        author,
        *(device(context.models[model], context.text) for model in dict.fromkeys(asked)),
    ]
    return {
        "resourceType": "Bundle",
        "id": name(assessment_id, "Bundle"),
        "language": lang,
        "identifier": {"system": SYSTEM["assessment"], "value": assessment_id},
        "type": "collection",
        "timestamp": instant(recorded),
        "entry": [{"fullUrl": own(r["id"])["reference"], "resource": r} for r in entries],
    }


def standalone(
    assessment: Assessment,
    models: Iterable[Model],
    *,
    assessment_id: str,
    basis: Sequence[Basis] = (),
    subject: str | None = None,
    lang: str = "en",
) -> Callable[[RiskEstimate | RiskRange | PointsTotal], Resource]:
    """
    Say answers so that each can be stored alone, for instance as a suggestion of a card.

    Parameters
    ----------
    assessment : Assessment
        What the models and guidelines said.
    models : iterable of RiskModel or PointsScore
        At least those that answered.
    assessment_id : str
        As of `write`, and so are the others.
    basis : sequence of Basis
        Where the values used stood.
    subject : str, optional
        Reference to the patient.
    lang : str
        Language of all texts.

    Returns
    -------
    callable
        Of an outcome of `assessment` it makes a RiskAssessment or Observation without an id, its
        Device contained.
    """
    context = _context(assessment, models, assessment_id, basis, subject, lang)

    def _alone(outcome: RiskEstimate | RiskRange | PointsTotal) -> Resource:
        resource = _answer(outcome, context)
        inside = device(context.models[outcome.model], context.text) | {"id": "device"}
        del inside["parent"], resource["id"]
        made_by = "performer" if resource["resourceType"] == "RiskAssessment" else "device"
        resource[made_by] = {"reference": "#device", "display": outcome.model}
        first = ("resourceType", "meta", "language")
        return {
            **{key: resource.pop(key) for key in first},
            "contained": [inside],
            **resource,
        }

    return _alone


def _context(
    assessment: Assessment,
    models: Iterable[Model],
    assessment_id: str,
    basis: Sequence[Basis],
    subject: str | None,
    lang: str,
) -> Context:
    text, by_id = words(lang), {model.id: model for model in models}
    return Context(
        assessment,
        assessment_id,
        by_id,
        reference(subject) if subject else {"display": text("fhir.subject")},
        places(assessment.record, basis),
        {i: device_id(model) for i, model in by_id.items()},
        {advice.rule.id: advice_text(advice, text) for advice in assessment.advice},
        assessment.disagreements,
        text,
    )


def _answers(assessment: Assessment) -> list[RiskEstimate | RiskRange | PointsTotal]:
    """What was answered: answers to the questions first, those beside them next."""
    order = {
        model: at
        for at, model in enumerate(
            model
            for choice in assessment.choices
            for model in (choice.model, *choice.beside)
            if model
        )
    }
    found = [o for o in assessment.outcomes if not isinstance(o, NoEstimate)]
    return sorted(found, key=lambda outcome: order.get(outcome.model, len(order)))


def _answer(outcome: Outcome, context: Context) -> Resource:
    if isinstance(outcome, PointsTotal):
        return points_observation(outcome, context)
    assert not isinstance(outcome, NoEstimate)
    return risk_assessment(outcome, context)


def _issues(context: Context, problems: Iterable[Problem], date_given: bool) -> list[Resource]:
    """What was not used, what could not be estimated and why, what would decide more."""
    text, record = context.text, context.record
    day = record.index_date.strftime(text("language.date"))
    found = [] if date_given else [remark("date_assumed", text("fhir.date_assumed", day=day))]
    unused = list(problems)
    unused += [problem for problem in record.set_aside if problem not in unused]
    found += [issue(problem, "warning", text) for problem in unused]
    for refusal in context.assessment.not_estimated:
        of, model = context.heading(refusal), f"{refusal.model}@{refusal.version}"
        found += [
            issue(reason, "information", text, of=of, model=model) for reason in refusal.reasons
        ]
    for choice in context.assessment.choices:
        if choice.measured:
            labels = ", ".join(text.label(variable) for variable in choice.measured)
            asked = text(f"question.{choice.question.id}")
            said = f"{asked}: {text('report.measured', variables=labels)}"
            found.append(remark("measured", said))
    for question in to_ask(context.assessment.undecided):
        said = f"{text('report.undecided')}: {need_text(question.need, text)}"
        found.append(remark("undecided", said, ", ".join(question.rules)))
    return found
