"""Raised blood pressure that nobody has told the patient about, without a cuff at hand."""

from __future__ import annotations

from training.data import Table
from training.definition import Cohort, Definition, Flow


def cohort(table: Table) -> Cohort:
    """Adults aged 20 and over, neither told of nor treated for hypertension, not pregnant."""
    flow = Flow(table.frame, "adults in the table")
    flow.keep("aged 20 and over", flow.frame["age"] >= 20)
    flow.keep("never told that they have hypertension", flow.frame["hypertension_told"] == 0)
    flow.keep("not on blood-pressure treatment", flow.frame["bp_treated"] == 0)
    flow.keep("not pregnant", flow.frame["pregnant"] != 1)
    flow.keep(
        "blood pressure measured",
        flow.frame["systolic_bp"].notna() & flow.frame["diastolic_bp"].notna(),
    )
    people = flow.frame
    raised = (people["systolic_bp"] >= 140) | (people["diastolic_bp"] >= 90)
    return flow.cohort(DEFINITION.predictors, y=raised)


DEFINITION = Definition(
    id="hypertension-undiagnosed",
    title="Undiagnosed raised blood pressure, now, from a distance",
    outcome="undiagnosed_hypertension",
    horizon_years=None,
    dataset="nhanes",
    inputs={
        "age": "strongest single predictor, always known",
        "sex": "men develop it earlier, women catch up",
    },
    optional={
        "height": "stature goes with arterial stiffness at the same BMI",
        "bmi": "adiposity",
        "waist": "central adiposity",
        "heart_rate": "a pulse can be counted at home",
        "smoking": "vascular risk",
        "family_history_diabetes": "shared familial metabolic risk",
        "diabetes": "goes with hypertension",
        "total_cholesterol": "metabolic risk",
        "hdl_cholesterol": "metabolic risk; also raised by alcohol",
        "triglycerides": "metabolic risk (fasting)",
        "hba1c": "glycaemia",
        "egfr": "the kidney is cause and victim",
        "uacr": "early organ damage",
        "alt": "fatty liver",
        "ggt": "alcohol, fatty liver",
        "uric_acid": "goes with hypertension",
    },
    excluded=("bp_treated", "pregnant"),
    measured_by=("systolic_bp", "diastolic_bp"),
    monotone={"age": 1, "bmi": 1, "diabetes": 1, "uacr": 1, "heart_rate": 1},
    cohort=cohort,
    population="US adults aged 20 and over who were never told of hypertension and take no "
    "treatment for it, NHANES 1999-2014, not weighted to the US population",
    outcome_definition="Mean of up to three readings at one examination >= 140 mmHg systolic or "
    ">= 90 mmHg diastolic. A raised reading on one day, not a diagnosis.",
    exclusions="Told of hypertension; on blood-pressure treatment; pregnant; not measured. Blood "
    "pressure is the outcome and therefore not a predictor.",
    time_handling="Cross-sectional: outcome and predictors are of the same day; no censoring.",
)
