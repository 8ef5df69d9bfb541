"""All advice of the guidelines as a CarePlan: a proposal that a clinician decides on."""

from __future__ import annotations

from datetime import datetime

from cdss.fhir.context import Context
from cdss.fhir.parts import LABEL, SYSTEM, Resource, coding, concept, filled, instant, name, own
from cdss.guideline import Advice
from cdss.i18n.guidance import cited, strength_text, who_text, within_text


def care_plan(
    context: Context, answers: list[Resource], author: str, recorded: datetime
) -> Resource:
    """
    Say the advice as a CarePlan.

    Parameters
    ----------
    context : Context
        Of an answer with advice.
    answers : list of dict
        The resources that say what the models estimated.
    author : str
        Id of the Device that is the software.
    recorded : datetime.datetime
        When.

    Returns
    -------
    dict
        CarePlan, a draft and a proposal; what is urgent stands first.
    """
    return filled(
        resourceType="CarePlan",
        id=name(context.assessment_id, "CarePlan"),
        meta={"security": [dict(LABEL)]},
        language=context.text.lang,
        identifier=[{"system": SYSTEM["assessment"], "value": context.assessment_id}],
        status="draft",
        intent="proposal",
        title=context.text("fhir.plan"),
        subject=context.subject,
        created=instant(recorded),
        author=own(author),
        supportingInfo=[own(answer["id"]) for answer in answers],
        activity=[{"detail": _detail(advice, context)} for advice in context.assessment.advice],
        note=[{"text": context.text("notice.advisory")}],
    )


def _detail(advice: Advice, context: Context) -> Resource:
    """One piece of advice: what, how soon, by whom, who says so and how strongly."""
    rule, text, place = advice.rule, context.text, context.assessment.jurisdiction
    said = [context.advice[rule.id], cited(rule.source), strength_text(rule, text)]
    for each in rule.open:
        said.append(text("report.open", what=text(f"open.{rule.guideline}.{each}")))
    who = who_text(rule, place, text)
    return filled(
        instantiatesUri=[rule.source.url] if rule.source.url else [],
        code=concept(text(f"topic.{rule.topic}"), coding(SYSTEM["rule"], rule.id)),
        status="not-started",
        scheduledString=within_text(rule, text),
        performer=[{"display": who}] if who else [],
        description="\n".join(said),
    )
