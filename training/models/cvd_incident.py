"""Cardiovascular disease within ten years (teaching data: a demonstration)."""

from __future__ import annotations

from training.censoring import ipcw
from training.data import Table
from training.definition import Cohort, Definition, Flow

HORIZON = 10.0
YEAR = 365.25


def cohort(table: Table) -> Cohort:
    """Examinations of people without coronary disease or stroke."""
    flow = Flow(table.frame, "examinations in the table")
    flow.keep(
        "no coronary disease or stroke",
        (flow.frame["prevalent_chd"] == 0) & (flow.frame["prevalent_stroke"] == 0),
    )
    flow.keep(
        "followed after the examination", flow.frame["cvd_day"] > flow.frame["examination_day"]
    )
    people = flow.frame
    start = people["examination_day"].to_numpy(dtype=float)
    event = people["cvd"].to_numpy() == 1
    died = people["died"].to_numpy() == 1
    years = (people["cvd_day"].to_numpy(dtype=float) - start) / YEAR
    return flow.cohort(
        DEFINITION.predictors,
        y=event & (years <= HORIZON),
        weight=ipcw(years, event | died, HORIZON),
    )


DEFINITION = Definition(
    id="cvd-incident",
    title="Cardiovascular disease within 10 years (demonstration)",
    outcome="cardiovascular_disease",
    horizon_years=HORIZON,
    dataset="framingham",
    inputs={
        "age": "always known, strong",
        "sex": "men develop it earlier",
    },
    optional={
        "systolic_bp": "cause",
        "diastolic_bp": "read together with systolic pressure",
        "heart_rate": "fitness",
        "bp_treated": "years of hypertension that today's reading does not show",
        "bmi": "adiposity",
        "current_smoker": "cause",
        "diabetes": "cause",
        "total_cholesterol": "cause",
        "hdl_cholesterol": "marker",
    },
    excluded=("prior_cvd", "pregnant"),
    monotone={
        "age": 1, "systolic_bp": 1, "bp_treated": 1, "bmi": 1, "current_smoker": 1, "diabetes": 1,
        "total_cholesterol": 1, "hdl_cholesterol": -1,
    },
    cohort=cohort,
    population="White residents of Framingham, USA, without coronary disease or stroke, examined "
    "from the 1950s to the 1970s; data altered for teaching",
    outcome_definition="Heart attack, fatal coronary disease or stroke (the data set's CVD)",
    exclusions="Coronary disease (angina included) or stroke at the examination.",
    time_handling="Up to three examinations of a person, kept together in cross-validation. A "
    "death from another cause is a known answer (cumulative incidence with competing deaths); "
    "lost to follow-up: inverse probability of censoring weights.",
    demonstration=True,
)  # fmt: skip
