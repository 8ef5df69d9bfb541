"""Death from heart disease or stroke within ten years."""

from __future__ import annotations

import numpy as np

from training.censoring import ipcw
from training.data import Table
from training.definition import Cohort, Definition, Flow

HORIZON = 10.0


def cohort(table: Table) -> Cohort:
    """People aged 30 to 79 without heart attack, coronary disease or stroke, linked to deaths."""
    flow = Flow(table.frame, "adults in the table")
    flow.keep("aged 30 to 79", flow.frame["age"].between(30, 79))
    flow.keep("no coronary disease, heart attack or stroke", flow.frame["prior_cvd"] == 0)
    flow.keep("not pregnant", flow.frame["pregnant"] != 1)
    flow.keep("linked to the death index", flow.frame["mortality_eligible"] == 1)
    flow.keep("examined, follow-up known", flow.frame["followup_months"].notna())
    people = flow.frame
    # A death on the day of the examination has 0 months; half a month keeps it after the start.
    years = np.maximum(people["followup_months"].to_numpy(dtype=float), 0.5) / 12
    died = people["died"].to_numpy() == 1
    event = died & (people["cvd_death"].to_numpy() == 1) & (years <= HORIZON)
    return flow.cohort(DEFINITION.predictors, y=event, weight=ipcw(years, died, HORIZON))


DEFINITION = Definition(
    id="cvd-death",
    title="Death from heart disease or stroke within 10 years",
    outcome="cardiovascular_death",
    horizon_years=HORIZON,
    dataset="nhanes",
    inputs={
        "age": "strongest single predictor, always known",
        "sex": "men die of it earlier",
    },
    optional={
        "bmi": "adiposity, and wasting",
        "waist": "central adiposity",
        "systolic_bp": "cause",
        "diastolic_bp": "read together with systolic pressure",
        "heart_rate": "fitness, sympathetic activation",
        "bp_treated": "years of hypertension that today's reading does not show",
        "smoking": "cause",
        "diabetes": "cause",
        "total_cholesterol": "cause, confounded by treatment and frailty",
        "hdl_cholesterol": "marker",
        "hba1c": "glycaemia",
        "egfr": "kidney disease is a cause",
        "uacr": "vascular and kidney damage",
        "uric_acid": "marker",
    },
    excluded=("prior_cvd", "pregnant"),
    monotone={
        "age": 1, "systolic_bp": 1, "bp_treated": 1, "smoking": 1, "diabetes": 1, "uacr": 1,
        "hba1c": 1, "heart_rate": 1,
    },
    cohort=cohort,
    population="US residents aged 30 to 79 without coronary disease, heart attack or stroke, "
    "NHANES 1999-2014 with deaths to the end of 2019, not weighted to the US population",
    outcome_definition="Underlying cause of death heart disease or cerebrovascular disease "
    "(leading-cause groups 1 and 5 of the public-use linkage) within 10 years of the examination. "
    "Deaths only: it is not the risk of a heart attack or stroke.",
    exclusions="Coronary heart disease, heart attack or stroke reported; pregnant; not eligible "
    "for linkage.",
    time_handling="People still alive at the end of 2019 with less than 10 years of follow-up are "
    "censored (later survey cycles): inverse probability of censoring weights. A death from "
    "another cause is a known answer, 'no cardiovascular death', so the probability is the "
    "cumulative incidence in the presence of competing deaths.",
)  # fmt: skip
