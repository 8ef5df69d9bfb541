"""New hypertension within four years (teaching data: a demonstration)."""

from __future__ import annotations

import numpy as np

from training.censoring import ipcw
from training.data import Table
from training.definition import Cohort, Definition, Flow

HORIZON = 4.0
FOUND_BY = 4.5
YEAR = 365.25


def cohort(table: Table) -> Cohort:
    """Examinations of people without hypertension and without treatment for it."""
    flow = Flow(table.frame, "examinations in the table")
    flow.keep("no hypertension", flow.frame["prevalent_hypertension"] == 0)
    flow.keep("not on blood-pressure treatment", flow.frame["bp_treated"] != 1)
    flow.keep(
        "below 140/90",
        (flow.frame["systolic_bp"] < 140) & (flow.frame["diastolic_bp"] < 90),
    )
    flow.keep(
        "followed after the examination",
        flow.frame["hypertension_day"] > flow.frame["examination_day"],
    )
    people = flow.frame
    start = people["examination_day"].to_numpy(dtype=float)
    found = people["hypertension"].to_numpy() == 1
    died = people["died"].to_numpy() == 1
    years = (people["hypertension_day"].to_numpy(dtype=float) - start) / YEAR
    death = (people["death_day"].to_numpy(dtype=float) - start) / YEAR
    known = found | (died & (death <= FOUND_BY))
    return flow.cohort(
        DEFINITION.predictors,
        y=found & (years <= FOUND_BY),
        weight=ipcw(np.where(found, years, np.maximum(years, death * died)), known, FOUND_BY),
    )


DEFINITION = Definition(
    id="hypertension-incident",
    title="New hypertension within 4 years (demonstration)",
    outcome="incident_hypertension",
    horizon_years=HORIZON,
    dataset="framingham",
    inputs={
        "age": "always known, strong",
        "sex": "men develop it earlier",
        "systolic_bp": "where the patient stands on the way to hypertension",
        "diastolic_bp": "where the patient stands on the way to hypertension",
    },
    optional={
        "bmi": "adiposity",
        "current_smoker": "vascular risk",
        "heart_rate": "sympathetic activation",
        "diabetes": "goes with hypertension",
        "total_cholesterol": "metabolic risk",
        "hdl_cholesterol": "metabolic risk",
    },
    excluded=("bp_treated", "pregnant"),
    monotone={"age": 1, "systolic_bp": 1, "diastolic_bp": 1, "bmi": 1, "heart_rate": 1},
    cohort=cohort,
    population="White residents of Framingham, USA, without hypertension, examined from the 1950s "
    "to the 1970s; data altered for teaching",
    outcome_definition="Treated for hypertension, or >= 140/90 mmHg at two examinations, found by "
    "4.5 years: examinations are two years apart and scatter by half a year",
    exclusions="Hypertension, treatment, or 140/90 and over at the examination.",
    time_handling="Up to three examinations of a person, kept together in cross-validation. A "
    "death before is a known answer; lost to follow-up: inverse probability of censoring weights.",
    demonstration=True,
)
