"""New diabetes within three years of a check-up."""

from __future__ import annotations

import numpy as np

from training.data import Table
from training.definition import Cohort, Definition, Flow

HORIZON = 3.0


def cohort(table: Table) -> Cohort:
    """Adults free of diabetes at a check-up, with their status at a later visit."""
    flow = Flow(table.frame, "people free of diabetes at the first check-up")
    flow.keep("aged 20 and over", flow.frame["age"] >= 20)
    flow.keep("status known at a later visit", flow.frame["followup_years"] > 0)
    people = flow.frame
    return flow.cohort(
        DEFINITION.predictors,
        y=people["incident_diabetes"],
        log_time=np.log(people["followup_years"].to_numpy(dtype=float) / HORIZON),
        site="site",
    )


DEFINITION = Definition(
    id="diabetes-incident",
    title="New diabetes within 3 years",
    outcome="incident_diabetes",
    horizon_years=HORIZON,
    dataset="china",
    inputs={
        "age": "always known, strong",
        "sex": "men develop it earlier",
    },
    optional={
        "height": "short stature goes with insulin resistance at the same BMI",
        "bmi": "adiposity",
        "systolic_bp": "part of the metabolic syndrome",
        "diastolic_bp": "part of the metabolic syndrome",
        "fasting_glucose": "where the patient stands on the way to diabetes",
        "total_cholesterol": "read together with HDL",
        "triglycerides": "raised in insulin resistance (fasting)",
        "hdl_cholesterol": "low in insulin resistance",
        "ldl_cholesterol": "read together with HDL",
        "alt": "fatty liver",
        "ast": "read together with ALT",
        "creatinine": "muscle mass and kidney function",
    },
    excluded=("diabetes", "pregnant"),
    monotone={
        "age": 1, "bmi": 1, "systolic_bp": 1, "fasting_glucose": 1, "triglycerides": 1,
        "hdl_cholesterol": -1,
    },
    cohort=cohort,
    population="Chinese adults aged 20 and over at annual check-ups at 11 sites, 2010-2016, free "
    "of diabetes and with fasting glucose below 7.0 mmol/L at baseline",
    outcome_definition="Fasting plasma glucose >= 7.0 mmol/L, or diabetes reported, at a later "
    "check-up visit",
    exclusions="Diabetes at baseline. Family history is left out: it is recorded in 2 % only, so "
    "that its 'no' is not a no.",
    time_handling="Status is known at one visit, 2.0 to 7.6 years later; everybody has at least "
    "2.0 years by design, and an event carries the date of the visit that found it. Kaplan-Meier "
    "or censoring weights would read this as no risk before two years and discard the 47 % seen "
    "again before three, so time enters the model instead: the log-odds of being found diabetic "
    "at a visit is the patient's part plus a coefficient times log(years / 3), estimated with the "
    "model; the probability given is that at exactly 3 years.",
    some_laboratory=("glycaemia",),
)  # fmt: skip
