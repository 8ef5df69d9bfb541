"""Diabetes that is there and that nobody has told the patient about."""

from __future__ import annotations

from cdss.units import UNITS
from training.data import Table
from training.definition import Cohort, Definition, Flow

GLUCOSE_CUT = 126 * UNITS["fasting_glucose"]["mg/dL"].factor
HBA1C_CUT = 6.5


def cohort(table: Table) -> Cohort:
    """Adults of 20 and over, not told they have diabetes, not pregnant, with both tests."""
    flow = Flow(table.frame, "adults in the table")
    flow.keep("aged 20 and over", flow.frame["age"] >= 20)
    flow.keep("never told that they have diabetes", flow.frame["diabetes"] == 0)
    if "pregnant" in flow.frame:
        flow.keep("not pregnant", flow.frame["pregnant"] != 1)
    if "fasting_glucose" in flow.frame:
        # Whoever had one test only can be found by one only: "triglycerides unknown" would then say
        # "fewer cases found", as glucose and triglycerides come from the same morning sample.
        flow.keep(
            "HbA1c and fasting glucose measured",
            flow.frame["hba1c"].notna() & flow.frame["fasting_glucose"].notna(),
        )
    else:
        flow.keep("HbA1c measured", flow.frame["hba1c"].notna())
    if "survey_fasting_weight" in flow.frame:
        flow.frame = flow.frame.assign(survey_weight=flow.frame["survey_fasting_weight"])
    people = flow.frame
    positive = people["hba1c"] >= HBA1C_CUT
    if "fasting_glucose" in people:
        positive |= people["fasting_glucose"] >= GLUCOSE_CUT
    return flow.cohort(DEFINITION.predictors, y=positive)


DEFINITION = Definition(
    id="diabetes-undiagnosed",
    title="Undiagnosed diabetes, now",
    outcome="undiagnosed_diabetes",
    horizon_years=None,
    dataset="nhanes",
    inputs={
        "age": "strongest single predictor, always known",
        "sex": "body measures and lipids mean different things in men and women",
    },
    optional={
        "height": "short stature goes with insulin resistance at the same BMI",
        "bmi": "adiposity",
        "waist": "central adiposity, beyond BMI",
        "systolic_bp": "part of the metabolic syndrome",
        "diastolic_bp": "low diastolic beside high systolic pressure marks stiff arteries",
        "heart_rate": "sympathetic activation and low fitness",
        "bp_treated": "known hypertension",
        "smoking": "raises the risk of diabetes",
        "family_history_diabetes": "inherited risk",
        "total_cholesterol": "read together with HDL",
        "hdl_cholesterol": "low in insulin resistance",
        "triglycerides": "raised in insulin resistance (fasting)",
        "egfr": "hyperfiltration early, loss late",
        "uacr": "early organ damage",
        "alt": "fatty liver",
        "ggt": "fatty liver, alcohol",
        "uric_acid": "part of the metabolic syndrome",
    },
    excluded=("diabetes", "pregnant"),
    measured_by=("hba1c", "fasting_glucose"),
    monotone={
        "age": 1, "bmi": 1, "waist": 1, "systolic_bp": 1, "bp_treated": 1,
        "family_history_diabetes": 1, "hdl_cholesterol": -1, "triglycerides": 1, "uacr": 1,
    },
    cohort=cohort,
    population="US adults aged 20 and over who were never told that they have diabetes, with HbA1c "
    "and fasting glucose measured (a random morning half), NHANES 1999-2014, not weighted to the "
    "US population",
    outcome_definition="HbA1c >= 6.5 % or fasting plasma glucose >= 126 mg/dL at one examination",
    exclusions="Told of diabetes; pregnant; HbA1c or fasting glucose not measured. "
    "HbA1c and glucose are the outcome and therefore not predictors.",
    time_handling="Cross-sectional: outcome and predictors are of the same day; no censoring.",
)  # fmt: skip
